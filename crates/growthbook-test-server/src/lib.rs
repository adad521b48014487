//! A GrowthBook features server for tests, which can also misbehave.
//!
//! [`FeaturesServer`] answers `GET /api/features/{key}`, `GET /sub/{key}` and `POST /api/eval/{key}`
//! for every key, like the GrowthBook Proxy. A test can script another [`Reply`].
//! [`GrowthBookProxy`] is a double of that Proxy, with its start, its restarts and its habits.
//! [`ProxyServer`], [`Relay`] and [`BlackHole`] simulate other parts of a network.
//!
//! The server counts every event before the client can see it. So when a test has read a reply,
//! [`FeaturesServer::counts`] includes it.
//!
//! ```
//! use std::time::Duration;
//! use growthbook_test_server::{FeaturesServer, Reply};
//!
//! let server = FeaturesServer::start(r#"{"features":{}}"#);
//! server.script_features([Reply::status(503), Reply::truncated(5)]);
//! // ... point the client at `server.url()` ...
//! let asked_twice = server.wait_until(Duration::ZERO, |counts| counts.features == 2);
//! # assert!(!asked_twice);
//! ```

#![expect(clippy::expect_used, reason = "a test must fail if its server cannot work")]

mod black_hole;
mod channel;
mod connection;
mod features;
mod features_server;
mod gate;
mod growthbook_proxy;
mod http;
mod listener;
mod proxy_server;
mod relay;
mod reply;
mod state;
mod tls;
mod transport;

pub use black_hole::BlackHole;
pub use features_server::FeaturesServer;
pub use gate::Gate;
pub use growthbook_proxy::{GrowthBookProxy, ProxySettings};
pub use http::Request;
pub use proxy_server::ProxyServer;
pub use relay::Relay;
pub use reply::Reply;
pub use state::Counts;
