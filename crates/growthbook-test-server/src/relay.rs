//! A relay of TCP connections that holds replies back.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::Gate;
use crate::listener::Listener;

/// How often a held reply looks at its gate.
const PAUSE: Duration = Duration::from_millis(1);

/// Relays connections to a server of this machine. It holds the reply to the first request that
/// contains a word, and all later replies of that connection, until a gate is open. So a test can
/// simulate a slow network without a delay.
///
/// Dropping it closes every socket.
#[derive(Debug)]
pub struct Relay {
    listener: Listener,
    connections: Arc<AtomicUsize>,
}

impl Relay {
    /// Starts a relay to this port of 127.0.0.1.
    pub fn start(port: u16, word: &'static str, gate: &Gate) -> Self {
        let connections = Arc::new(AtomicUsize::new(0));
        let listener = Listener::start(0, {
            let (connections, gate) = (Arc::clone(&connections), gate.clone());
            move |client| {
                connections.fetch_add(1, Ordering::SeqCst);
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                    relay(&client, &server, word.as_bytes(), &gate);
                }
                let _ = client.shutdown(Shutdown::Both);
            }
        });
        Self { listener, connections }
    }

    /// Returns the port of the relay.
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Returns how many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Relays one connection until one of its ends is closed.
fn relay(client: &TcpStream, server: &TcpStream, word: &[u8], gate: &Gate) {
    let (is_holding, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            copy(server, client, |_| {
                while is_holding.load(Ordering::SeqCst)
                    && !gate.is_open()
                    && !is_over.load(Ordering::SeqCst)
                {
                    thread::sleep(PAUSE);
                }
            });
            let _ = client.shutdown(Shutdown::Both);
        });
        copy(client, server, |request| {
            if request.windows(word.len()).any(|part| part == word) {
                is_holding.store(true, Ordering::SeqCst);
            }
        });
        is_over.store(true, Ordering::SeqCst);
        let _ = server.shutdown(Shutdown::Both);
    });
}

/// Copies what arrives, after an action on it.
fn copy(mut from: &TcpStream, mut to: &TcpStream, mut before: impl FnMut(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get(..length).unwrap_or_default();
        before(bytes);
        if to.write_all(bytes).is_err() {
            return;
        }
    }
}
