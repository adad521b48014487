//! Tests of the servers, over plain sockets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod client;
mod features;
mod growthbook_proxy;
mod lifecycle;
mod misbehaviour;
mod network;
mod streams;
mod tls;
