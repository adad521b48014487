//! Sticky bucketing: users keep the variation they were first assigned when weights or targeting
//! change. This is pure logic on documents. A [`StickyBucketStore`] loads and saves them.

mod document;
mod store;

pub use document::{StickyBucketDocument, StickyBucketKey, StickyBuckets};
pub use store::{StickyBucketStore, StickyBucketStoreError};
