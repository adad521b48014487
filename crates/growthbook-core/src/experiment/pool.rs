//! Lists that many experiments have. They share them.

use alloc::{sync::Arc, vec::Vec};
use core::cell::RefCell;

use super::definition::VariationMeta;
use crate::bucket::BucketRange;
use crate::value::FeatureValue;

/// How many lists are looked through for one that is the same.
const POOLED: usize = 8;

/// What the experiments that were read last have.
#[derive(Default)]
pub(crate) struct Pools {
    pub(super) metas: Pool<VariationMeta>,
    pub(super) weights: Pool<f64>,
    pub(super) ranges: Pool<BucketRange>,
    pub(super) values: Pool<FeatureValue>,
}

/// The lists of a kind that were read last.
pub(super) struct Pool<T> {
    lists: RefCell<Vec<Arc<[T]>>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool { lists: RefCell::default() }
    }
}

impl<T> Pool<T> {
    /// The list of the pool that is the same, if there is a pool and such a list; else a new one,
    /// unless there is none.
    pub(super) fn share(
        pool: Option<&Self>,
        is_same: impl Fn(&[T]) -> bool,
        new: impl FnOnce() -> Option<Arc<[T]>>,
    ) -> Option<Arc<[T]>> {
        let Some(Pool { lists }) = pool else {
            return new();
        };
        if let Some(same) = lists.borrow().iter().find(|pooled| is_same(pooled)) {
            return Some(same.clone());
        }
        let new = new()?;
        let mut lists = lists.borrow_mut();
        lists.truncate(POOLED - 1);
        lists.insert(0, new.clone());
        Some(new)
    }
}
