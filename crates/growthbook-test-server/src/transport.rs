//! A socket, with or without TLS. Two threads can read and write at the same time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustls::{ServerConfig, ServerConnection};

#[derive(Debug)]
pub(crate) struct Transport {
    socket: Arc<TcpStream>,
    /// It is never locked during a read from the socket. Otherwise a writer would wait for input.
    tls: Option<Mutex<ServerConnection>>,
}

impl Transport {
    pub(crate) fn new(socket: Arc<TcpStream>, config: Option<&Arc<ServerConfig>>) -> Self {
        // This fails only on a closed socket, and then the first read fails too.
        let _ = socket.set_nodelay(true);
        let tls = config.map(|config| {
            let mut connection = ServerConnection::new(Arc::clone(config))
                .expect("the configuration should be valid");
            connection.set_buffer_limit(None);
            Mutex::new(connection)
        });
        Self { socket, tls }
    }

    /// Appends received bytes to `input`, and returns their number; 0 is the end. Fails with
    /// `WouldBlock` or `TimedOut` when the deadline passes.
    pub(crate) fn read(&self, input: &mut Vec<u8>, deadline: Option<Instant>) -> io::Result<usize> {
        let before = input.len();
        loop {
            let mut buffer = [0; 4096];
            self.socket.set_read_timeout(match deadline {
                None => None,
                Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => Some(left),
                    _ => return Err(ErrorKind::TimedOut.into()),
                },
            })?;
            let count = match (&*self.socket).read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            };
            let received = buffer.get(..count).unwrap_or_default();
            match &self.tls {
                None => input.extend_from_slice(received),
                Some(tls) => self.decrypt(&mut lock(tls), received, input)?,
            }
            // A part of a TLS record gives no input yet.
            if count == 0 || input.len() > before {
                return Ok(input.len() - before);
            }
        }
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &self.tls else { return (&*self.socket).write_all(bytes) };
        let mut tls = lock(tls);
        tls.writer().write_all(bytes)?;
        self.flush(&mut tls)
    }

    /// Whether the peer has not closed the connection. Call it only without another thread that
    /// reads.
    pub(crate) fn is_open(&self) -> bool {
        let look = || {
            self.socket.set_nonblocking(true)?;
            let seen = self.socket.peek(&mut [0]);
            self.socket.set_nonblocking(false)?;
            seen
        };
        look().map_or_else(|error| error.kind() == ErrorKind::WouldBlock, |count| count > 0)
    }

    /// Ends both directions. `goodbye` sends the close notification of TLS, which marks a regular
    /// end.
    pub(crate) fn close(&self, goodbye: bool) {
        if let Some(tls) = &self.tls
            && goodbye
        {
            let mut tls = lock(tls);
            tls.send_close_notify();
            // The peer may be gone already.
            let _ = self.flush(&mut tls);
        }
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    fn decrypt(
        &self,
        tls: &mut ServerConnection,
        mut received: &[u8],
        input: &mut Vec<u8>,
    ) -> io::Result<()> {
        while !received.is_empty() {
            tls.read_tls(&mut received)?;
            let processed = tls.process_new_packets().map_err(io::Error::other);
            // This sends the answer of the handshake, or an alert about an error of the client.
            self.flush(tls)?;
            let count = processed?.plaintext_bytes_to_read();
            tls.reader().take(count as u64).read_to_end(input)?;
        }
        Ok(())
    }

    fn flush(&self, tls: &mut ServerConnection) -> io::Result<()> {
        while tls.wants_write() {
            tls.write_tls(&mut &*self.socket)?;
        }
        Ok(())
    }
}

fn lock(tls: &Mutex<ServerConnection>) -> MutexGuard<'_, ServerConnection> {
    tls.lock().unwrap_or_else(PoisonError::into_inner)
}
