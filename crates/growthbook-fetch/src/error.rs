//! Why a payload could not be fetched.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use growthbook_core::PayloadError;

/// Why a payload could not be fetched, or cannot be used. The payload in use stays.
///
/// Its text has neither the client key nor any text of the server.
#[derive(Clone)]
pub struct FetchError {
    kind: FetchErrorKind,
    source: Option<Arc<dyn core::error::Error + Send + Sync>>,
    /// How long the server asks not to be asked.
    pub(crate) retry_after: Option<Duration>,
}

/// What went wrong, to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// The host's name has no address.
    Dns,
    /// No connection could be opened.
    Connect,
    /// The proxy refused.
    Proxy,
    /// TLS failed: the certificate is not trusted, or the server does not speak TLS.
    Tls,
    /// A time limit was reached.
    Timeout,
    /// The connection broke, or another I/O error occurred.
    Interrupted,
    /// The reply is not HTTP.
    Protocol,
    /// A redirect has no usable address, goes from `https` to `http`, or is one too many.
    Redirect,
    /// The server answered with an error.
    Status {
        /// The HTTP status code.
        code: u16,
        /// The server says that asking again will not help (`x-unrecoverable`).
        unrecoverable: bool,
    },
    /// The reply is not a stream of events.
    NotAStream,
    /// The server ended a stream soon after it was opened.
    BriefStream,
    /// The reply cannot be decompressed.
    Decompress,
    /// The reply is larger than allowed.
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The server replied that nothing has changed, but the client has no payload.
    NothingToConfirm,
    /// The reply is not a payload, or cannot be decrypted.
    Payload(PayloadError),
    /// A client's sink or this crate panicked.
    Panicked,
    /// The client is closed.
    Closed,
    /// The client is an embedded one, without a server.
    NoServer,
}

impl FetchErrorKind {
    /// Whether asking again soon is pointless: the key or the address is wrong, or access denied.
    /// The server is asked again all the same, but slowly.
    pub fn is_refusal(self) -> bool {
        match self {
            FetchErrorKind::Status { code: 401 | 403 | 404 | 410, .. } => true,
            FetchErrorKind::Status { unrecoverable, .. } => unrecoverable,
            _ => false,
        }
    }
}

impl FetchError {
    pub(crate) fn new(kind: FetchErrorKind) -> Self {
        FetchError { kind, source: None, retry_after: None }
    }

    pub(crate) fn with_source(
        kind: FetchErrorKind,
        source: impl core::error::Error + Send + Sync + 'static,
    ) -> Self {
        FetchError { kind, source: Some(Arc::new(source)), retry_after: None }
    }

    /// What went wrong.
    pub fn kind(&self) -> FetchErrorKind {
        self.kind
    }
}

impl From<FetchErrorKind> for FetchError {
    fn from(kind: FetchErrorKind) -> Self {
        FetchError::new(kind)
    }
}

impl From<PayloadError> for FetchError {
    fn from(error: PayloadError) -> Self {
        FetchError::with_source(FetchErrorKind::Payload(error), error)
    }
}

/// Keeps only sources whose text has no address: ureq's own texts may have one.
impl From<ureq::Error> for FetchError {
    fn from(error: ureq::Error) -> Self {
        use ureq::Error as Ureq;
        let kind = match &error {
            Ureq::HostNotFound => FetchErrorKind::Dns,
            Ureq::Timeout(_) => FetchErrorKind::Timeout,
            Ureq::Tls(_) | Ureq::TlsRequired | Ureq::Rustls(_) | Ureq::Pem(_) => {
                FetchErrorKind::Tls
            }
            Ureq::ConnectProxyFailed(_) | Ureq::InvalidProxyUrl => FetchErrorKind::Proxy,
            Ureq::ConnectionFailed => FetchErrorKind::Connect,
            Ureq::BodyExceedsLimit(limit) => FetchErrorKind::TooLarge { limit: *limit },
            Ureq::Decompress(..) => FetchErrorKind::Decompress,
            Ureq::TooManyRedirects | Ureq::RedirectFailed => FetchErrorKind::Redirect,
            Ureq::Io(error) => return FetchError::from_io(error),
            _ => FetchErrorKind::Protocol,
        };
        match error {
            Ureq::Rustls(error) => FetchError::with_source(kind, error),
            _ => FetchError::new(kind),
        }
    }
}

impl FetchError {
    fn from_io(error: &io::Error) -> Self {
        let cause = error.get_ref().map(ToString::to_string);
        let kind = match error.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable => FetchErrorKind::Connect,
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => FetchErrorKind::Timeout,
            // How rustls reports data that it does not accept.
            io::ErrorKind::InvalidData if cause.is_some() => FetchErrorKind::Tls,
            _ => FetchErrorKind::Interrupted,
        };
        let text = cause.unwrap_or_else(|| error.kind().to_string());
        FetchError::with_source(kind, io::Error::new(error.kind(), text))
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl fmt::Display for FetchErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            FetchErrorKind::Dns => "the host's name has no address",
            FetchErrorKind::Connect => "no connection to the server",
            FetchErrorKind::Proxy => "the proxy refused the connection",
            FetchErrorKind::Tls => "no secure connection to the server (TLS)",
            FetchErrorKind::Timeout => "the server took too long",
            FetchErrorKind::Interrupted => "the connection broke",
            FetchErrorKind::Protocol => "the server does not speak HTTP",
            FetchErrorKind::Redirect => "the server redirected to an address that cannot be used",
            FetchErrorKind::Status { code: code @ (401 | 403 | 404), .. } => {
                return write!(
                    formatter,
                    "the server answered with status {code}: check the client key and the host",
                );
            }
            FetchErrorKind::Status { code, .. } => {
                return write!(formatter, "the server answered with status {code}");
            }
            FetchErrorKind::NotAStream => "the server did not answer with a stream of events",
            FetchErrorKind::BriefStream => "the server ended the stream at once",
            FetchErrorKind::Decompress => "the reply cannot be decompressed",
            FetchErrorKind::TooLarge { limit } => {
                return write!(formatter, "the reply is larger than max_body_bytes, {limit} bytes");
            }
            FetchErrorKind::NothingToConfirm => {
                "the server replied that nothing has changed, but there is no payload"
            }
            FetchErrorKind::Payload(error) => return error.fmt(formatter),
            FetchErrorKind::Panicked => "refreshing panicked",
            FetchErrorKind::Closed => "the client was closed",
            FetchErrorKind::NoServer => "the client was built without a server",
        })
    }
}

impl fmt::Debug for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = formatter.debug_tuple("FetchError");
        tuple.field(&self.kind);
        if let Some(source) = &self.source {
            tuple.field(source);
        }
        tuple.finish()
    }
}

impl core::error::Error for FetchError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.source.as_deref().map(|error| error as _)
    }
}
