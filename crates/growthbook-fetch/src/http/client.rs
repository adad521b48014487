//! A GET request, with redirects and a retry on a closed connection.

use std::io::Read;
use std::time::Duration;

use ureq::http::Response;
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};
use url::Url;

use super::redirect::{MAX_REDIRECTS, follow, is_redirect};
use super::{Settings, retry_after};
use crate::error::{FetchError, FetchErrorKind};
use crate::net::{PLACEHOLDER, Wire};

/// The name that this SDK sends to the server.
const USER_AGENT: &str = concat!("growthbook-rust-sdk/", env!("CARGO_PKG_VERSION"));

/// The sizes of a connection's buffers, in bytes. ureq's own are eight and sixteen times as large,
/// and each client key has two connections. A head of a reply must fit into the input.
const INPUT_BUFFER: usize = 16 * 1024;
const OUTPUT_BUFFER: usize = 8 * 1024;

/// Sends GET requests to one address.
pub(super) struct Client {
    agent: Agent,
    wire: Wire,
    address: Url,
    /// Sent to the address's own host only.
    headers: Vec<(String, String)>,
}

/// The kind of reply that a client expects.
pub(super) enum Purpose {
    /// A document: compressed, and limited in time.
    Document,
    /// A stream of events that never ends.
    Stream,
}

impl Client {
    pub(super) fn new(
        settings: &Settings,
        address: &Url,
        headers: &[(String, String)],
        purpose: Purpose,
    ) -> Self {
        let tls = TlsConfig::builder().root_certs(settings.root_certificates.clone()).build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            .proxy(settings.proxy.clone())
            .tls_config(tls)
            .max_idle_connections(1)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .timeout_resolve(Some(settings.connect_timeout))
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_per_write(Some(settings.read_timeout));
        let config = match purpose {
            Purpose::Document => config
                .timeout_per_read(Some(settings.read_timeout))
                .timeout_global(Some(settings.total_timeout)),
            Purpose::Stream => {
                config.timeout_recv_response(Some(settings.read_timeout)).accept_encoding("")
            }
        };
        let wire = Wire::default();
        Client {
            agent: wire.agent(config.build()),
            wire,
            address: address.clone(),
            headers: headers.to_vec(),
        }
    }

    /// Ends the current request, refuses later ones, and closes all connections.
    pub(super) fn shut_down(&self) {
        self.wire.interrupt.stop();
        // The method consumes the agent. Clones share their connections.
        self.agent.clone().shutdown();
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Sends a GET request with these headers besides its own, and follows redirects.
    ///
    /// # Errors
    ///
    /// When there is no reply. A reply with an error status is not an error here.
    pub(super) fn get(&self, headers: &[(&str, &str)]) -> Result<Response<Body>, FetchError> {
        let mut address = self.address.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.get_once(&address, headers)?;
            if !is_redirect(response.status().as_u16()) {
                return Ok(response);
            }
            let location = response.headers().get("location").and_then(|it| it.to_str().ok());
            address = follow(&address, location)?;
        }
        Err(FetchError::new(FetchErrorKind::Redirect))
    }

    fn get_once(
        &self,
        address: &Url,
        headers: &[(&str, &str)],
    ) -> Result<Response<Body>, FetchError> {
        let before = self.wire.connections.get();
        let outcome = self.send(address, headers);
        match outcome {
            Err(ureq::Error::Io(_)) if self.wire.connections.get() == before => {
                // The server has closed a connection that was kept from an earlier request.
                Ok(self.send(address, headers)?)
            }
            outcome => Ok(outcome?),
        }
    }

    fn send(&self, address: &Url, headers: &[(&str, &str)]) -> Result<Response<Body>, ureq::Error> {
        let is_own_host = address.origin() == self.address.origin();
        let own = self.headers.iter().filter(|_| is_own_host);
        let path = address.query().map_or_else(
            || address.path().to_owned(),
            |query| format!("{}?{query}", address.path()),
        );
        self.wire.head.set(&path, own.map(|(name, value)| (name.as_str(), value.as_str())));

        let mut visible = address.clone();
        visible.set_path(PLACEHOLDER);
        visible.set_query(None);
        visible.set_fragment(None);
        let mut request = self.agent.get(visible.as_str());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call()
    }

    /// Sets how long from now anything may wait.
    pub(super) fn limit(&self, total: Option<Duration>) {
        self.wire.deadline.set(total);
    }
}

/// Returns an error if the reply has an error status.
pub(super) fn check_status(response: &Response<Body>) -> Result<(), FetchError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let unrecoverable = header("x-unrecoverable") == Some("1");
    let mut error =
        FetchError::new(FetchErrorKind::Status { code: status.as_u16(), unrecoverable });
    error.retry_after = header("retry-after")
        .and_then(|value| retry_after::parse(value, std::time::SystemTime::now()));
    Err(error)
}

/// Reads the whole body.
///
/// # Errors
///
/// When it is larger than the limit, or the connection breaks.
pub(super) fn read_body(response: Response<Body>, limit: u64) -> Result<Vec<u8>, FetchError> {
    /// The most memory that is reserved on the server's word: the body may be smaller.
    const TRUSTED: usize = 1024 * 1024;
    let hint = response.body().content_length().and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::with_capacity(hint.unwrap_or_default().min(TRUSTED));
    let mut reader = response.into_body().into_with_config().limit(limit).reader();
    reader.read_to_end(&mut bytes).map_err(ureq::Error::from)?;
    Ok(bytes)
}
