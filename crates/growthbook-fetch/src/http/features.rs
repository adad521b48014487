//! The features endpoint: it sends a payload, or that the payload has not changed.

use std::sync::Arc;
use std::time::Duration;

use growthbook_core::PayloadError;
use url::Url;

use super::client::{Client, Purpose, check_status, read_body};
use super::{Limits, Settings};
use crate::error::FetchError;

/// The client of the features endpoint.
pub(crate) struct FeaturesClient {
    client: Client,
}

/// The server's reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A payload.
    Payload {
        document: Arc<str>,
        etag: Option<Box<str>>,
        /// Whether the server offers to stream changes.
        streaming: bool,
    },
    /// The payload is still the one whose tag was sent.
    NotModified,
}

impl FeaturesClient {
    pub(crate) fn new(settings: &Settings) -> Self {
        let id = &settings.id;
        FeaturesClient {
            client: Client::new(settings, &id.features, &id.api_headers, Purpose::Document),
        }
    }

    /// Asks for the payload, unless it is still the one with this tag. Takes no longer than
    /// `within`. Two threads must not call it at the same time.
    pub(crate) fn fetch(
        &self,
        etag: Option<&str>,
        limits: &Limits,
        within: Duration,
    ) -> Result<Reply, FetchError> {
        let address = self.client.address();
        self.ask(etag, limits, within.min(limits.total_timeout))
            .map_err(|error| error.at(address, address))
    }

    fn ask(
        &self,
        etag: Option<&str>,
        limits: &Limits,
        within: Duration,
    ) -> Result<Reply, FetchError> {
        let accept = ("accept", "application/json");
        let response = match etag {
            Some(etag) => self.client.get(&[accept, ("if-none-match", etag)], limits, within)?,
            None => self.client.get(&[accept], limits, within)?,
        };
        if response.status().as_u16() == 304 {
            return Ok(Reply::NotModified);
        }
        check_status(&response)?;
        let header = |name: &str| response.headers().get(name).and_then(|it| it.to_str().ok());
        let etag = header("etag").map(Box::from);
        let streaming = header("x-sse-support") == Some("enabled");
        let body = read_body(response, limits.max_body_bytes)?;
        let text = String::from_utf8(body).map_err(|_| FetchError::from(PayloadError::NotUtf8))?;
        Ok(Reply::Payload { document: text.into(), etag, streaming })
    }

    /// Returns the address that is asked. Its path has the client key.
    pub(crate) fn address(&self) -> &Url {
        self.client.address()
    }

    /// Closes the connection that is kept for the next request. Call it only between requests.
    pub(crate) fn close_idle(&self) {
        self.client.close_idle();
    }

    /// Ends the current request, and closes all connections.
    pub(crate) fn shut_down(&self) {
        self.client.shut_down();
    }
}
