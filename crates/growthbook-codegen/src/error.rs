//! Why there is no module.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::{fmt, io};

use growthbook_core::PayloadError;

/// Why flags cannot be read, or a module cannot be written.
///
/// `Debug` prints the same text as `Display`, with the causes: Rust prints the error of a build
/// script's `main` with `Debug`.
#[non_exhaustive]
pub enum Error {
    /// The document is not a payload.
    Payload(PayloadError),
    /// The document is JSON, but in a form that does not have flags.
    UnknownForm,
    /// The decryption key in the environment is not valid.
    DecryptionKey(growthbook_core::encryption::DecryptError),
    /// A file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The environment variable `OUT_DIR` is not set, so this is not a build script.
    NotABuildScript,
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |error| Error::File { path, error }
    }
}

impl From<PayloadError> for Error {
    fn from(error: PayloadError) -> Self {
        Error::Payload(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Payload(PayloadError::MissingDecryptionKey) => formatter.write_str(
                "the payload's features are encrypted, and there is no key: set the environment \
                 variable GROWTHBOOK_DECRYPTION_KEY to the key of the SDK connection",
            ),
            Error::Payload(error) => error.fmt(formatter),
            Error::UnknownForm => formatter.write_str(
                "the document has no flags: it must be a payload, an object of features by key, or \
                 a list of features from the REST API",
            ),
            Error::DecryptionKey(_) => formatter.write_str(
                "GROWTHBOOK_DECRYPTION_KEY is not a decryption key: copy it from the SDK connection",
            ),
            Error::File { path, error } => write!(formatter, "{}: {error}", path.display()),
            Error::NotABuildScript => formatter.write_str(
                "OUT_DIR is not set: call this function in a build script, or write the module to \
                 a file with the command growthbook-codegen",
            ),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::Payload(error) => error.source(),
            Error::DecryptionKey(error) => Some(error),
            _ => None,
        }
    }
}
