//! Why a payload could not be fetched.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use growthbook_core::PayloadError;
use growthbook_core::remote_eval::RemoteEvalError;
use growthbook_net::ConnectError;
use url::Url;

use crate::schedule::Prospect;

/// Why a payload could not be fetched, or cannot be used. The payload in use stays.
///
/// Its text has scheme, host and port of the server, the cause, and what to do. It has neither the
/// client key nor any text of the server.
#[derive(Clone)]
pub struct FetchError {
    kind: FetchErrorKind,
    /// Scheme, host and port of the server that was asked.
    origin: Option<Arc<str>>,
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
    /// The proxy cannot be reached, takes too long, or refuses.
    Proxy,
    /// The server's certificate is not trusted: it is expired, is for another host, or an unknown
    /// authority signed it.
    Certificate,
    /// TLS failed for another reason: the server does not speak it, for example.
    Tls,
    /// The system has no file descriptor, thread or memory left for a connection.
    System,
    /// The function for headers panicked, or returned a header that cannot be sent:
    /// [`FetchOptions::api_headers_from`](crate::FetchOptions::api_headers_from).
    Headers,
    /// A time limit was reached.
    Timeout,
    /// The connection broke, or another I/O error occurred.
    Interrupted,
    /// The reply is not HTTP.
    Protocol,
    /// A redirect has no usable address, goes from `https` to `http`, or is one too many.
    Redirect,
    /// The server answered with an error, or with another status than 200.
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
    /// A user's request for remote evaluation exceeds a limit of the servers, and was not sent.
    Request(RemoteEvalError),
    /// Too many users wait for their answers already.
    Busy,
    /// A client's sink or this crate panicked.
    Panicked,
    /// The client is paused.
    Paused,
    /// The client is closed.
    Closed,
    /// The client is an embedded one, without a server.
    NoServer,
}

impl FetchErrorKind {
    /// Whether asking again soon is pointless, because the server says so: with status 401 or 403,
    /// or with `x-unrecoverable`. It is asked again all the same, but slowly.
    ///
    /// Status 404 alone is not a refusal: the GrowthBook Proxy answers 404 while it starts.
    pub fn is_refusal(self) -> bool {
        self.prospect() == Prospect::Refused
    }

    /// Returns a short name for labels of metrics and fields of traces, such as `timeout`.
    pub fn name(self) -> &'static str {
        match self {
            FetchErrorKind::Dns => "dns",
            FetchErrorKind::Connect => "connect",
            FetchErrorKind::Proxy => "proxy",
            FetchErrorKind::Certificate => "certificate",
            FetchErrorKind::Tls => "tls",
            FetchErrorKind::System => "system",
            FetchErrorKind::Headers => "headers",
            FetchErrorKind::Timeout => "timeout",
            FetchErrorKind::Interrupted => "interrupted",
            FetchErrorKind::Protocol => "protocol",
            FetchErrorKind::Redirect => "redirect",
            FetchErrorKind::Status { .. } => "status",
            FetchErrorKind::NotAStream => "not_a_stream",
            FetchErrorKind::BriefStream => "brief_stream",
            FetchErrorKind::Decompress => "decompress",
            FetchErrorKind::TooLarge { .. } => "too_large",
            FetchErrorKind::NothingToConfirm => "nothing_to_confirm",
            FetchErrorKind::Payload(_) => "payload",
            FetchErrorKind::Request(_) => "request",
            FetchErrorKind::Busy => "busy",
            FetchErrorKind::Panicked => "panicked",
            FetchErrorKind::Paused => "paused",
            FetchErrorKind::Closed => "closed",
            FetchErrorKind::NoServer => "no_server",
        }
    }

    /// Whether the failure may pass soon.
    pub(crate) fn prospect(self) -> Prospect {
        match self {
            FetchErrorKind::Status { code: 401 | 403, .. }
            | FetchErrorKind::Status { unrecoverable: true, .. } => Prospect::Refused,
            FetchErrorKind::Status { code: 408 | 429, .. } => Prospect::Good,
            FetchErrorKind::Status { code: 400..=499, .. } => Prospect::Doubtful,
            _ => Prospect::Good,
        }
    }
}

impl FetchError {
    pub(crate) fn new(kind: FetchErrorKind) -> Self {
        FetchError { kind, origin: None, source: None, retry_after: None }
    }

    pub(crate) fn with_source(
        kind: FetchErrorKind,
        source: impl core::error::Error + Send + Sync + 'static,
    ) -> Self {
        FetchError { kind, origin: None, source: Some(Arc::new(source)), retry_after: None }
    }

    /// Adds the address that was asked, unless it is known already. The first address is that of the
    /// options, and the second one differs after a redirect.
    pub(crate) fn at(mut self, first: &Url, asked: &Url) -> Self {
        if self.origin.is_none() {
            self.origin = Some(if first.origin() == asked.origin() {
                origin(first).into()
            } else {
                format!("{} (redirected from {})", origin(asked), origin(first)).into()
            });
        }
        self
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

impl From<RemoteEvalError> for FetchError {
    fn from(error: RemoteEvalError) -> Self {
        FetchError::with_source(FetchErrorKind::Request(error), error)
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
            Ureq::Rustls(error) => error.into(),
            Ureq::Other(error) => match error.downcast::<ConnectError>() {
                Ok(error) => (*error).into(),
                Err(_) => FetchError::new(kind),
            },
            _ => FetchError::new(kind),
        }
    }
}

impl From<rustls::Error> for FetchError {
    fn from(error: rustls::Error) -> Self {
        let kind = match &error {
            rustls::Error::InvalidCertificate(_) => FetchErrorKind::Certificate,
            _ => FetchErrorKind::Tls,
        };
        FetchError::with_source(kind, error)
    }
}

impl From<ConnectError> for FetchError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Dns(error) => FetchError::with_source(FetchErrorKind::Dns, error),
            ConnectError::System(error) => FetchError::with_source(FetchErrorKind::System, error),
            ConnectError::Proxy { .. } | ConnectError::UnusableProxy => {
                FetchError::with_source(FetchErrorKind::Proxy, error)
            }
        }
    }
}

impl FetchError {
    fn from_io(error: &io::Error) -> Self {
        let inner = error.get_ref();
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            // How rustls reports data that it does not accept.
            return error.clone().into();
        }
        let cause = inner.map(ToString::to_string);
        let kind = match error.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable => FetchErrorKind::Connect,
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => FetchErrorKind::Timeout,
            _ => FetchErrorKind::Interrupted,
        };
        let text = match error.raw_os_error() {
            // The kind alone often says nothing: "uncategorized error".
            Some(_) => error.to_string(),
            None => cause.unwrap_or_else(|| error.kind().to_string()),
        };
        FetchError::with_source(kind, io::Error::new(error.kind(), text))
    }
}

/// Returns scheme, host and port, without a user and a path.
fn origin(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    let port = address.port_or_known_default().unwrap_or_default();
    format!("{}://{host}:{port}", address.scheme())
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(formatter, "{origin}: ")?;
        }
        match (self.kind, &self.source) {
            // Their own texts say what to do.
            (FetchErrorKind::Payload(error), _) => return error.fmt(formatter),
            (FetchErrorKind::Request(error), _) => return error.fmt(formatter),
            (kind, Some(source)) => write!(formatter, "{} ({source})", Problem(kind))?,
            (kind, None) => Problem(kind).fmt(formatter)?,
        }
        write!(formatter, ": {}", self.kind.advice())
    }
}

impl fmt::Display for FetchErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchErrorKind::Payload(error) => error.fmt(formatter),
            FetchErrorKind::Request(error) => error.fmt(formatter),
            kind => write!(formatter, "{}: {}", Problem(*kind), kind.advice()),
        }
    }
}

/// What went wrong, without what to do.
struct Problem(FetchErrorKind);

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            FetchErrorKind::Dns => "the host's name has no address",
            FetchErrorKind::Connect => "no connection to the server",
            FetchErrorKind::Proxy => "no connection through the proxy",
            FetchErrorKind::Certificate => "the server's certificate is not trusted",
            FetchErrorKind::Headers => {
                "the function for headers panicked, or returned a header that cannot be sent"
            }
            FetchErrorKind::System => {
                "the system has no file descriptor, thread or memory left for a connection"
            }
            FetchErrorKind::Tls => "no secure connection to the server (TLS)",
            FetchErrorKind::Timeout => "the server took too long",
            FetchErrorKind::Interrupted => "the connection broke",
            FetchErrorKind::Protocol => "the server does not speak HTTP",
            FetchErrorKind::Redirect => "the server redirected to an address that cannot be used",
            FetchErrorKind::Status { code, .. } => {
                return write!(formatter, "the server answered with status {code}");
            }
            FetchErrorKind::NotAStream => "the server did not answer with a stream of events",
            FetchErrorKind::BriefStream => "the server ended the stream at once",
            FetchErrorKind::Decompress => "the reply cannot be decompressed",
            FetchErrorKind::TooLarge { limit } => {
                return write!(formatter, "the reply is larger than {limit} bytes");
            }
            FetchErrorKind::NothingToConfirm => {
                "the server replied that nothing has changed, but there is no payload"
            }
            FetchErrorKind::Payload(error) => return error.fmt(formatter),
            FetchErrorKind::Request(error) => return error.fmt(formatter),
            FetchErrorKind::Busy => "too many users wait for their answers",
            FetchErrorKind::Panicked => "refreshing panicked",
            FetchErrorKind::Paused => "the client is paused",
            FetchErrorKind::Closed => "the client was closed",
            FetchErrorKind::NoServer => "the client was built without a server",
        })
    }
}

impl FetchErrorKind {
    /// Returns what to do.
    fn advice(self) -> &'static str {
        match self {
            FetchErrorKind::Dns => "check api_host and the DNS, and whether a proxy is needed",
            FetchErrorKind::Connect => "check that it runs, and that no firewall is in the way",
            FetchErrorKind::Proxy => {
                "check its address, user and password, and that it allows CONNECT to this port"
            }
            FetchErrorKind::Certificate => {
                "if an authority of your own signed it, add that with root_certificates"
            }
            FetchErrorKind::System => "raise the limits of the process",
            FetchErrorKind::Headers => "check the function",
            FetchErrorKind::Tls => "check the port, and whether api_host must begin with http://",
            FetchErrorKind::Timeout => "check the network, or raise the timeouts of fetch_options",
            FetchErrorKind::Interrupted => "if it happens again, check the network and the server",
            FetchErrorKind::Protocol => "check the port of api_host",
            FetchErrorKind::Redirect => "set api_host to the final address",
            FetchErrorKind::Status { code: 400, .. } => {
                "is the client key right? Take it from the SDK connection, such as sdk-abc123"
            }
            FetchErrorKind::Status { code: 200..=299, .. } => "only 200 is a whole reply",
            FetchErrorKind::Status { .. } => match self.prospect() {
                Prospect::Refused => "check the client key and the host",
                Prospect::Doubtful => {
                    "check the client key and the host, unless the server is just starting"
                }
                Prospect::Good => "it may pass; otherwise check the server",
            },
            FetchErrorKind::NotAStream => {
                "check streaming_host, and that proxies pass on text/event-stream"
            }
            FetchErrorKind::BriefStream => "check that proxies do not cut or buffer streams",
            FetchErrorKind::Decompress => "check the proxies on the way",
            FetchErrorKind::TooLarge { .. } => {
                "raise max_body_bytes, or limit the SDK connection to fewer projects"
            }
            FetchErrorKind::NothingToConfirm => "check the caches on the way",
            FetchErrorKind::Payload(_) => "check the payload",
            FetchErrorKind::Request(_) => "send less",
            FetchErrorKind::Busy => "check whether the server is slow, or raise max_requests",
            FetchErrorKind::Panicked => "see the message of the panic on standard error",
            FetchErrorKind::Paused => "call resume first",
            FetchErrorKind::Closed => "start another client",
            FetchErrorKind::NoServer => "use Client::builder, or give it payloads with set_payload",
        }
    }
}

impl fmt::Debug for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = formatter.debug_tuple("FetchError");
        tuple.field(&self.kind);
        if let Some(origin) = &self.origin {
            tuple.field(origin);
        }
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

#[cfg(test)]
mod tests {
    use core::error::Error;

    use super::*;

    fn kind_and_cause(error: impl Into<FetchError>) -> (FetchErrorKind, String) {
        let error = error.into();
        (error.kind(), error.source().map(ToString::to_string).unwrap_or_default())
    }

    #[test]
    fn origin_has_a_port_and_no_user() {
        let cases = [
            ("https://cdn.growthbook.io/api/features/sdk-1", "https://cdn.growthbook.io:443"),
            ("http://user:password@host/path?query", "http://host:80"),
            ("http://[::1]:3100/", "http://[::1]:3100"),
        ];
        for (address, expected) in cases {
            assert_eq!(origin(&Url::parse(address).unwrap()), expected);
        }
    }

    #[test]
    #[cfg(unix)]
    fn lack_of_descriptors_is_named() {
        let no_descriptor = io::Error::from_raw_os_error(24);
        let (kind, cause) = kind_and_cause(ConnectError::of_system(no_descriptor));
        assert_eq!(kind, FetchErrorKind::System);
        assert!(cause.starts_with("Too many open files"), "{cause}");
        // How a failed thread is reported, which is not a timeout.
        let no_thread = io::Error::from_raw_os_error(11);
        let (kind, cause) = kind_and_cause(ureq::Error::from(ConnectError::System(no_thread)));
        assert_eq!(kind, FetchErrorKind::System);
        assert!(cause.contains("os error"), "{cause}");
    }

    #[test]
    fn lack_of_trust_is_named() {
        let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let io = io::Error::new(io::ErrorKind::InvalidData, untrusted.clone());
        for error in [ureq::Error::Io(io), ureq::Error::Rustls(untrusted)] {
            let (kind, cause) = kind_and_cause(error);
            assert_eq!(kind, FetchErrorKind::Certificate);
            assert!(cause.contains("UnknownIssuer"), "{cause}");
        }
    }

    #[test]
    fn cause_of_the_system_is_kept() {
        let reset = ureq::Error::Io(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(kind_and_cause(reset), (FetchErrorKind::Interrupted, "connection reset".into()));
        let from_system = ureq::Error::Io(io::Error::from_raw_os_error(5));
        let (kind, cause) = kind_and_cause(from_system);
        assert_eq!(kind, FetchErrorKind::Interrupted);
        assert!(cause.contains("os error 5"), "{cause}");
        assert_eq!(kind_and_cause(ureq::Error::HostNotFound).0, FetchErrorKind::Dns);
    }
}
