//! The replies that a test can script.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::gate::Gate;
use crate::http::Response;

/// The reply to one request.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(crate) delay: Duration,
    pub(crate) gate: Option<Gate>,
    pub(crate) content: Content,
    headers: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Normal(Option<Cut>),
    Status { status: u16, body: Vec<u8> },
    Raw { bytes: Vec<u8>, then: Then },
}

/// The place where a normal reply ends too early.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    /// The number of body bytes that are sent.
    pub(crate) after: usize,
    pub(crate) then: Then,
}

/// The next action of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    NextRequest,
    Close,
    /// Close the connection. Over TLS, send no close notification.
    Abort,
    /// Keep the connection open and silent.
    Hang,
}

impl Reply {
    /// The reply of a server without a script.
    pub fn normal() -> Self {
        Self::new(Content::Normal(None))
    }

    /// A complete reply with this status. Its body is empty, unless [`body`](Self::body) sets it.
    pub fn status(status: u16) -> Self {
        Self::new(Content::Status { status, body: Vec::new() })
    }

    /// A complete reply that redirects to another address.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// A reply with status 200, and a body that is not gzip although its header says so.
    pub fn corrupt_gzip() -> Self {
        Self::json(200).header("content-encoding", "gzip").body("rubbish, not gzip")
    }

    /// A reply with status 200, and a compressed payload without features. It has `unpacked_size`
    /// bytes, and nearly all are blanks. The body is about a thousand times smaller.
    pub fn gzip_bomb(unpacked_size: usize) -> Self {
        let payload = br#"{"features":{}}"#;
        let blanks = [b' '; 16 * 1024];
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let mut left = unpacked_size.saturating_sub(payload.len());
        let mut write =
            |bytes: &[u8]| encoder.write_all(bytes).expect("writing to memory cannot fail");
        while left > 0 {
            let count = left.min(blanks.len());
            write(blanks.get(..count).unwrap_or_default());
            left -= count;
        }
        write(payload);
        let body = encoder.finish().expect("writing to memory cannot fail");
        Self::json(200).header("content-encoding", "gzip").body(body)
    }

    /// Sends exactly these bytes, then closes the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Content::Raw { bytes: bytes.into(), then: Then::Close })
    }

    /// Sends exactly these bytes, then nothing until the peer closes the connection or the server
    /// stops. The bytes may be empty.
    pub fn raw_then_hang(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Content::Raw { bytes: bytes.into(), then: Then::Hang })
    }

    /// Closes the connection without sending a byte.
    pub fn close() -> Self {
        Self::new(Content::Raw { bytes: Vec::new(), then: Then::Abort })
    }

    /// Sends the normal reply up to `bytes` bytes of its body, then closes the connection. For a
    /// stream, all bytes of the stream count, also those of pings.
    pub fn truncated(bytes: usize) -> Self {
        Self::new(Content::Normal(Some(Cut { after: bytes, then: Then::Abort })))
    }

    /// Sends the normal reply up to `bytes` bytes of its body. The connection stays open and
    /// silent.
    pub fn stalled(bytes: usize) -> Self {
        Self::new(Content::Normal(Some(Cut { after: bytes, then: Then::Hang })))
    }

    /// Sends a reply after a delay. The content of a normal reply is chosen after the delay.
    pub fn delayed(delay: Duration, mut reply: Self) -> Self {
        reply.delay += delay;
        reply
    }

    /// The same reply after the test opens the gate. A normal reply is chosen at that time.
    pub fn held(gate: &Gate, mut reply: Self) -> Self {
        reply.gate = Some(gate.clone());
        reply
    }

    /// Sets a header, and replaces the normal header with this name. Raw replies have no headers.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    ///
    /// # Panics
    ///
    /// If the reply was not created with a status.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        let is_status = matches!(self.content, Content::Status { .. });
        assert!(is_status, "only a reply with a status can have a body");
        if let Content::Status { body, .. } = &mut self.content {
            *body = bytes.into();
        }
        self
    }

    /// Adds the headers that were set.
    pub(crate) fn amend(&self, response: &mut Response) {
        for (name, value) in &self.headers {
            response.set_header(name, value);
        }
    }

    fn new(content: Content) -> Self {
        Self { delay: Duration::ZERO, gate: None, content, headers: Vec::new() }
    }

    fn json(status: u16) -> Self {
        Self::status(status).header("content-type", "application/json; charset=utf-8")
    }
}
