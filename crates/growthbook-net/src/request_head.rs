//! The secret parts of a request: its path and headers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// The path that ureq gets instead of the real one. At the level `trace` ureq logs all it sees:
/// addresses, which have the client key, and headers byte for byte.
pub(crate) const PLACEHOLDER: &str = "/growthbook-path-not-shown";

/// The path and headers of the next request. They are inserted below ureq and above TLS.
#[derive(Default)]
pub struct RequestHead(Mutex<Secret>);

#[derive(Default)]
struct Secret {
    path: String,
    /// Complete lines.
    headers: String,
}

impl RequestHead {
    /// Sets the path and headers of the next request. Header names and values must be valid.
    pub(crate) fn set<'a>(&self, path: &str, headers: impl Iterator<Item = (&'a str, &'a str)>) {
        let headers = headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Secret { path: path.to_owned(), headers };
    }

    /// Returns the bytes with the secrets inserted, if they begin a request for the placeholder.
    fn complete(&self, head: &[u8]) -> Option<Vec<u8>> {
        let method = head.iter().position(|byte| *byte == b' ')? + 1;
        let (method, rest) = head.split_at_checked(method)?;
        let rest = rest.strip_prefix(PLACEHOLDER.as_bytes())?;
        let line = rest.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let (line, rest) = rest.split_at_checked(line)?;
        let secret = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some([method, secret.path.as_bytes(), line, secret.headers.as_bytes(), rest].concat())
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RequestHead").finish_non_exhaustive()
    }
}

/// The last one in a chain of connectors.
#[derive(Debug)]
pub(crate) struct RequestHeadConnector(pub(crate) Arc<RequestHead>);

impl<In: Transport> Connector<In> for RequestHeadConnector {
    type Out = RequestHeadTransport<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| RequestHeadTransport { inner, head: self.0.clone() }))
    }
}

/// A transport that completes the heads of requests.
#[derive(Debug)]
pub(crate) struct RequestHeadTransport<T> {
    inner: T,
    head: Arc<RequestHead>,
}

impl<T: Transport> Transport for RequestHeadTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let head = self.inner.buffers().output().get(..amount).unwrap_or_default();
        let Some(completed) = self.head.complete(head) else {
            return self.inner.transmit_output(amount, timeout);
        };
        let size = self.inner.buffers().output().len().max(1);
        for part in completed.chunks(size) {
            if let Some(output) = self.inner.buffers().output().get_mut(..part.len()) {
                output.copy_from_slice(part);
            }
            self.inner.transmit_output(part.len(), timeout)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_get_the_secrets() {
        let head = RequestHead::default();
        head.set("/api/features/sdk-1", [("x-token", "t")].into_iter());
        let complete = |text: &str| {
            let text = text.replace("/hidden", PLACEHOLDER);
            head.complete(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
        };
        assert_eq!(
            complete("GET /hidden HTTP/1.1\r\nhost: h\r\n\r\n").unwrap(),
            "GET /api/features/sdk-1 HTTP/1.1\r\nx-token: t\r\nhost: h\r\n\r\n",
        );
        assert_eq!(
            complete("POST /hidden HTTP/1.1\r\n\r\n[]").unwrap(),
            "POST /api/features/sdk-1 HTTP/1.1\r\nx-token: t\r\n\r\n[]",
        );
        for other in ["", "GET /", "GET /hidden", "CONNECT h:1 HTTP/1.1\r\n\r\n", "host: h\r\n\r\n"]
        {
            assert_eq!(complete(other), None);
        }
    }
}
