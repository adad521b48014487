//! What the tests of this workspace need around a client: servers, processes and resources.
//!
//! The features server, the double of the GrowthBook Proxy and the parts of a network are in
//! `growthbook-test-server`, which is published for the tests of applications. [`redis`] starts real
//! Redis servers, [`Processes`] runs the test program several times, and [`Resources`] counts
//! threads, files and memory.

#![expect(clippy::expect_used, reason = "a test must fail if its server cannot work")]

mod processes;
pub mod redis;
mod resources;

pub use growthbook_test_server::{
    BlackHole, Counts, FeaturesServer, Gate, GrowthBookProxy, ProxyServer, ProxySettings, Relay,
    Reply, Request,
};
pub use processes::{Processes, answer_questions};
pub use resources::Resources;
