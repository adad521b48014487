//! An HTTP proxy.

use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Request;
use crate::http::{Response, read_request};
use crate::listener::Listener;
use crate::transport::Transport;

/// The timeout for connecting to the origin, and for an origin that does not read. Stopping the
/// proxy cannot interrupt these.
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(1);

/// An HTTP proxy on a free port of 127.0.0.1. It supports `CONNECT` tunnels, and requests with a
/// whole `http://` URL.
///
/// Dropping it closes every socket and joins every thread.
#[derive(Debug)]
pub struct ProxyServer {
    listener: Listener,
    requests: Arc<Mutex<Vec<Request>>>,
    dripping: Arc<Mutex<Vec<String>>>,
}

impl ProxyServer {
    /// Starts a proxy.
    pub fn start() -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let dripping = Arc::new(Mutex::new(Vec::new()));
        let listener = Listener::start(0, {
            let (requests, dripping) = (Arc::clone(&requests), Arc::clone(&dripping));
            move |socket| {
                // An error means that one of the two peers is gone.
                let _ = serve(&socket, &requests, &dripping);
                let _ = socket.shutdown(Shutdown::Both);
            }
        });
        Self { listener, requests, dripping }
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.listener.port())
    }

    /// From now on, the reply to a `CONNECT` for this server arrives one byte at a time, without an
    /// end.
    pub fn drip(&self, server: &str) {
        let authority = server.trim_start_matches("http://").to_owned();
        self.dripping.lock().unwrap_or_else(PoisonError::into_inner).push(authority);
    }

    /// Returns all requests to the proxy, in order. The `path` of a `CONNECT` is `host:port`. The
    /// `path` of another request is a URL. Requests inside a tunnel are not included.
    /// `connection` is always 0.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    client: &Arc<TcpStream>,
    requests: &Mutex<Vec<Request>>,
    dripping: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let transport = Transport::new(Arc::clone(client), None);
    let mut input = Vec::new();
    let Some(request) = read_request(0, &mut input, |input| transport.read(input, None))? else {
        return Ok(());
    };
    requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let is_tunnel = request.method == "CONNECT";
    let (authority, path) = if is_tunnel {
        (request.path.clone(), String::new())
    } else {
        let Some(rest) = request.path.strip_prefix("http://") else {
            return transport.write(&Response::new(400).head());
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = if authority.contains(':') { "" } else { ":80" };
        (format!("{authority}{port}"), format!("/{path}"))
    };
    if is_tunnel && dripping.lock().unwrap_or_else(PoisonError::into_inner).contains(&authority) {
        return drip(&transport);
    }
    let Ok(upstream) = connect(&authority) else {
        return transport.write(&Response::new(502).head());
    };
    if is_tunnel {
        transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    } else {
        (&upstream).write_all(&forwarded(&request, &path))?;
    }
    (&upstream).write_all(&input)?;
    relay(client, &upstream);
    Ok(())
}

/// Sends a reply one byte at a time, until the client closes the connection.
fn drip(transport: &Transport) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    transport.write(b"HTTP/1.1 200 Connection established\r\nx-drip: ")?;
    loop {
        thread::sleep(PAUSE);
        transport.write(b"x")?;
    }
}

fn connect(authority: &str) -> io::Result<TcpStream> {
    let mut result = Err(ErrorKind::AddrNotAvailable.into());
    for address in authority.to_socket_addrs()? {
        result = TcpStream::connect_timeout(&address, UPSTREAM_TIMEOUT);
        if result.is_ok() {
            break;
        }
    }
    let upstream = result?;
    upstream.set_nodelay(true)?;
    upstream.set_write_timeout(Some(UPSTREAM_TIMEOUT))?;
    Ok(upstream)
}

/// Returns the request for the origin. It closes its connection, so that the proxy also receives
/// the next request.
fn forwarded(request: &Request, path: &str) -> Vec<u8> {
    let mut head = format!("{} {path} HTTP/1.1\r\nconnection: close\r\n", request.method);
    for (name, value) in &request.headers {
        let is_hop = ["connection", "proxy-connection", "proxy-authorization"]
            .iter()
            .any(|hop| name.eq_ignore_ascii_case(hop));
        if !is_hop {
            head += &format!("{name}: {value}\r\n");
        }
    }
    head += "\r\n";
    [head.as_bytes(), &request.body].concat()
}

/// Copies bytes in both directions until either end closes.
fn relay(client: &TcpStream, upstream: &TcpStream) {
    let copy = |mut from: &TcpStream, mut to: &TcpStream| {
        // An error also ends both connections.
        let _ = io::copy(&mut from, &mut to);
        for socket in [client, upstream] {
            let _ = socket.shutdown(Shutdown::Both);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| copy(upstream, client));
        copy(client, upstream);
    });
}
