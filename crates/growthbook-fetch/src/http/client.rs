//! One request, with redirects and a retry on a closed connection.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use growthbook_net::{Interrupt, Wire, parse_retry_after};
use ureq::config::Config;
use ureq::http::{Response, StatusCode};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body, RequestBuilder};
use url::Url;

use super::redirect::{MAX_REDIRECTS, follow, is_redirect, keeps_method};
use super::{Limits, Settings};
use crate::error::{FetchError, FetchErrorKind};
use crate::headers::Headers;

/// The name that this SDK sends to the server.
const USER_AGENT: &str = concat!("growthbook-rust-sdk/", env!("CARGO_PKG_VERSION"));

/// The sizes of a connection's buffers, in bytes. ureq's own are eight and sixteen times as large,
/// and each client key has two connections. A head of a reply must fit into the input.
const INPUT_BUFFER: usize = 16 * 1024;
const OUTPUT_BUFFER: usize = 8 * 1024;

/// Sends requests to one address, one at a time.
pub(super) struct Client {
    /// The agent of the last request, and its limits.
    agent: Mutex<Option<(Limits, Agent)>>,
    wire: Wire,
    address: Url,
    /// Sent to the address's own host only.
    headers: Headers,
    tls: TlsConfig,
    purpose: Purpose,
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
        headers: &Headers,
        purpose: Purpose,
    ) -> Self {
        Client {
            agent: Mutex::new(None),
            wire: Wire::new(settings.id.proxies.clone()),
            address: address.clone(),
            headers: headers.clone(),
            tls: settings.tls.clone(),
            purpose,
        }
    }

    /// Lets this end the client's waits, together with those of other clients.
    pub(super) fn interrupted_by(mut self, interrupt: Arc<Interrupt>) -> Self {
        self.wire.interrupt = interrupt;
        self
    }

    /// Ends the current request, refuses later ones, and closes all connections.
    pub(super) fn shut_down(&self) {
        self.wire.interrupt.stop();
        drop(self.lock().take());
    }

    /// Closes the connection that is kept for the next request. Call it only between requests.
    pub(super) fn close_idle(&self) {
        self.wire.interrupt.interrupt();
    }

    /// Returns the agent for these limits. An agent's limits cannot be changed.
    fn agent(&self, limits: &Limits) -> Agent {
        let mut kept = self.lock();
        match &*kept {
            Some((its, agent)) if its == limits => agent.clone(),
            _ => {
                let agent = self.wire.agent(self.config(limits));
                *kept = Some((*limits, agent.clone()));
                agent
            }
        }
    }

    fn config(&self, limits: &Limits) -> Config {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            // The connectors of `growthbook-net` use proxies, without ureq.
            .proxy(None)
            .tls_config(self.tls.clone())
            .max_idle_connections(1)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .timeout_resolve(Some(limits.connect_timeout))
            .timeout_connect(Some(limits.connect_timeout))
            .timeout_per_write(Some(limits.read_timeout));
        let config = match self.purpose {
            Purpose::Document => config
                .timeout_per_read(Some(limits.read_timeout))
                .timeout_global(Some(limits.total_timeout)),
            Purpose::Stream => {
                config.timeout_recv_response(Some(limits.read_timeout)).accept_encoding("")
            }
        };
        config.build()
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Limits, Agent)>> {
        self.agent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn address(&self) -> &Url {
        &self.address
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Sends a GET request with these headers besides those of the application, and follows redirects. `within` limits
    /// everything that it waits for.
    ///
    /// # Errors
    ///
    /// When there is no reply. A reply with an error status is not an error here.
    pub(super) fn get(
        &self,
        headers: &[(&str, &str)],
        limits: &Limits,
        within: Duration,
    ) -> Result<Response<Body>, FetchError> {
        self.request(None, headers, limits, within)
    }

    /// Sends a POST request with this body. Like [`get`](Self::get), but follows only the redirects
    /// that keep the method. The request must be one that can be repeated.
    ///
    /// # Errors
    ///
    /// When there is no reply.
    pub(super) fn post(
        &self,
        body: &[u8],
        headers: &[(&str, &str)],
        limits: &Limits,
        within: Duration,
    ) -> Result<Response<Body>, FetchError> {
        self.request(Some(body), headers, limits, within)
    }

    /// Sends a GET request, or a POST request if there is a body.
    fn request(
        &self,
        body: Option<&[u8]>,
        headers: &[(&str, &str)],
        limits: &Limits,
        within: Duration,
    ) -> Result<Response<Body>, FetchError> {
        self.wire.deadline.set(Some(within));
        let agent = self.agent(limits);
        // A panic, for example of a logger, may poison a lock of the agent.
        let _discard = DiscardAgentOnPanic(self);
        let own = self.headers.now()?;
        let mut address = self.address.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self
                .request_once(&agent, &address, body, &own, headers)
                .map_err(|error| error.at(&self.address, &address))?;
            let status = response.status().as_u16();
            if !is_redirect(status) {
                return Ok(response);
            }
            if body.is_some() && !keeps_method(status) {
                break;
            }
            let location = response.headers().get("location").and_then(|it| it.to_str().ok());
            address = follow(&address, location)?;
        }
        Err(FetchError::new(FetchErrorKind::Redirect))
    }

    fn request_once(
        &self,
        agent: &Agent,
        address: &Url,
        body: Option<&[u8]>,
        own: &[(String, String)],
        headers: &[(&str, &str)],
    ) -> Result<Response<Body>, FetchError> {
        let before = self.wire.connections.get();
        let outcome = self.send(agent, address, body, own, headers);
        match outcome {
            Err(ureq::Error::Io(_)) if self.wire.connections.get() == before => {
                // The server has closed a connection that was kept from an earlier request.
                Ok(self.send(agent, address, body, own, headers)?)
            }
            outcome => Ok(outcome?),
        }
    }

    fn send(
        &self,
        agent: &Agent,
        address: &Url,
        body: Option<&[u8]>,
        own: &[(String, String)],
        headers: &[(&str, &str)],
    ) -> Result<Response<Body>, ureq::Error> {
        let is_own_host = address.origin() == self.address.origin();
        let own = own.iter().filter(|_| is_own_host);
        let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
        let visible = self.wire.hide(address, own);
        match body {
            // ureq logs no body whose length it knows.
            Some(body) => with_headers(agent.post(visible.as_str()), headers).send(body),
            None => with_headers(agent.get(visible.as_str()), headers).call(),
        }
    }
}

fn with_headers<B>(request: RequestBuilder<B>, headers: &[(&str, &str)]) -> RequestBuilder<B> {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// Discards the agent when dropped by a panic.
struct DiscardAgentOnPanic<'a>(&'a Client);

impl Drop for DiscardAgentOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            drop(self.0.lock().take());
        }
    }
}

/// Returns an error unless the reply is the whole document, or a stream. A reply of another status
/// than 200 is not, even if the status is a success: 206, for example, has a part.
pub(super) fn check_status(response: &Response<Body>) -> Result<(), FetchError> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(());
    }
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let unrecoverable = header("x-unrecoverable") == Some("1");
    let mut error =
        FetchError::new(FetchErrorKind::Status { code: status.as_u16(), unrecoverable });
    error.retry_after = header("retry-after")
        .and_then(|value| parse_retry_after(value, std::time::SystemTime::now()));
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
