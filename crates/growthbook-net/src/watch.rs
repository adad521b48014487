//! Waiting for bytes on many connections, on one thread.

use std::fmt;
use std::io;
use std::thread;
use std::time::Duration;

use mio::{Events, Interest, Poll, Registry, Token, Waker};

use crate::socket::Socket;

/// The token of the waker. No socket has this number.
const WAKER: Token = Token(usize::MAX);

/// Waits for bytes on many sockets.
pub struct Watch {
    poll: Poll,
    events: Events,
}

/// The part of a [`Watch`] that other threads use while one thread waits.
pub struct WatchControl {
    registry: Registry,
    waker: Waker,
}

impl Watch {
    /// Makes a watch without sockets.
    ///
    /// # Errors
    ///
    /// When the system has no file descriptor left.
    pub fn new() -> io::Result<(Watch, WatchControl)> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let watch = Watch { poll, events: Events::with_capacity(64) };
        Ok((watch, WatchControl { registry, waker }))
    }

    /// Waits until a socket has bytes or has ended, the time is over, or [`WatchControl::wake`] is
    /// called. Returns the numbers of the sockets. It may also return early, without a reason.
    pub fn wait(&mut self, limit: Option<Duration>) -> Vec<usize> {
        match self.poll.poll(&mut self.events, limit) {
            Ok(()) => {
                let tokens = self.events.iter().map(|event| event.token());
                tokens.filter(|token| *token != WAKER).map(|token| token.0).collect()
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    // The program closed our descriptor. This must not use the whole processor.
                    thread::sleep(Duration::from_millis(100));
                }
                Vec::new()
            }
        }
    }
}

impl WatchControl {
    /// Watches a socket until [`remove`](WatchControl::remove) is called. Bytes that are already there
    /// are reported too. The number must be less than `usize::MAX`.
    ///
    /// # Errors
    ///
    /// When the system's limit is reached.
    pub fn add(&self, socket: Socket, number: usize) -> io::Result<WatchedSocket> {
        let mut watched = WatchedSocket::new(socket)?;
        watched.register(&self.registry, Token(number))?;
        Ok(watched)
    }

    /// Watches a socket no longer.
    pub fn remove(&self, mut socket: WatchedSocket) {
        // An error means that it is not watched.
        let _ = socket.deregister(&self.registry);
    }

    /// Ends the current or the next [`Watch::wait`].
    pub fn wake(&self) {
        // If this fails, the wait ends at its limit.
        let _ = self.waker.wake();
    }
}

/// A socket that is watched. On Unix, `mio` takes the descriptor of a socket that others use.
#[cfg(unix)]
pub struct WatchedSocket(Socket);

#[cfg(unix)]
impl WatchedSocket {
    #[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    fn new(socket: Socket) -> io::Result<Self> {
        Ok(WatchedSocket(socket))
    }

    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        let descriptor = self.0.0.as_raw_fd();
        registry.register(&mut mio::unix::SourceFd(&descriptor), token, Interest::READABLE)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        let descriptor = self.0.0.as_raw_fd();
        registry.deregister(&mut mio::unix::SourceFd(&descriptor))
    }
}

/// A socket that is watched. Other systems than Unix need a handle of their own for that.
#[cfg(not(unix))]
pub struct WatchedSocket(mio::net::TcpStream);

#[cfg(not(unix))]
impl WatchedSocket {
    fn new(socket: Socket) -> io::Result<Self> {
        Ok(WatchedSocket(mio::net::TcpStream::from_std(socket.0.try_clone()?)))
    }

    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.0, token, Interest::READABLE)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut self.0)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl fmt::Debug for WatchControl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WatchControl").finish_non_exhaustive()
    }
}

impl fmt::Debug for WatchedSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WatchedSocket").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::sync::Arc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(45);

    fn connection() -> (TcpStream, Arc<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, Arc::new(near))
    }

    fn wait(watch: &mut Watch) -> Vec<usize> {
        for _ in 0..100 {
            let ready = watch.wait(Some(PATIENCE));
            if !ready.is_empty() {
                return ready;
            }
        }
        Vec::new()
    }

    #[test]
    fn bytes_and_ends_are_reported() {
        let (mut watch, control) = Watch::new().unwrap();
        let (mut far, near) = connection();
        let (_silent, other) = connection();
        let _other = control.add(Socket(other), 8).unwrap();
        // Bytes from before the watch are reported too.
        far.write_all(b"ab").unwrap();
        for byte in *b"ab" {
            let watched = control.add(Socket(near.clone()), 7).unwrap();
            assert_eq!(wait(&mut watch), [7]);
            control.remove(watched);
            let mut read = [0];
            (&*near).read_exact(&mut read).unwrap();
            assert_eq!(read, [byte]);
        }
        let watched = control.add(Socket(near.clone()), 7).unwrap();
        assert_eq!(watch.wait(Some(Duration::from_millis(1))), []);
        near.shutdown(Shutdown::Both).unwrap();
        assert_eq!(wait(&mut watch), [7]);
        control.remove(watched);
    }

    #[test]
    fn wake_ends_the_next_wait() {
        let (mut watch, control) = Watch::new().unwrap();
        control.wake();
        assert_eq!(watch.wait(None), []);
    }
}
