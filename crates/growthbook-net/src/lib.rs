//! Internal: connections that another thread can interrupt, whatever they are waiting for.
//!
//! The GrowthBook crates that speak HTTP share this one. It is a part of them, and not for other
//! programs: it may change with any version.
//!
//! ureq speaks HTTP and TLS on the connections that are made here. There are four reasons:
//! closing a client must not wait for a silent server, a read from a stream must end at a given
//! time, a proxy's reply needs a time limit as a whole, and the client key must not reach ureq's own
//! log records.
//!
//! # Modules, in reading order
//!
//! | module | what |
//! |---|---|
//! | `agent`, `wire` | an agent, and the state that its connections share |
//! | `request_head` | the path and headers that ureq must not see |
//! | `interrupt`, `deadline` | the ends of a wait |
//! | `resolver`, `look_ups`, `connector`, `transport` | looking up names, opening connections, reading and writing |
//! | `socket`, `watch` | waiting for the bytes of many connections |
//! | `proxies`, `no_proxy`, `tunnel` | which proxy to use, and the connection through it |
//! | `connect_error` | why there is no connection |
//! | `connection_options`, `root_certificates` | the options of connections |
//! | `retry_after` | a header that several crates read |

mod agent;
mod connect_error;
mod connection_options;
mod connector;
mod deadline;
mod interrupt;
mod look_ups;
mod no_proxy;
mod proxies;
mod request_head;
mod resolver;
mod retry_after;
mod root_certificates;
mod socket;
mod transport;
mod tunnel;
mod watch;
mod wire;

pub use connect_error::{ConnectError, ProxyProblem};
pub use connection_options::{CheckedConnection, ConnectionConfigError, ConnectionOptions};
pub use deadline::Deadline;
pub use interrupt::{Interrupt, Registration};
pub use proxies::{Proxies, Proxy, UnusableProxy};
pub use request_head::RequestHead;
pub use retry_after::parse_retry_after;
pub use socket::Socket;
pub use watch::{Watch, WatchControl, WatchedSocket};
pub use wire::{ConnectionCount, Wire};
