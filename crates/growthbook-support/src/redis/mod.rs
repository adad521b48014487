//! Connections to Redis that end by a deadline and never read more than a limit.
//!
//! The crate [`redis`] reads a reply as long as bytes arrive, whatever its size. So this module
//! reads the replies of plain connections itself, within limits. TLS connections and clusters stay
//! with that crate: it does not let others use a client's certificates or a cluster's nodes.

mod connection;
mod failure;
mod plain;
mod provider;
mod reply;
#[cfg(feature = "redis-sentinel")]
mod sentinel;
mod socket;
mod subscriber;

pub use connection::Connection;
pub use failure::{io_text, is_oversize};
pub use provider::{choose_provider, choose_provider_for};
#[cfg(feature = "redis-sentinel")]
pub use sentinel::Sentinel;
pub use subscriber::{Messages, subscribe};
