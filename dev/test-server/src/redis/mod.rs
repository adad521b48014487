//! Real Redis servers, which start, hang, die and come back as a test says.
//!
//! They run the `redis-server` or `valkey-server` on the `PATH`, or the one that the environment
//! variable [`SERVER_VARIABLE`] names; `cargo xtask test` finds or installs one. All listen on
//! loopback only, keep their files in a temporary folder, and end with their handle.

mod cluster;
mod reply;
mod sentinel;
mod server;

pub use cluster::RedisCluster;
pub use reply::RedisReply;
pub use sentinel::RedisSentinel;
pub use server::{RedisOptions, RedisServer, SERVER_VARIABLE};
