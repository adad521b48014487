//! The requests, with their limits and retries.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use growthbook_net::{ConnectionOptions, Wire, parse_retry_after};
use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};
use url::Url;

use super::{ApiError, MAX_PAGE_BYTES};

/// The name that this program sends to the server.
const USER_AGENT: &str = concat!("growthbook-rust-codegen/", env!("CARGO_PKG_VERSION"));

/// How often a request is repeated that the server cannot answer now.
const MAX_RETRIES: usize = 4;

/// The wait before the first retry, unless the server sets it. It doubles each time.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// How long a connection, and each read, may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);

/// The most that is read of a reply that is an error, in bytes, and shown of its message, in
/// characters.
const MAX_ERROR_BYTES: u64 = 64 * 1024;
const MAX_MESSAGE: usize = 200;

/// Requests that end at one time together.
pub(super) struct Requests {
    agent: Agent,
    wire: Wire,
    authorization: String,
    end: Instant,
}

impl Requests {
    pub(super) fn new(
        token: &str,
        timeout: Duration,
        options: &ConnectionOptions,
    ) -> Result<Self, ApiError> {
        /// As good as forever, but clocks can express it.
        const LONGEST: Duration = Duration::from_secs(24 * 3600);
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiError::Token);
        }
        let connection = options.check()?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would send the token to another host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            // The connectors of `growthbook-net` use proxies, without ureq.
            .proxy(None)
            .tls_config(connection.tls)
            .max_idle_connections(1)
            .timeout_connect(Some(STEP_TIMEOUT))
            .timeout_per_read(Some(STEP_TIMEOUT))
            .build();
        let wire = Wire::new(connection.proxies);
        Ok(Requests {
            agent: wire.agent(config),
            wire,
            authorization: format!("Bearer {token}"),
            end: Instant::now() + timeout.min(LONGEST),
        })
    }

    /// Returns the body of a reply with status 200.
    pub(super) fn get(&self, address: &Url) -> Result<Vec<u8>, ApiError> {
        let mut backoff = FIRST_BACKOFF;
        for _ in 0..MAX_RETRIES {
            let reply = self.send(address)?;
            if !matches!(reply.status().as_u16(), 429 | 502 | 503 | 504) {
                return accept(reply);
            }
            let wait = retry_after(&reply).unwrap_or(backoff);
            if wait >= self.left() {
                return accept(reply);
            }
            drop(reply);
            thread::sleep(wait);
            backoff *= 2;
        }
        accept(self.send(address)?)
    }

    fn send(&self, address: &Url) -> Result<Response<Body>, ApiError> {
        let left = self.left();
        if left.is_zero() {
            return Err(ApiError::Timeout);
        }
        self.wire.deadline.set(Some(left));
        let before = self.wire.connections.get();
        let mut result = self.send_once(address);
        if matches!(result, Err(ureq::Error::Io(_))) && self.wire.connections.get() == before {
            // The server has closed a connection that was kept from an earlier request.
            result = self.send_once(address);
        }
        Ok(result?)
    }

    fn send_once(&self, address: &Url) -> Result<Response<Body>, ureq::Error> {
        let header = [("authorization", self.authorization.as_str())];
        let visible = self.wire.hide(address, header.into_iter());
        self.agent.get(visible.as_str()).header("accept", "application/json").call()
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

/// Returns the body of a reply, unless it is an error.
fn accept(reply: Response<Body>) -> Result<Vec<u8>, ApiError> {
    let retry_after = retry_after(&reply);
    match reply.status().as_u16() {
        200 => read(reply, MAX_PAGE_BYTES),
        404 => Err(ApiError::NotFound),
        429 => Err(ApiError::RateLimited { retry_after }),
        status @ (401 | 403) => Err(ApiError::Refused { status, message: message(reply) }),
        status => Err(ApiError::Status { status, message: message(reply) }),
    }
}

fn retry_after(reply: &Response<Body>) -> Option<Duration> {
    let header = reply.headers().get("retry-after")?.to_str().ok()?;
    parse_retry_after(header, SystemTime::now())
}

/// Returns what an error reply says, on one line.
fn message(reply: Response<Body>) -> String {
    let body = read(reply, MAX_ERROR_BYTES).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = body.get("message").or_else(|| body.get("error")).and_then(Value::as_str);
    let shown = message.unwrap_or_default().chars().take(MAX_MESSAGE);
    shown.collect::<String>().escape_debug().to_string()
}

fn read(reply: Response<Body>, limit: u64) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let mut reader = reply.into_body().into_with_config().limit(limit).reader();
    reader.read_to_end(&mut bytes).map_err(ureq::Error::from)?;
    Ok(bytes)
}

impl From<ureq::Error> for ApiError {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => ApiError::Timeout,
            ureq::Error::BodyExceedsLimit(_) => ApiError::TooLarge,
            // The text of the reason is enough. ureq's own begins with its name.
            ureq::Error::Io(error) => ApiError::Connection(error.into()),
            ureq::Error::Other(error) => ApiError::Connection(error),
            error => ApiError::Connection(error.into()),
        }
    }
}
