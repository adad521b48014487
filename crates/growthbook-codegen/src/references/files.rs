//! The files of a source tree.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The largest file that is searched, in bytes. Larger ones are data.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The extensions of files that may ask for flags.
const EXTENSIONS: &[&str] = &[
    "astro", "cjs", "cs", "dart", "elm", "erl", "ex", "exs", "go", "html", "java", "js", "jsx",
    "kt", "kts", "liquid", "mjs", "mts", "php", "py", "rb", "rs", "scala", "svelte", "swift", "ts",
    "tsx", "vue", "yaml",
];

/// Folders of other people's code.
const FOREIGN: [&str; 2] = ["node_modules", "target"];

/// Returns all source files in the order of their paths.
pub(super) fn find<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    includes_tests: bool,
) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
    for path in std::mem::take(&mut open) {
        let metadata = fs::metadata(&path).map_err(Error::file(&path))?;
        if metadata.is_dir() { open.push(path) } else { files.push(path) }
    }
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(Error::file(&folder))? {
            let entry = entry.map_err(Error::file(&folder))?;
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // The type of the entry itself, so that links are not followed.
            let file_type = entry.file_type().map_err(Error::file(&path))?;
            let is_left_out = name.starts_with('.')
                || FOREIGN.contains(&&*name)
                || name == "tests" && !includes_tests;
            if file_type.is_dir() && !is_left_out {
                open.push(path);
            } else if file_type.is_file() && is_source(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn is_source(path: &Path) -> bool {
    path.extension().and_then(|it| it.to_str()).is_some_and(|it| EXTENSIONS.contains(&it))
}

/// Returns the text of a file. `None` if the file is too large or not UTF-8.
pub(super) fn read(file: &Path) -> Result<Option<String>, Error> {
    if fs::metadata(file).map_err(Error::file(file))?.len() > MAX_BYTES {
        return Ok(None);
    }
    Ok(String::from_utf8(fs::read(file).map_err(Error::file(file))?).ok())
}
