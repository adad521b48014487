//! A cache in files.

use std::{
    error::Error,
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    hash::{BuildHasher, RandomState},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use growthbook_core::PayloadSource;
use growthbook_core::cache::{
    CachedPayload, PayloadCache, PayloadCacheError, PayloadKey, UnixMillis,
};
use growthbook_support::Level;

use super::format::{self, Corrupt, KeyHash};
use super::regular_file;

/// Keeps each payload in a file of a directory. A process that starts again has flags at once, even
/// when the API cannot be reached.
///
/// The application chooses the directory. It should have one of its own, because a process that can
/// write there can set the flags. The directory is created with the first payload. On Unix, only
/// the owner can read what is created. A file is named after a hash of the API host and the client
/// key. Other files in the directory are left alone.
///
/// Several processes may share a directory. A payload is written to a new file, which then replaces
/// the old one: a reader finds the old payload or the new one, whole. The last `put` wins. When a
/// disk is full or a directory is read-only, `put` fails and the old payload stays. A writer that is
/// killed leaves a temporary file. The first `get` and each `put` remove such files that are at
/// least ten minutes old.
///
/// A file is ignored if it is damaged, larger than 64 MiB, or written by another version of this
/// format. The first such file is logged as a warning, and the next `put` replaces it. A payload
/// that is too large is an error of `put`.
///
/// A directory, a FIFO, a socket or a device in place of the file is an error of each method. The
/// error says what it is. It is never opened, so that no method waits for it.
pub struct FileCache {
    directory: PathBuf,
    has_warned: AtomicBool,
    has_cleaned: AtomicBool,
}

impl FileCache {
    /// Returns a cache in this directory. Does not read or write yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        FileCache {
            directory: directory.into(),
            has_warned: AtomicBool::new(false),
            has_cleaned: AtomicBool::new(false),
        }
    }
}

impl PayloadCache for FileCache {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        let key = KeyHash::new(key);
        let path = self.path(&key);
        if !self.has_cleaned.swap(true, Ordering::Relaxed) {
            remove_leftovers(&self.directory);
        }
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path, error)),
        };
        match format::decode(&key, &bytes) {
            Ok(payload) => Ok(Some(payload)),
            Err(corrupt) => {
                self.warn(&path, corrupt);
                Ok(None)
            }
        }
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        let key = KeyHash::new(key);
        let path = self.path(&key);
        let head = format::encode_head(&key, payload)
            .ok_or_else(|| failed("write", &path, io::ErrorKind::FileTooLarge.into()))?;

        create_directory(&self.directory)
            .map_err(|error| failed("create", &self.directory, error))?;
        match regular_file::check(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            checked => checked.map_err(|error| failed("replace", &path, error))?,
        }
        // Before the write, because leftovers may fill the disk.
        remove_leftovers(&self.directory);
        self.replace(&path, &[&head, payload.document.as_bytes()])
            .map_err(|error| failed("write", &path, error))
    }

    fn confirm(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        let path = self.path(&KeyHash::new(key));
        match write_time(&path, payload.fetched_at) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            confirmed => confirmed.map_err(|error| failed("write", &path, error)),
        }
    }

    fn source(&self) -> PayloadSource {
        PayloadSource::File
    }
}

impl FileCache {
    fn path(&self, key: &KeyHash) -> PathBuf {
        self.directory.join(format!("{PREFIX}{key}.payload"))
    }

    /// Replaces the file of this path by one with this content.
    fn replace(&self, path: &Path, content: &[&[u8]]) -> io::Result<()> {
        let (temporary, file) = create_temporary(&self.directory)?;
        let replaced = write(file, content).and_then(|()| fs::rename(&temporary, path));
        if replaced.is_err() {
            // If the disk is broken, this may fail as well.
            let _ = fs::remove_file(&temporary);
        }
        replaced?;
        sync_directory(&self.directory);
        Ok(())
    }

    fn warn(&self, path: &Path, corrupt: Corrupt) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            let path = path.display();
            growthbook_support::log!(
                Level::Warn,
                "the cached payload in {path} is ignored: {corrupt}"
            );
        }
    }
}

impl fmt::Debug for FileCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FileCache")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// The names of all files of this cache start with this.
const PREFIX: &str = "growthbook-";

/// The names of files that are being written end with this.
const TEMPORARY_SUFFIX: &str = ".payload.tmp";

/// A temporary file that is older than this was left by a writer that was killed.
const LEFTOVER_AGE: Duration = Duration::from_secs(10 * 60);

/// Reads a file, up to one byte more than it may have.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = regular_file::open(path, OpenOptions::new().read(true))?;
    file.take(format::MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Sets the time in a file, if this version of the format wrote it.
fn write_time(path: &Path, time: UnixMillis) -> io::Result<()> {
    let mut file = regular_file::open(path, OpenOptions::new().read(true).write(true))?;
    let mut preamble = [0; format::PREAMBLE.len()];
    match file.read_exact(&mut preamble) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
        read => read?,
    }
    if preamble != format::PREAMBLE {
        return Ok(());
    }
    file.seek(SeekFrom::Start(format::TIME_OFFSET))?;
    // Not synced: after a power failure the payload may look too old, which costs one request.
    file.write_all(&format::encode_time(time))
}

fn create_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Creates a file under a name that no other writer uses.
fn create_temporary(directory: &Path) -> io::Result<(PathBuf, File)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);

    // Containers that share a directory may share process ids, and the child of a fork shares its
    // parent's random state. Writers that share both may choose the same name.
    const ATTEMPTS: u32 = 8;
    let process = process::id();
    let mut attempt = 1;
    loop {
        let random = RandomState::new().hash_one(attempt);
        let path = directory.join(format!("{PREFIX}{process}-{random:016x}{TEMPORARY_SUFFIX}"));
        match options.open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Writes and closes a file so that it survives a power failure.
fn write(mut file: File, content: &[&[u8]]) -> io::Result<()> {
    for part in content {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// Makes a rename survive a power failure, where the system can. Where it cannot, the old file is
/// back after a power failure, whole.
fn sync_directory(directory: &Path) {
    #[cfg(unix)]
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    #[cfg(not(unix))]
    let _ = directory;
}

/// Removes the temporary files of writers that were killed. A failure is not an error: another
/// process may remove the same files at the same time.
fn remove_leftovers(directory: &Path) {
    let Ok(files) = fs::read_dir(directory) else { return };
    for file in files.flatten() {
        let name = file.file_name();
        let is_temporary = name
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(TEMPORARY_SUFFIX));
        if is_temporary && is_old(&file) {
            let _ = fs::remove_file(file.path());
        }
    }
}

fn is_old(file: &fs::DirEntry) -> bool {
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age >= LEFTOVER_AGE))
}

fn failed(action: &'static str, path: &Path, error: io::Error) -> PayloadCacheError {
    PayloadCacheError::new(FileError { action, path: path.into(), error })
}

/// A file could not be read or written.
#[derive(Debug)]
struct FileError {
    action: &'static str,
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot {} {}", self.action, self.path.display())
    }
}

impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
