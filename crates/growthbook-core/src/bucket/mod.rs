//! Which users a rollout, namespace or variation takes: a hash into [0, 1) and ranges over it.

mod hash;
mod range;

pub(crate) use hash::BucketHasher;
pub use hash::hash;
pub use range::{
    BucketRange, Namespace, bucket_ranges, choose_variation, equal_weights, in_namespace,
};
pub(crate) use range::{Ranges, effective_weights, is_usable, share_ranges};
