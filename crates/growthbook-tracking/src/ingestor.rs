//! Requests to the ingestor.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use growthbook_net::{
    CheckedConnection, ConnectError, ConnectionConfigError, Wire, parse_retry_after,
};
use ureq::Agent;
use ureq::http::Uri;
use url::Url;

use crate::options::TrackingOptions;
use crate::queue::Outcome;
use crate::status::RequestError;

/// The name that this SDK sends to the server.
const USER_AGENT: &str = concat!("growthbook-rust-sdk/", env!("CARGO_PKG_VERSION"));
/// As good as forever, but clocks can express it.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Where events are sent, checked. It has no connections.
#[derive(Clone)]
pub(crate) struct Target {
    host: Url,
    connection: CheckedConnection,
    timeout: Duration,
}

/// A connection to the ingestor for one client key.
pub(crate) struct Ingestor {
    target: Target,
    client_key: Box<str>,
    agent: Agent,
    wire: Wire,
}

/// The end of a request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<RequestError>,
}

impl Target {
    pub(crate) fn check(options: &TrackingOptions) -> Result<Self, TrackingConfigError> {
        let host = Url::parse(options.host.trim().trim_end_matches('/'));
        let mut host = host.map_err(|_| TrackingConfigError::Host)?;
        let is_address = matches!(host.scheme(), "http" | "https") && host.query().is_none();
        let has_user_info = !host.username().is_empty() || host.password().is_some();
        if !is_address || has_user_info {
            return Err(TrackingConfigError::Host);
        }
        let mut segments = host.path_segments_mut().map_err(|()| TrackingConfigError::Host)?;
        segments.pop_if_empty().push("track");
        drop(segments);
        let uri: Uri = host.as_str().parse().map_err(|_| TrackingConfigError::Host)?;
        let connection = options.connection.check()?;
        connection.check_address(&uri)?;
        if options.request_timeout.is_zero() {
            return Err(TrackingConfigError::ZeroTimeout);
        }
        Ok(Target { host, connection, timeout: options.request_timeout.min(LONGEST) })
    }
}

impl Ingestor {
    pub(crate) fn new(target: Target, client_key: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            // The connectors of `growthbook-net` use proxies, without ureq.
            .proxy(None)
            .tls_config(target.connection.tls.clone())
            .max_idle_connections(1)
            .timeout_global(Some(target.timeout))
            .build();
        let wire = Wire::new(target.connection.proxies.clone());
        Ingestor { agent: wire.agent(config), wire, target, client_key: client_key.into() }
    }

    /// Returns the same ingestor without connections, for the child of a fork.
    pub(crate) fn without_connections(&self) -> Self {
        Ingestor::new(self.target.clone(), &self.client_key)
    }

    /// Ends the current request, and refuses later ones.
    pub(crate) fn interrupt(&self) {
        self.wire.interrupt.stop();
    }

    /// Sends events: a JSON array.
    pub(crate) fn send(&self, body: &str) -> Reply {
        let before = self.wire.connections.get();
        let mut result = self.post(body);
        if matches!(result, Err(ureq::Error::Io(_))) && self.wire.connections.get() == before {
            // The server has closed a connection that was kept from an earlier request.
            result = self.post(body);
        }
        match result {
            Ok((status @ 200..=299, _)) if status != 206 => {
                Reply { outcome: Outcome::Accepted, error: None }
            }
            Ok((status, retry_after)) => Reply {
                outcome: match status {
                    413 => Outcome::TooLarge,
                    408 | 425 | 429 | 500.. => Outcome::Failed { retry_after },
                    _ => Outcome::Refused,
                },
                error: Some(RequestError::of_status(status)),
            },
            Err(error) => Reply::failed(describe(&error)),
        }
    }

    /// Returns the status of the reply, and how long the server asks not to be asked.
    fn post(&self, body: &str) -> Result<(u16, Option<Duration>), ureq::Error> {
        self.wire.deadline.set(Some(self.target.timeout));
        let mut address = self.target.host.clone();
        address.query_pairs_mut().append_pair("client_key", &self.client_key);
        let visible = self.wire.hide(&address, std::iter::empty());
        let response = self
            .agent
            .post(visible.as_str())
            .header("accept", "application/json")
            .header("content-type", "text/plain")
            .send(body)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after
            .and_then(|value| parse_retry_after(value.to_str().ok()?, SystemTime::now()));
        // Only a connection whose reply was read can be used again.
        let _ = response.into_body().into_with_config().limit(MAX_REPLY).read_to_vec();
        Ok((status, retry_after))
    }
}

/// The most bytes of a reply that are read. Nothing in it matters.
const MAX_REPLY: u64 = 64 * 1024;

impl Reply {
    /// A request without a reply.
    pub(crate) fn failed(cause: String) -> Self {
        Reply {
            outcome: Outcome::Failed { retry_after: None },
            error: Some(RequestError::of_connection(cause)),
        }
    }
}

/// Returns the cause without addresses, which have the client key.
fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "the host's name has no address".into(),
        ureq::Error::Timeout(_) => "it took too long".into(),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Rustls(error) => format!("no secure connection (TLS): {error}"),
        ureq::Error::Other(error) => error
            .downcast_ref::<ConnectError>()
            .map_or_else(|| "no connection".into(), ToString::to_string),
        _ => "it does not speak HTTP".into(),
    }
}

/// Why tracking cannot be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackingConfigError {
    /// The host is not an address, or it has a user or a query.
    Host,
    /// An option of connections is invalid.
    Connection(ConnectionConfigError),
    /// The time limit of a request is zero.
    ZeroTimeout,
}

impl From<ConnectionConfigError> for TrackingConfigError {
    fn from(error: ConnectionConfigError) -> Self {
        TrackingConfigError::Connection(error)
    }
}

impl fmt::Display for TrackingConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            TrackingConfigError::Host => {
                "the host is not an address: it must be like https://us-east-1.gb-ingest.com, without \
                 a user and a query"
            }
            TrackingConfigError::Connection(error) => return write!(formatter, "{error}"),
            TrackingConfigError::ZeroTimeout => {
                "request_timeout is zero: it must be longer, such as 10 s"
            }
        })
    }
}

impl Error for TrackingConfigError {}
