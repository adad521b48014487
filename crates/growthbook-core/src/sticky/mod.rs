//! Sticky bucketing: users keep the variation they were first given, whatever becomes of weights
//! and targeting. Pure logic: documents in, changed documents out. Where they are kept is for a
//! [`StickyBucketStore`] to know.

mod document;
mod store;

pub use document::{StickyBucketDocument, StickyBucketKey, StickyBuckets};
pub use store::{StickyBucketStore, StickyBucketStoreError};
