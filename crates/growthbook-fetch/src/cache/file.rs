//! Payloads kept in files.

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

use super::format::{self, Corrupt, KeyHash};
use growthbook_support::LOG_TARGET;

/// Keeps each payload in a file of a directory: a process that starts again has flags at once, even
/// when the API cannot be reached.
///
/// The directory is the application's choice, and best its own: whoever may write there sets its
/// flags. It is created with the first payload. On Unix, what is created is for its owner only. A
/// file is named after a hash of the API host and the client key. Other files in the directory are
/// left alone.
///
/// Several processes may share a directory. A payload is written to a file beside the old one and
/// then takes its place: whatever happens meanwhile, a reader finds the old payload or the new one,
/// whole. The last `put` wins. When a disk is full or a directory read-only, `put` fails and the old
/// payload stays. What writers leave behind that were killed is removed by a `put` an hour later.
///
/// A file that is damaged, that another version of this format wrote, or that is larger than 64 MiB
/// is as good as none. The first one is logged as a warning, the next `put` replaces it. A payload
/// that would not fit is an error of `put`.
pub struct FileCache {
    directory: PathBuf,
    has_warned: AtomicBool,
}

impl FileCache {
    /// A cache in this directory. Neither reads nor writes yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        FileCache { directory: directory.into(), has_warned: AtomicBool::new(false) }
    }
}

impl PayloadCache for FileCache {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        let key = KeyHash::new(key);
        let path = self.path(&key);
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
        // First, for what they leave may be what fills the disk.
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

    /// Puts a new file with this content in place of the one of this path.
    fn replace(&self, path: &Path, content: &[&[u8]]) -> io::Result<()> {
        let (temporary, file) = create_temporary(&self.directory)?;
        let replaced = write(file, content).and_then(|()| fs::rename(&temporary, path));
        if replaced.is_err() {
            // Whatever is wrong with the disk may fail this as well.
            let _ = fs::remove_file(&temporary);
        }
        replaced?;
        sync_directory(&self.directory);
        Ok(())
    }

    fn warn(&self, path: &Path, corrupt: Corrupt) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            let path = path.display();
            log::warn!(target: LOG_TARGET, "the cached payload in {path} is ignored: {corrupt}");
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

/// What the names of all files start with that are ours.
const PREFIX: &str = "growthbook-";

/// What the names of files end with that are being written.
const TEMPORARY_SUFFIX: &str = ".payload.tmp";

/// How long nobody takes to write a file.
const LEFTOVER_AGE: Duration = Duration::from_secs(60 * 60);

/// The file, or so much of it that it is seen to be too large.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(format::MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Sets the time in a file, unless it is none of ours.
fn write_time(path: &Path, time: UnixMillis) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut preamble = [0; format::PREAMBLE.len()];
    match file.read_exact(&mut preamble) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
        read => read?,
    }
    if preamble != format::PREAMBLE {
        return Ok(());
    }
    file.seek(SeekFrom::Start(format::TIME_OFFSET))?;
    // Not synced: a payload that looks older than it is after a power failure costs one request.
    file.write_all(&format::encode_time(time))
}

fn create_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// A new file under a name that nobody else uses.
fn create_temporary(directory: &Path) -> io::Result<(PathBuf, File)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);

    // Containers that share a directory may share process ids; the child of a fork shares its
    // parent's random state. Those who share both meet once in a while.
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

/// Makes a rename survive a power failure, where the system can. When it cannot, the old file is
/// back after one, in whole.
fn sync_directory(directory: &Path) {
    #[cfg(unix)]
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    #[cfg(not(unix))]
    let _ = directory;
}

/// Removes what writers left behind that were killed. It is no error when it fails: others who put
/// do the same, at the same time perhaps.
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

/// Which file could not be read or written, and why not.
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
