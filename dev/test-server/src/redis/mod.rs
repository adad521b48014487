//! Real Redis servers, which a test can start, halt, kill and restart.
//!
//! The program is `redis-server` or `valkey-server` from the `PATH`. The environment variable
//! [`SERVER_VARIABLE`] can name another one. `cargo xtask test` finds or installs one. All servers
//! listen only on loopback, and keep their files in a temporary folder. They end when their handle
//! is dropped.

mod cluster;
mod endless;
mod reply;
mod sentinel;
mod server;

pub use cluster::RedisCluster;
pub use endless::EndlessRedis;
pub use reply::RedisReply;
pub use sentinel::RedisSentinel;
pub use server::{RedisOptions, RedisServer, SERVER_VARIABLE};
