//! The endpoint of remote evaluation: it receives a user, and sends a payload for this user alone.

use std::sync::Arc;

use growthbook_core::PayloadError;
use growthbook_net::Interrupt;

use super::client::{Client, Purpose, check_status, read_body};
use super::{Limits, Settings};
use crate::error::FetchError;

/// A connection to the endpoint of remote evaluation.
pub(crate) struct EvalClient {
    client: Client,
    limits: Limits,
}

/// The server's reply.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The payload for the user.
    pub(crate) document: String,
    /// Whether the server offers to stream notices of changes.
    pub(crate) streaming: bool,
}

impl EvalClient {
    /// Returns a client without a connection. The interrupt ends its waits.
    pub(crate) fn new(settings: &Settings, interrupt: Arc<Interrupt>) -> Self {
        let headers = &settings.id.api_headers;
        let client = Client::new(settings, &settings.eval, headers, Purpose::Document);
        EvalClient { client: client.interrupted_by(interrupt), limits: settings.limits }
    }

    /// Posts a request and returns the reply. Two threads must not call it at the same time.
    pub(crate) fn ask(&self, body: &str) -> Result<Answered, FetchError> {
        let address = self.client.address();
        self.post(body).map_err(|error| error.at(address, address))
    }

    fn post(&self, body: &str) -> Result<Answered, FetchError> {
        let headers = [("accept", "application/json"), ("content-type", "application/json")];
        let limits = &self.limits;
        let response = self.client.post(body.as_bytes(), &headers, limits, limits.total_timeout)?;
        check_status(&response)?;
        let offered = response.headers().get("x-sse-support");
        let streaming = offered.is_some_and(|it| it.as_bytes() == b"enabled");
        let body = read_body(response, limits.max_body_bytes)?;
        let document =
            String::from_utf8(body).map_err(|_| FetchError::from(PayloadError::NotUtf8))?;
        Ok(Answered { document, streaming })
    }
}
