//! Buckets: hashes users to [0, 1), and finds the range that a bucket belongs to.

mod hash;
mod range;

pub(crate) use hash::BucketHasher;
pub use hash::hash;
pub use range::{
    BucketRange, Namespace, bucket_ranges, choose_variation, equal_weights, in_namespace,
};
pub(crate) use range::{Ranges, effective_weights, is_usable, share_ranges};
