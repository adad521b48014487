//! A server that never ends its reply.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server on loopback that answers the first request of each connection without end.
///
/// It sends one text, and then another one again and again, until the client closes the connection.
#[derive(Debug)]
pub struct EndlessRedis {
    port: u16,
    root_pem: Option<String>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    has_ended: AtomicBool,
    accepted: AtomicUsize,
    open: AtomicUsize,
    streams: Mutex<Vec<TcpStream>>,
}

impl EndlessRedis {
    /// Starts a server that sends `start`, and then `more` again and again with a pause between.
    ///
    /// # Panics
    ///
    /// When it cannot listen.
    #[must_use]
    pub fn start(start: &str, more: &str, pause: Duration) -> Self {
        Self::listen(start, more, pause, None)
    }

    /// Starts a server like [`start`](Self::start), for TLS connections.
    ///
    /// # Panics
    ///
    /// When it cannot listen.
    #[must_use]
    pub fn start_tls(start: &str, more: &str, pause: Duration) -> Self {
        Self::listen(start, more, pause, Some(Identity::generate()))
    }

    fn listen(start: &str, more: &str, pause: Duration, identity: Option<Identity>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port should be free");
        let port = listener.local_addr().expect("a bound socket should have an address").port();
        let shared = Arc::new(Shared::default());
        let root_pem = identity.as_ref().map(|identity| identity.root_pem.clone());
        let server = EndlessRedis { port, root_pem, shared: shared.clone() };
        let (start, more) = (start.to_owned(), more.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.has_ended.load(Ordering::SeqCst) {
                    return;
                }
                shared.accept(stream, identity.as_ref(), &start, &more, pause);
            }
        });
        server
    }

    /// Returns the server's address, for `redis::Client::open`.
    pub fn url(&self) -> String {
        match self.root_pem {
            Some(_) => format!("rediss://localhost:{}", self.port),
            None => format!("redis://127.0.0.1:{}", self.port),
        }
    }

    /// Returns the PEM of the server's certificate, if it uses TLS.
    pub fn root_pem(&self) -> Option<&str> {
        self.root_pem.as_deref()
    }

    /// Waits until there was a connection and the client has closed all. Returns `false` if that
    /// takes longer.
    pub fn wait_until_closed(&self, limit: Duration) -> bool {
        let start = Instant::now();
        let is_closed = || {
            self.shared.accepted.load(Ordering::SeqCst) > 0
                && self.shared.open.load(Ordering::SeqCst) == 0
        };
        while !is_closed() {
            if start.elapsed() > limit {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

impl Shared {
    fn accept(
        self: &Arc<Self>,
        stream: TcpStream,
        identity: Option<&Identity>,
        start: &str,
        more: &str,
        pause: Duration,
    ) {
        self.open.fetch_add(1, Ordering::SeqCst);
        self.accepted.fetch_add(1, Ordering::SeqCst);
        let copy = stream.try_clone().expect("a socket should have a second handle");
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).push(copy);
        let session = identity.map(|identity| {
            ServerConnection::new(identity.config.clone())
                .expect("the configuration should be valid")
        });
        let (shared, start, more) = (self.clone(), start.to_owned(), more.to_owned());
        thread::spawn(move || {
            let waiting = stream.try_clone().expect("a socket should have a second handle");
            match session {
                None => answer(stream, &waiting, &start, &more, pause),
                Some(session) => {
                    answer(StreamOwned::new(session, stream), &waiting, &start, &more, pause);
                }
            }
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

impl Drop for EndlessRedis {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::SeqCst);
        for stream in &*self.shared.streams.lock().unwrap_or_else(PoisonError::into_inner) {
            // The client may have closed it.
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the thread that accepts connections.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A certificate for `localhost`, which signs itself.
struct Identity {
    config: Arc<ServerConfig>,
    root_pem: String,
}

impl Identity {
    fn generate() -> Self {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])
            .expect("creating a certificate for this name should work");
        let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring should support TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key.into())
            .expect("the key should match the certificate");
        Identity { config: Arc::new(config), root_pem: certified.cert.pem() }
    }
}

/// Answers until the client closes the connection. `socket` is below the stream.
fn answer(
    mut stream: impl Read + Write,
    socket: &TcpStream,
    start: &str,
    more: &str,
    pause: Duration,
) {
    let mut request = [0; 4096];
    if !matches!(stream.read(&mut request), Ok(1..)) || stream.write_all(start.as_bytes()).is_err()
    {
        return;
    }
    // The client may close the connection during a pause. A write does not always notice that.
    if socket.set_read_timeout(Some(pause.max(Duration::from_millis(1)))).is_err() {
        return;
    }
    while stream.write_all(more.as_bytes()).is_ok() {
        match stream.read(&mut request) {
            Ok(0) => return,
            Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return;
            }
            _ => {}
        }
    }
}
