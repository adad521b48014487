//! The provider through OpenFeature's client API, as an application uses it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic"
)]

mod contexts;
mod events;
mod lifecycle;
mod reasons;
mod specification;
mod support;
