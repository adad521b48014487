//! Sticky bucketing: users keep the variation they were first assigned when weights or targeting
//! change. This is pure logic on documents. A [`StickyBucketStore`] loads and saves them.

mod buckets;
mod document;
mod store;

pub use buckets::StickyBuckets;
pub use document::{StickyBucketDocument, StickyBucketKey};
pub use store::{StickyBucketStore, StickyBucketStoreError};
