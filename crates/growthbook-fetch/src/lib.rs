//! Keeps a GrowthBook payload fresh.

mod cache;
pub mod sse;
