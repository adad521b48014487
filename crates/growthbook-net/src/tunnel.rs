//! Connections through an HTTP proxy.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use ureq::config::{AutoHeaderValue, Config};
use ureq::http::Uri;
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, Transport, time};

use crate::connect_error::{ConnectError, ProxyProblem};
use crate::connector::TcpConnector;
use crate::proxies::{Proxies, Proxy};
use crate::resolver::InterruptibleResolver;
use crate::transport::TcpTransport;
use crate::wire::Wire;

/// The longest head of a proxy's reply. It must fit into the input buffer.
const LONGEST_HEAD: usize = 16 * 1024;

/// Opens a tunnel through a proxy (`CONNECT`), if an address needs one.
///
/// ureq's own connector begins its time limit anew with each part of the proxy's reply, so a proxy
/// that sends one byte at a time would stop refreshing without limit.
pub(crate) struct TunnelConnector {
    proxies: Arc<Proxies>,
    resolver: InterruptibleResolver,
    tcp: TcpConnector,
}

impl TunnelConnector {
    pub(super) fn new(wire: &Wire) -> Self {
        TunnelConnector {
            proxies: wire.proxies.clone(),
            resolver: InterruptibleResolver::new(wire),
            tcp: TcpConnector::new(wire),
        }
    }

    fn open(
        &self,
        proxy: &Proxy,
        target: &Uri,
        config: &Config,
        limit: &Limit,
    ) -> Result<TcpTransport, ProxyProblem> {
        let host = proxy.host.to_string();
        let addresses = self.resolver.find(&host, proxy.port, config, limit.left()?)?;
        let mut transport = self.tcp.open(&addresses, config, limit.left()?)?;
        send(&mut transport, &head(proxy, target, config), limit)?;
        receive(&mut transport, limit)?;
        Ok(transport)
    }
}

impl Connector for TunnelConnector {
    type Out = TcpTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<TcpTransport>, ureq::Error> {
        let proxy = self.proxies.for_address(details.uri);
        let Some(proxy) = proxy.map_err(|_| ConnectError::UnusableProxy)? else {
            return Ok(None);
        };
        let limit = Limit::new(details.timeout);
        match self.open(proxy, details.uri, details.config, &limit) {
            Ok(transport) => Ok(Some(transport)),
            // The whole request was interrupted, or ran out of time.
            Err(ProxyProblem::Connection(error)) if is_interrupted(&error) => Err(error),
            Err(ProxyProblem::Connection(error)) if self.tcp.deadline_is_over() => Err(error),
            Err(problem) => {
                let address = format!("{}:{}", proxy.host, proxy.port);
                Err(ConnectError::Proxy { address, problem }.into())
            }
        }
    }
}

impl fmt::Debug for TunnelConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TunnelConnector").finish_non_exhaustive()
    }
}

/// The time limit for all steps together.
struct Limit {
    timeout: NextTimeout,
    start: Instant,
}

impl Limit {
    fn new(timeout: NextTimeout) -> Self {
        Limit { timeout, start: Instant::now() }
    }

    /// Returns the time that is left, or an error if none is.
    fn left(&self) -> Result<NextTimeout, ureq::Error> {
        let time::Duration::Exact(total) = self.timeout.after else { return Ok(self.timeout) };
        let left = total.saturating_sub(self.start.elapsed());
        if left.is_zero() {
            return Err(ureq::Error::Timeout(self.timeout.reason));
        }
        Ok(NextTimeout { after: time::Duration::Exact(left), ..self.timeout })
    }
}

fn head(proxy: &Proxy, target: &Uri, config: &Config) -> String {
    let host = target.host().unwrap_or_default();
    let default = if target.scheme_str() == Some("https") { 443 } else { 80 };
    let port = target.port_u16().unwrap_or(default);
    let mut head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let AutoHeaderValue::Provided(user_agent) = config.user_agent() {
        head += &format!("User-Agent: {user_agent}\r\n");
    }
    if let Some(credentials) = &proxy.credentials {
        head += &format!("Proxy-Authorization: Basic {credentials}\r\n");
    }
    head + "Proxy-Connection: Keep-Alive\r\n\r\n"
}

fn send(transport: &mut TcpTransport, head: &str, limit: &Limit) -> Result<(), ProxyProblem> {
    let size = transport.buffers().output().len().max(1);
    for part in head.as_bytes().chunks(size) {
        if let Some(output) = transport.buffers().output().get_mut(..part.len()) {
            output.copy_from_slice(part);
        }
        transport.transmit_output(part.len(), limit.left()?)?;
    }
    Ok(())
}

/// Reads the head of the proxy's reply. The bytes after it come from the server.
fn receive(transport: &mut TcpTransport, limit: &Limit) -> Result<(), ProxyProblem> {
    const END: &[u8] = b"\r\n\r\n";
    loop {
        let input = transport.buffers().input();
        if let Some(at) = input.windows(END.len()).position(|bytes| bytes == END) {
            let status = status(input).ok_or(ProxyProblem::NotHttp)?;
            transport.buffers().input_consume(at + END.len());
            return if status / 100 == 2 { Ok(()) } else { Err(ProxyProblem::Status(status)) };
        }
        if input.len() >= LONGEST_HEAD {
            return Err(ProxyProblem::NotHttp);
        }
        if !transport.await_input(limit.left()?)? {
            return Err(ProxyProblem::Closed);
        }
    }
}

/// Returns the status of a reply.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?.get(1..)?.strip_prefix(b" ")?;
    let digits = str::from_utf8(rest.get(..3)?).ok()?;
    digits.parse().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()))
}

fn is_interrupted(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionAborted)
}
