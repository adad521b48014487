//! A listener that serves each connection on a thread, and can end all of them.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest time of a connection to our own port. Only a full backlog makes it longer.
const WAKE_TIMEOUT: Duration = Duration::from_millis(20);

/// The longest wait for our earlier port.
const PORT_TIMEOUT: Duration = Duration::from_secs(5);

/// An open port with its connections. Dropping it closes them and joins their threads.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    sockets: Arc<Sockets>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Sockets(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    stopping: bool,
    accepted: u64,
    sockets: HashMap<u64, Arc<TcpStream>>,
}

impl Listener {
    /// Listens on `port` of 127.0.0.1; 0 means any free port. `serve` must return soon after a
    /// shutdown of its socket.
    pub(crate) fn start(port: u16, serve: impl Fn(Arc<TcpStream>) + Send + Sync + 'static) -> Self {
        let listener = bind(port).expect("the port should be free");
        let address = listener.local_addr().expect("a bound socket should have an address");
        let sockets = Arc::new(Sockets::default());
        let thread = thread::spawn({
            let sockets = Arc::clone(&sockets);
            move || accept_all(listener, &sockets, &serve)
        });
        Self { address, sockets, thread: Some(thread) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Calls this function, and then shuts down every accepted socket in both directions. A connection
    /// that a client opens because of the call is not affected.
    pub(crate) fn hang_up(&self, disconnect: impl FnOnce()) {
        let open = self.sockets.lock();
        disconnect();
        for socket in open.sockets.values() {
            // This fails on a closed socket.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.sockets.lock().stopping = true;
        self.hang_up(|| {});
        let Some(thread) = self.thread.take() else { return };
        // A connection wakes the thread from `accept`. It fails if another connection did so first.
        let wake = || TcpStream::connect_timeout(&self.address, WAKE_TIMEOUT);
        while wake().is_err() && !thread.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        let joined = thread.join();
        assert!(joined.is_ok() || thread::panicking(), "a connection's thread panicked");
    }
}

impl Sockets {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a socket. Returns `None` while the listener stops.
    fn insert(&self, socket: TcpStream) -> Option<(u64, Arc<TcpStream>)> {
        let mut open = self.lock();
        if open.stopping {
            return None;
        }
        let socket = Arc::new(socket);
        open.accepted += 1;
        let id = open.accepted;
        open.sockets.insert(id, Arc::clone(&socket));
        Some((id, socket))
    }
}

/// Binds the port. Retries, because the client end of another connection may use it for a moment.
fn bind(port: u16) -> io::Result<TcpListener> {
    let deadline = Instant::now() + PORT_TIMEOUT;
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

fn accept_all(
    listener: TcpListener,
    sockets: &Sockets,
    serve: &(impl Fn(Arc<TcpStream>) + Send + Sync),
) {
    thread::scope(|scope| {
        // The port must close before the scope waits for the connections.
        let listener = listener;
        loop {
            let Ok((socket, _)) = listener.accept() else {
                // The peer is gone already, or the process has no free socket at the moment.
                if sockets.lock().stopping {
                    break;
                }
                thread::sleep(Duration::from_millis(1));
                continue;
            };
            let Some((id, socket)) = sockets.insert(socket) else { break };
            scope.spawn(move || {
                serve(socket);
                sockets.lock().sockets.remove(&id);
            });
        }
    });
}
