//! A GrowthBook features server that behaves, or misbehaves, as a test says.
//!
//! [`FeaturesServer`] answers `GET /api/features/{key}` and `GET /sub/{key}` for every key as the
//! GrowthBook Proxy does, until the test scripts a [`Reply`]. [`ProxyServer`] and [`BlackHole`]
//! stand in for the rest of a network.
//!
//! Everything is counted before the client can see it: a test that has read a reply finds it in
//! [`FeaturesServer::counts`].
//!
//! ```
//! use std::time::Duration;
//! use test_server::{FeaturesServer, Reply};
//!
//! let server = FeaturesServer::start(r#"{"features":{}}"#);
//! server.script_features([Reply::status(503), Reply::truncated(5)]);
//! // ... point the client at `server.url()` ...
//! let asked_twice = server.wait_until(Duration::ZERO, |counts| counts.features == 2);
//! # assert!(!asked_twice);
//! ```

#![expect(clippy::expect_used, reason = "a test server that cannot work has to fail the test")]

mod black_hole;
mod channel;
mod connection;
mod features;
mod features_server;
mod http;
mod listener;
mod proxy_server;
pub mod redis;
mod reply;
mod state;
mod tls;
mod transport;

pub use black_hole::BlackHole;
pub use features_server::FeaturesServer;
pub use http::Request;
pub use proxy_server::ProxyServer;
pub use reply::Reply;
pub use state::Counts;
