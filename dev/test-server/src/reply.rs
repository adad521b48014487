//! What a test can have the server say.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::http::Response;

/// How one request is answered. A script takes any number of them, and they can be cloned.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(crate) delay: Duration,
    pub(crate) content: Content,
    headers: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Normal(Option<Cut>),
    Status { status: u16, body: Vec<u8> },
    Raw { bytes: Vec<u8>, then: Then },
}

/// Where a normal reply breaks off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    /// Bytes of the body that are sent.
    pub(crate) after: usize,
    pub(crate) then: Then,
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    NextRequest,
    Close,
    /// Closed too, over TLS without a goodbye.
    Abort,
    /// Left open and silent.
    Hang,
}

impl Reply {
    /// What the server would say anyway.
    pub fn normal() -> Self {
        Self::new(Content::Normal(None))
    }

    /// A complete reply, with an empty body unless [`body`](Self::body) gives one.
    pub fn status(status: u16) -> Self {
        Self::new(Content::Status { status, body: Vec::new() })
    }

    /// A complete reply that refers to another address.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// Status 200 and a body that claims to be gzip and is not.
    pub fn corrupt_gzip() -> Self {
        Self::json(200).header("content-encoding", "gzip").body("rubbish, not gzip")
    }

    /// Status 200 and a payload without features, `unpacked_size` bytes of which nearly all are
    /// blanks, compressed to about a thousandth.
    pub fn gzip_bomb(unpacked_size: usize) -> Self {
        let payload = br#"{"features":{}}"#;
        let blanks = [b' '; 16 * 1024];
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let mut left = unpacked_size.saturating_sub(payload.len());
        let mut write = |bytes: &[u8]| encoder.write_all(bytes).expect("memory does not fail");
        while left > 0 {
            let count = left.min(blanks.len());
            write(blanks.get(..count).unwrap_or_default());
            left -= count;
        }
        write(payload);
        let body = encoder.finish().expect("memory does not fail");
        Self::json(200).header("content-encoding", "gzip").body(body)
    }

    /// These bytes to the letter, then the connection is closed.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Content::Raw { bytes: bytes.into(), then: Then::Close })
    }

    /// These bytes to the letter, possibly none, then silence until the peer hangs up or the
    /// server stops.
    pub fn raw_then_hang(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Content::Raw { bytes: bytes.into(), then: Then::Hang })
    }

    /// Hangs up without a byte.
    pub fn close() -> Self {
        Self::new(Content::Raw { bytes: Vec::new(), then: Then::Abort })
    }

    /// The normal reply, cut after `bytes` of its body; the connection is closed. Of a stream,
    /// everything that is ever sent counts, pings too.
    pub fn truncated(bytes: usize) -> Self {
        Self::new(Content::Normal(Some(Cut { after: bytes, then: Then::Abort })))
    }

    /// The same, but the connection stays open and silent.
    pub fn stalled(bytes: usize) -> Self {
        Self::new(Content::Normal(Some(Cut { after: bytes, then: Then::Hang })))
    }

    /// That reply, but later. A normal one is what is normal by then.
    pub fn delayed(delay: Duration, mut reply: Self) -> Self {
        reply.delay += delay;
        reply
    }

    /// Sets a header, in place of the normal one of that name. Raw replies have none.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    ///
    /// # Panics
    ///
    /// If the reply was not made with a status.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        let is_status = matches!(self.content, Content::Status { .. });
        assert!(is_status, "only a reply with a status takes a body");
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
        Self { delay: Duration::ZERO, content, headers: Vec::new() }
    }

    fn json(status: u16) -> Self {
        Self::status(status).header("content-type", "application/json; charset=utf-8")
    }
}
