//! Opening TCP connections that another thread can interrupt.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use ureq::Timeout;
use ureq::config::Config;
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};

use crate::connect_error::ConnectError;
use crate::deadline::Deadline;
use crate::interrupt::{Interrupt, interrupted};
use crate::socket::LastRead;
use crate::transport::{Connection, TcpTransport};
use crate::wire::{ConnectionCount, Wire};

/// Opens TCP connections.
pub(crate) struct TcpConnector {
    interrupt: Arc<Interrupt>,
    deadline: Arc<Deadline>,
    connections: Arc<ConnectionCount>,
    last_read: Arc<LastRead>,
}

impl TcpConnector {
    pub(crate) fn new(wire: &Wire) -> Self {
        TcpConnector {
            interrupt: wire.interrupt.clone(),
            deadline: wire.deadline.clone(),
            connections: wire.connections.clone(),
            last_read: wire.last_read.clone(),
        }
    }

    /// Opens a connection to one of these addresses.
    pub(super) fn open(
        &self,
        addresses: &[SocketAddr],
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<TcpTransport, ureq::Error> {
        self.connections.add();
        let stream = self.connect_any(addresses, timeout)?;
        stream.set_nodelay(config.no_delay())?;
        let connection = Arc::new(Connection::new(stream));

        let shared = Arc::downgrade(&connection);
        let registration = self.interrupt.register(move || {
            if let Some(connection) = shared.upgrade() {
                connection.close();
            }
        })?;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(TcpTransport {
            connection,
            buffers,
            deadline: self.deadline.clone(),
            last_read: self.last_read.clone(),
            registration,
        })
    }

    /// Whether the time limit of the whole request is over.
    pub(super) fn deadline_is_over(&self) -> bool {
        self.deadline.is_over()
    }

    /// Tries one address after another. Each gets its share of the time that is left.
    fn connect_any(
        &self,
        addresses: &[SocketAddr],
        timeout: NextTimeout,
    ) -> Result<TcpStream, ureq::Error> {
        let (total, reason) = self.deadline.cap(timeout);
        let start = Instant::now();
        let mut last = ureq::Error::HostNotFound;
        for (tried, address) in addresses.iter().enumerate() {
            let limit = match total {
                Some(total) => {
                    let left = total.saturating_sub(start.elapsed());
                    let addresses_left = u32::try_from(addresses.len() - tried).unwrap_or(1);
                    if left.is_zero() {
                        return Err(ureq::Error::Timeout(reason));
                    }
                    Some(left / addresses_left)
                }
                None => None,
            };
            match connect(*address, limit, &self.interrupt) {
                Ok(stream) => return Ok(stream),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {
                    return Err(error.into());
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    last = ureq::Error::Timeout(Timeout::Connect);
                }
                Err(error) => last = ConnectError::of_system(error),
            }
        }
        Err(last)
    }
}

impl<In: Transport> Connector<In> for TcpConnector {
    type Out = Either<In, TcpTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        if let Some(through_a_proxy) = chained {
            return Ok(Some(Either::A(through_a_proxy)));
        }
        let transport = self.open(&details.addrs, details.config, details.timeout)?;
        Ok(Some(Either::B(transport)))
    }
}

impl fmt::Debug for TcpConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TcpConnector").finish_non_exhaustive()
    }
}

/// Connects without blocking. Waits for the connection, the deadline or an interruption, whichever
/// is first. An interruption is reported as `ConnectionAborted`.
fn connect(
    address: SocketAddr,
    limit: Option<Duration>,
    interrupt: &Arc<Interrupt>,
) -> io::Result<TcpStream> {
    const SOCKET: Token = Token(0);
    const WAKER: Token = Token(1);
    let mut poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKER)?;
    let _registration = interrupt.register(move || {
        // If this fails, the wait ends at its deadline.
        let _ = waker.wake();
    })?;
    let mut stream = mio::net::TcpStream::connect(address)?;
    poll.registry().register(&mut stream, SOCKET, Interest::WRITABLE)?;
    let start = Instant::now();
    let mut events = Events::with_capacity(2);
    loop {
        let left = limit.map(|limit| limit.saturating_sub(start.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match poll.poll(&mut events, left) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        }
        if events.iter().any(|event| event.token() == WAKER) {
            return Err(interrupted());
        }
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            Err(error) => return Err(error),
        }
    }
    poll.registry().deregister(&mut stream)?;
    let stream = TcpStream::from(stream);
    stream.set_nonblocking(false)?;
    Ok(stream)
}
