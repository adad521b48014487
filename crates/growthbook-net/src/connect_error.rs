//! Why there is no connection, where ureq has no error that says so.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};

/// Why there is no connection. ureq passes it on as [`ureq::Error::Other`].
#[derive(Debug)]
pub enum ConnectError {
    /// The host's name was not found.
    Dns(io::Error),
    /// The system has no descriptor, thread or memory left.
    System(io::Error),
    /// The address needs a proxy, and there is no connection through it.
    Proxy {
        /// Host and port.
        address: String,
        /// Why it cannot be used.
        problem: ProxyProblem,
    },
    /// The address needs a proxy, and its setting is not an address of an HTTP proxy.
    UnusableProxy,
}

/// Why a proxy cannot be used.
#[derive(Debug)]
pub enum ProxyProblem {
    /// There is no connection to it, or it broke.
    Connection(ureq::Error),
    /// It answered with this status.
    Status(u16),
    /// Its answer is not HTTP.
    NotHttp,
    /// It closed the connection.
    Closed,
}

impl ConnectError {
    /// Names the reason of a failed look-up. The C library reports a lack of descriptors as an unknown
    /// name, so this tries whether there is one.
    pub(super) fn of_look_up(error: io::Error) -> ureq::Error {
        match UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
            Err(lack) if is_lacking(&lack) => ConnectError::System(lack).into(),
            _ if is_lacking(&error) => ConnectError::System(error).into(),
            _ => ConnectError::Dns(error).into(),
        }
    }

    /// Names the reason of a failed system call, if the system lacks something.
    pub fn of_system(error: io::Error) -> ureq::Error {
        if is_lacking(&error) { ConnectError::System(error).into() } else { error.into() }
    }
}

impl From<ConnectError> for ureq::Error {
    fn from(error: ConnectError) -> Self {
        ureq::Error::Other(Box::new(error))
    }
}

impl From<ureq::Error> for ProxyProblem {
    fn from(error: ureq::Error) -> Self {
        ProxyProblem::Connection(error)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Dns(error) | ConnectError::System(error) => error.fmt(formatter),
            ConnectError::Proxy { address, problem } => {
                write!(formatter, "proxy {address}: {problem}")
            }
            ConnectError::UnusableProxy => {
                formatter.write_str("the proxy's address is not like http://host:3128")
            }
        }
    }
}

impl fmt::Display for ProxyProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyProblem::Connection(ureq::Error::Timeout(_)) => {
                formatter.write_str("it took too long")
            }
            ProxyProblem::Connection(ureq::Error::HostNotFound) => {
                formatter.write_str("its name has no address")
            }
            ProxyProblem::Connection(ureq::Error::Io(error)) => error.fmt(formatter),
            ProxyProblem::Connection(ureq::Error::Other(error)) => error.fmt(formatter),
            ProxyProblem::Connection(_) => formatter.write_str("no connection"),
            ProxyProblem::Status(status) => write!(formatter, "it answered with status {status}"),
            ProxyProblem::NotHttp => formatter.write_str("it does not speak HTTP"),
            ProxyProblem::Closed => formatter.write_str("it closed the connection"),
        }
    }
}

impl Error for ConnectError {}

/// Whether the system call failed for want of a descriptor or memory.
fn is_lacking(error: &io::Error) -> bool {
    #[cfg(unix)]
    /// `ENOMEM`, `ENFILE` and `EMFILE` have the same numbers on all of them.
    const CODES: &[i32] = &[12, 23, 24];
    #[cfg(not(unix))]
    /// `WSAEMFILE` and `WSAENOBUFS`.
    const CODES: &[i32] = &[10024, 10055];
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}
