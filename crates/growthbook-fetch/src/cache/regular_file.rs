//! Opening regular files only.
//!
//! Opening a FIFO waits until another process opens its other end. Opening a device may start an
//! action, and reading from it may never end. So these are refused before they are opened.

use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::path::Path;

/// Opens an existing regular file, or a symbolic link to one. Never waits for another process.
///
/// # Errors
///
/// When the path leads to something else; the error says what it is. When the file is missing or
/// cannot be opened.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    check(path)?;
    // The path may lead to a FIFO since the check. Then opening it must not wait either.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    refuse_others(file.metadata()?.file_type())?;
    Ok(file)
}

/// Checks that the path leads to a regular file, without opening it.
///
/// # Errors
///
/// Like [`open`].
pub(super) fn check(path: &Path) -> io::Result<()> {
    refuse_others(fs::metadata(path)?.file_type())
}

fn refuse_others(kind: FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    let text = format!("it is {}, not a regular file; remove it", name(kind));
    let error =
        if kind.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
    Err(io::Error::new(error, text))
}

fn name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        return "a directory";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;

        if kind.is_fifo() {
            return "a FIFO";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    "something else"
}
