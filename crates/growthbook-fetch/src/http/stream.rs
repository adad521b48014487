//! The stream of changes.

use std::io::Read;
use std::time::Duration;

use growthbook_net::{Socket, Wire};
use ureq::{BodyReader, Timeout};
use url::Url;

use super::client::{Client, Purpose, check_status};
use super::{Limits, Settings};
use crate::error::{FetchError, FetchErrorKind};
use crate::sse::{EventParser, Parsed};

/// The client of the streaming endpoint.
pub(crate) struct StreamClient {
    client: Client,
}

/// An event of a stream, in GrowthBook's terms.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// A new payload.
    Payload(String),
    /// The payload has changed: fetch it.
    Refetch,
    /// The connection is alive.
    Ping,
    /// The delay before connecting again after a failure.
    Retry(Duration),
    /// An event that is too large.
    Oversized,
}

/// An open stream.
pub(crate) struct EventStream {
    body: BodyReader<'static>,
    address: Url,
    wire: Wire,
    buffer: Box<[u8]>,
    /// Whether ureq or TLS may have more bytes, which the socket does not announce again.
    may_have_more: bool,
}

/// The outcome of a read from a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StreamRead {
    /// Bytes arrived.
    Data,
    /// No bytes arrived in time.
    Nothing,
    /// The server ended the stream.
    End,
}

impl StreamClient {
    pub(crate) fn new(settings: &Settings) -> Self {
        let id = &settings.id;
        StreamClient {
            client: Client::new(settings, &id.stream, &id.streaming_headers, Purpose::Stream),
        }
    }

    /// Opens a stream, within the total timeout. The last event's id lets the server send missed
    /// events.
    ///
    /// # Errors
    ///
    /// When there is no stream. The status 204 is such an error.
    pub(crate) fn open(
        &self,
        last_event_id: &str,
        limits: &Limits,
    ) -> Result<EventStream, FetchError> {
        let address = self.client.address();
        self.ask(last_event_id, limits).map_err(|error| error.at(address, address))
    }

    fn ask(&self, last_event_id: &str, limits: &Limits) -> Result<EventStream, FetchError> {
        let mut headers = vec![("accept", "text/event-stream"), ("cache-control", "no-cache")];
        let last_event_id = last_event_id.trim();
        if !last_event_id.is_empty() && last_event_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            headers.push(("last-event-id", last_event_id));
        }
        let response = self.client.get(&headers, limits, limits.total_timeout)?;
        check_status(&response)?;
        let content_type = response.headers().get("content-type").and_then(|it| it.to_str().ok());
        let media_type = content_type.and_then(|it| it.split(';').next()).map(str::trim);
        let is_stream = media_type.is_some_and(|it| it.eq_ignore_ascii_case("text/event-stream"));
        if !is_stream {
            return Err(FetchError::new(FetchErrorKind::NotAStream));
        }
        Ok(EventStream {
            body: response.into_body().into_reader(),
            address: self.client.address().clone(),
            wire: self.client.wire().clone(),
            buffer: vec![0; 16 * 1024].into(),
            may_have_more: true,
        })
    }

    /// Ends the open stream.
    pub(crate) fn interrupt(&self) {
        self.client.wire().interrupt.interrupt();
    }

    /// Ends the open stream, and closes all connections.
    pub(crate) fn shut_down(&self) {
        self.client.shut_down();
    }
}

impl EventStream {
    /// Waits for bytes, no longer than `wait`, and calls `on` for each event in them.
    pub(crate) fn read(
        &mut self,
        parser: &mut EventParser,
        wait: Duration,
        mut on: impl FnMut(Update),
    ) -> Result<StreamRead, FetchError> {
        self.wire.deadline.set(Some(wait));
        let amount = match self.body.read(&mut self.buffer).map_err(ureq::Error::from) {
            Ok(0) => return Ok(StreamRead::End),
            Ok(amount) => amount,
            Err(ureq::Error::Timeout(Timeout::PerRead)) => {
                self.may_have_more = false;
                return Ok(StreamRead::Nothing);
            }
            Err(error) => return Err(FetchError::from(error).at(&self.address, &self.address)),
        };
        self.may_have_more = true;
        let bytes = self.buffer.get(..amount).unwrap_or_default();
        parser.push(bytes, |parsed| on(Update::from(parsed)));
        Ok(StreamRead::Data)
    }

    /// Reads bytes that have arrived, and calls `on` for each event in them. After
    /// [`StreamRead::Nothing`], wait for the [`socket`](EventStream::socket).
    pub(crate) fn read_arrived(
        &mut self,
        parser: &mut EventParser,
        on: impl FnMut(Update),
    ) -> Result<StreamRead, FetchError> {
        /// The shortest time limit of a read from the socket.
        const SHORTEST: Duration = Duration::from_millis(1);
        // A read without time does not reach the socket. It gets what ureq and TLS have.
        let wait = if self.may_have_more { Duration::ZERO } else { SHORTEST };
        self.read(parser, wait, on)
    }

    /// Returns the socket on which further bytes arrive.
    pub(crate) fn socket(&self) -> Option<Socket> {
        self.wire.socket()
    }
}

impl From<Parsed<'_>> for Update {
    fn from(parsed: Parsed<'_>) -> Self {
        match parsed {
            Parsed::Retry(delay) => Update::Retry(delay),
            Parsed::Oversized => Update::Oversized,
            Parsed::Event(event) => match event.event_type {
                "features" if !event.data.is_empty() => Update::Payload(event.data.into()),
                "features-updated" => Update::Refetch,
                _ => Update::Ping,
            },
        }
    }
}
