//! A socket, with or without TLS, that is read and written from two threads at once.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustls::{ServerConfig, ServerConnection};

#[derive(Debug)]
pub(crate) struct Transport {
    socket: Arc<TcpStream>,
    /// Never locked during a read from the socket, or a writer would have to wait for input.
    tls: Option<Mutex<ServerConnection>>,
}

impl Transport {
    pub(crate) fn new(socket: Arc<TcpStream>, config: Option<&Arc<ServerConfig>>) -> Self {
        // Fails only on a socket that is closed already, which the first read finds out.
        let _ = socket.set_nodelay(true);
        let tls = config.map(|config| {
            let mut connection = ServerConnection::new(Arc::clone(config))
                .expect("the configuration should be ours");
            connection.set_buffer_limit(None);
            Mutex::new(connection)
        });
        Self { socket, tls }
    }

    /// Appends some input and returns how much; 0 is the end. Fails with `WouldBlock` or
    /// `TimedOut` when nothing came before the deadline.
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
            // A part of a TLS record is no input yet.
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

    /// Ends both directions. The goodbye is TLS's, which tells an end from a cut.
    pub(crate) fn close(&self, goodbye: bool) {
        if let Some(tls) = &self.tls
            && goodbye
        {
            let mut tls = lock(tls);
            tls.send_close_notify();
            // The peer may have gone first.
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
            // The handshake's answer, or the alert for what is wrong with the client's part.
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
