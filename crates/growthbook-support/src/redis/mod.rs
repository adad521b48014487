//! Connections to Redis that end by a deadline and never read more than a limit.
//!
//! The crate [`redis`] reads a reply as long as bytes arrive, whatever its size. So this module
//! opens connections itself, with and without TLS, to a server, to the nodes of a cluster and to
//! sentinels. Of that crate it uses the parsed addresses, the commands and the values.
//!
//! Reading order: `servers`, `connection`, `server`, `transport`, `socket`, `reply`, `tls`,
//! `cluster`, `slot`, `failing`, `sentinel`, `script`, `subscriber`, `failure`.

#[cfg(feature = "redis-cluster")]
mod cluster;
mod connection;
#[cfg(feature = "redis-cluster")]
mod failing;
mod failure;
mod reply;
mod script;
#[cfg(feature = "redis-sentinel")]
mod sentinel;
mod server;
mod servers;
#[cfg(feature = "redis-cluster")]
mod slot;
mod socket;
mod subscriber;
mod tls;
mod transport;

pub use connection::Connection;
pub use failure::{io_text, is_oversize};
pub use reply::oversize;
pub use script::Script;
pub use servers::RedisServers;
pub use subscriber::Messages;
pub use tls::Tls;
