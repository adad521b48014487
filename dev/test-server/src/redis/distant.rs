//! A long way to a Redis server.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::RedisServer;

/// A relay on loopback that delays what a client and a server send to each other. Opening a
/// connection takes no time, unlike on a network.
///
/// It ends with the test's process.
#[derive(Debug)]
pub struct DistantRedis {
    port: u16,
}

impl DistantRedis {
    /// Starts a relay to this server. A request and its reply take this much longer.
    ///
    /// # Panics
    ///
    /// When it cannot listen.
    #[must_use]
    pub fn start(server: &RedisServer, round_trip: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port should be free");
        let port = listener.local_addr().expect("a bound socket should have an address").port();
        let server = server.port();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    let pairs = (client.try_clone(), server.try_clone());
                    if let (Ok(client_too), Ok(server_too)) = pairs {
                        relay(client, server, round_trip / 2);
                        relay(server_too, client_too, round_trip / 2);
                    }
                }
            }
        });
        DistantRedis { port }
    }

    /// Returns the relay's address, for `redis::Client::open`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// Relays bytes in one direction. Several requests may be on the way at once.
fn relay(mut from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, receiver): (Sender<(Instant, Vec<u8>)>, _) = mpsc::channel();
    thread::spawn(move || deliver(&receiver, to));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + delay, bytes)).is_err() {
                return;
            }
        }
    });
}

fn deliver(arrivals: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (at, bytes) in arrivals {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    // The other side may have closed the connection already.
    let _ = to.shutdown(Shutdown::Both);
}
