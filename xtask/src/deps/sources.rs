//! The source files of one crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Result;
use crate::run::root;

/// The Rust files in the `src` folder of a crate.
pub(super) struct Sources {
    /// The `src` folder, seen from the workspace's folder.
    folder: String,
    /// The texts by their paths in that folder, as in `payload/mod.rs`.
    files: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the files of a library crate.
    pub(super) fn read(package: &str) -> Result<Self> {
        let mut sources =
            Self { folder: format!("crates/{package}/src"), files: BTreeMap::default() };
        let folder = root().join(&sources.folder);
        sources.add(&folder, "").map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(sources)
    }

    fn add(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.add(&entry.path(), &format!("{path}/"))?;
            } else if path.ends_with(".rs") {
                self.files.insert(path, fs::read_to_string(entry.path())?);
            }
        }
        Ok(())
    }

    /// Returns the name, from the workspace's folder, and the text of a module's file. The empty
    /// path is the crate's root.
    pub(super) fn of_module(&self, module: &[String]) -> Result<(String, &str)> {
        let path = module.join("/");
        let candidates = match module {
            [] => vec!["lib.rs".to_owned()],
            _ => vec![format!("{path}.rs"), format!("{path}/mod.rs")],
        };
        for candidate in &candidates {
            if let Some(text) = self.files.get(candidate) {
                return Ok((format!("{}/{candidate}", self.folder), text));
            }
        }
        Err(format!("{}: no file {}", self.folder, candidates.join(" or ")).into())
    }
}

#[cfg(test)]
impl Sources {
    /// A made-up crate in the folder `src`.
    pub(super) fn made_up<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files =
            files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        Self { folder: "src".to_owned(), files }
    }
}
