//! Lists that many experiments have: names and values of variations, weights and ranges. They share
//! them.

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
    /// The list that is the same, if there is one; else a new one, unless it is none.
    pub(super) fn share(
        &self,
        is_same: impl Fn(&[T]) -> bool,
        new: impl FnOnce() -> Option<Arc<[T]>>,
    ) -> Option<Arc<[T]>> {
        if let Some(same) = self.lists.borrow().iter().find(|pooled| is_same(pooled)) {
            return Some(same.clone());
        }
        let new = new()?;
        let mut lists = self.lists.borrow_mut();
        lists.truncate(POOLED - 1);
        lists.insert(0, new.clone());
        Some(new)
    }
}
