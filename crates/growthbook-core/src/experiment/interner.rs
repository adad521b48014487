//! Interning of lists that are equal in many experiments.

use alloc::{sync::Arc, vec::Vec};
use core::cell::RefCell;
use core::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::definition::VariationMeta;
use crate::bucket::BucketRange;
use crate::value::FeatureValue;

/// The interned lists of the experiments that were compiled so far.
#[derive(Default)]
pub(crate) struct Interner {
    pub(super) weights: Pool<f64>,
    pub(super) ranges: Pool<BucketRange>,
    pub(super) metas: Pool<VariationMeta>,
    /// Lists of null, true and false.
    pub(super) constants: Pool<FeatureValue>,
}

/// The interned lists of one type.
pub(super) struct Pool<T> {
    lists: RefCell<HashTable<Arc<[T]>>>,
    hasher: DefaultHashBuilder,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool { lists: RefCell::default(), hasher: DefaultHashBuilder::default() }
    }
}

/// An item of an interned list. Rust 1.89 cannot infer that it is `'static`.
pub(super) trait Interned: 'static {
    /// Items with equal identities can replace each other.
    type Identity<'i>: Hash + Eq
    where
        Self: 'i;

    fn identity(&self) -> Self::Identity<'_>;
}

impl Interned for f64 {
    type Identity<'i> = u64;

    fn identity(&self) -> u64 {
        self.to_bits()
    }
}

impl Interned for BucketRange {
    type Identity<'i> = [u64; 2];

    fn identity(&self) -> [u64; 2] {
        [self.start.to_bits(), self.end.to_bits()]
    }
}

impl Interned for VariationMeta {
    type Identity<'i> = &'i Self;

    fn identity(&self) -> &Self {
        self
    }
}

impl Interned for FeatureValue {
    type Identity<'i> = Option<bool>;

    fn identity(&self) -> Option<bool> {
        self.value().as_bool()
    }
}

impl<T: Interned> Pool<T> {
    /// Returns the interned list that is equal to this one, or interns this one.
    fn intern(&self, list: Vec<T>) -> Arc<[T]> {
        let hash = |list: &[T]| {
            let mut hasher = self.hasher.build_hasher();
            list.iter().for_each(|item| item.identity().hash(&mut hasher));
            hasher.finish()
        };
        let is_equal =
            |other: &Arc<[T]>| list.iter().map(T::identity).eq(other.iter().map(T::identity));
        let list_hash = hash(&list);
        let mut lists = self.lists.borrow_mut();
        if let Some(interned) = lists.find(list_hash, is_equal) {
            return interned.clone();
        }
        let list: Arc<[T]> = list.into();
        lists.insert_unique(list_hash, list.clone(), |other| hash(other));
        list
    }
}

/// Returns the interned copy of a list. Without a pool, returns a new copy.
pub(super) fn shared<T: Interned>(pool: Option<&Pool<T>>, list: Vec<T>) -> Arc<[T]> {
    match pool {
        Some(pool) => pool.intern(list),
        None => list.into(),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// Says for each list whether it shares its copy with the first one.
    fn sharing<T: Interned, const N: usize>(lists: [Vec<T>; N]) -> [bool; N] {
        let pool = Pool::default();
        let interned = lists.map(|list| pool.intern(list));
        interned.each_ref().map(|list| Arc::ptr_eq(list, &interned[0]))
    }

    #[test]
    fn only_identical_lists_are_shared() {
        let weights = [vec![0.0, 1.0], vec![0.0, 1.0], vec![-0.0, 1.0], vec![0.0], vec![]];
        assert_eq!(sharing(weights), [true, true, false, false, false]);
        let range = |start, end| BucketRange { start, end };
        let ranges = [vec![range(0.0, 1.0)], vec![range(0.0, 1.0)], vec![range(-0.0, 1.0)], vec![]];
        assert_eq!(sharing(ranges), [true, true, false, false]);
        let meta = VariationMeta::new;
        let named = meta("a").name("A");
        let metas = [vec![meta("a")], vec![meta("a")], vec![meta("b")], vec![named], vec![]];
        assert_eq!(sharing(metas), [true, true, false, false, false]);
    }

    #[test]
    fn constants_are_shared_by_value() {
        let value = |json: serde_json::Value| FeatureValue::from(json);
        let (yes, no, null) = (value(true.into()), value(false.into()), value(().into()));
        let list = |items: [&FeatureValue; 2]| items.map(Clone::clone).into();
        let lists = [list([&no, &yes]), list([&no, &yes]), list([&null, &yes]), list([&yes, &no])];
        assert_eq!(sharing(lists), [true, true, false, false]);
    }
}
