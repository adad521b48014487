//! The errors of the store, which say what to do.

use std::{error::Error, fmt, io, path::Path, sync::Arc};

/// The reason why a sticky bucket file could not be opened, read or written. Its text names the file
/// and says what to do. Its source is the error of the database, if there is one.
#[derive(Clone, Debug)]
pub struct EmbeddedStoreError {
    path: Arc<Path>,
    kind: EmbeddedStoreErrorKind,
    cause: Option<Arc<redb::Error>>,
}

/// The kinds of [`EmbeddedStoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmbeddedStoreErrorKind {
    /// Another process, or another store of this process, has the file open.
    InUse,
    /// The file is damaged, or it is not a database of this store.
    Damaged,
    /// The file system failed: a full disk, a missing folder, no permission.
    Io,
    /// The file failed a moment ago. It is opened again after a pause of at most 5 s.
    Pausing,
    /// This process is a forked child of the process that opened the file.
    Forked,
    /// The database refused the document.
    Refused,
}

impl EmbeddedStoreError {
    pub(super) fn new(path: &Arc<Path>, kind: EmbeddedStoreErrorKind) -> Self {
        EmbeddedStoreError { path: path.clone(), kind, cause: None }
    }

    pub(super) fn of(path: &Arc<Path>, error: redb::Error) -> Self {
        let kind = kind_of(&error);
        EmbeddedStoreError { cause: Some(Arc::new(error)), ..Self::new(path, kind) }
    }

    /// The database panics on some damaged files.
    pub(super) fn of_panic(path: &Arc<Path>) -> Self {
        EmbeddedStoreError::new(path, EmbeddedStoreErrorKind::Damaged)
    }

    /// Returns whether the file has to be opened again.
    pub(super) fn is_failure_of_file(&self) -> bool {
        !matches!(
            self.kind,
            EmbeddedStoreErrorKind::Refused
                | EmbeddedStoreErrorKind::Pausing
                | EmbeddedStoreErrorKind::Forked
        )
    }

    /// Returns the kind of this error.
    pub fn kind(&self) -> EmbeddedStoreErrorKind {
        self.kind
    }
}

fn kind_of(error: &redb::Error) -> EmbeddedStoreErrorKind {
    match error {
        redb::Error::DatabaseAlreadyOpen => EmbeddedStoreErrorKind::InUse,
        redb::Error::ValueTooLarge(_) => EmbeddedStoreErrorKind::Refused,
        redb::Error::Io(error) => match error.kind() {
            // A file of another format, or one that was cut short.
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                EmbeddedStoreErrorKind::Damaged
            }
            _ => EmbeddedStoreErrorKind::Io,
        },
        redb::Error::PreviousIo | redb::Error::DatabaseClosed => EmbeddedStoreErrorKind::Io,
        _ => EmbeddedStoreErrorKind::Damaged,
    }
}

impl fmt::Display for EmbeddedStoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot use the sticky bucket file {}: ", self.path.display())?;
        match (self.kind, self.cause.as_deref()) {
            (EmbeddedStoreErrorKind::InUse, _) => formatter.write_str(
                "it is open already; open it once, share the store by cloning it, and give each \
                 process its own file",
            ),
            (EmbeddedStoreErrorKind::Damaged, _) => formatter.write_str(
                "it is damaged, or not a sticky bucket file; restore a copy of it, or remove it, and \
                 users are assigned again",
            ),
            (EmbeddedStoreErrorKind::Io, Some(redb::Error::Io(cause))) => write!(
                formatter,
                "{cause}; check its folder, permissions and free space (the store tries again)",
            ),
            (EmbeddedStoreErrorKind::Io, _) => formatter.write_str(
                "an earlier access failed; check its folder, permissions and free space (the store \
                 tries again)",
            ),
            (EmbeddedStoreErrorKind::Pausing, _) => formatter
                .write_str("it failed a moment ago; it is opened again after a pause of at most 5 s"),
            (EmbeddedStoreErrorKind::Forked, _) => formatter.write_str(
                "the parent process opened it; open another file in the forked process",
            ),
            (EmbeddedStoreErrorKind::Refused, Some(cause)) => {
                write!(formatter, "the document is refused ({cause}); save a smaller one")
            }
            (EmbeddedStoreErrorKind::Refused, None) => formatter.write_str("the document is refused"),
        }
    }
}

impl Error for EmbeddedStoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_the_file_and_say_what_to_do() {
        let path: Arc<Path> = Path::new("/data/sticky.redb").into();
        let full = redb::Error::Io(io::Error::from(io::ErrorKind::StorageFull));
        let cases = [
            (
                EmbeddedStoreError::new(&path, EmbeddedStoreErrorKind::InUse),
                "it is open already; open it once, share the store by cloning it, and give each \
                 process its own file",
            ),
            (
                EmbeddedStoreError::of_panic(&path),
                "it is damaged, or not a sticky bucket file; restore a copy of it, or remove it, and \
                 users are assigned again",
            ),
            (
                EmbeddedStoreError::of(&path, full),
                "no storage space; check its folder, permissions and free space (the store tries \
                 again)",
            ),
            (
                EmbeddedStoreError::of(&path, redb::Error::PreviousIo),
                "an earlier access failed; check its folder, permissions and free space (the store \
                 tries again)",
            ),
            (
                EmbeddedStoreError::new(&path, EmbeddedStoreErrorKind::Pausing),
                "it failed a moment ago; it is opened again after a pause of at most 5 s",
            ),
            (
                EmbeddedStoreError::new(&path, EmbeddedStoreErrorKind::Forked),
                "the parent process opened it; open another file in the forked process",
            ),
            (
                EmbeddedStoreError::of(&path, redb::Error::ValueTooLarge(9)),
                &*format!(
                    "the document is refused ({}); save a smaller one",
                    redb::Error::ValueTooLarge(9)
                ),
            ),
        ];
        for (error, text) in cases {
            let expected = format!("cannot use the sticky bucket file /data/sticky.redb: {text}");
            assert_eq!(error.to_string(), expected);
        }
    }
}
