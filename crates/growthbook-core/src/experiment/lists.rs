//! The lists of weights, ranges and values that experiments are read from.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::pool::{Pool, Pools};
use crate::bucket::{BucketRange, effective_weights, share_ranges};
use crate::json::{ListView, View};
use crate::value::FeatureValue;

/// Numbers, unless something else is among them.
pub(super) fn numbers(list: ListView<'_>) -> Option<Box<[f64]>> {
    let mut numbers = Vec::with_capacity(list.len());
    for item in list.iter() {
        numbers.push(item.as_f64()?);
    }
    Some(numbers.into())
}

pub(super) fn shared_numbers(list: ListView<'_>, pools: Option<&Pools>) -> Option<Arc<[f64]>> {
    let is_same = |pooled: &[f64]| {
        let numbers = list.iter().map(|item| item.as_f64().map(f64::to_bits));
        numbers.eq(pooled.iter().map(|pooled| Some(pooled.to_bits())))
    };
    let pool = pools.map(|pools| &pools.weights);
    Pool::share(pool, is_same, || numbers(list).map(Arc::from))
}

pub(super) fn bucket_range(json: View<'_>) -> Option<BucketRange> {
    let mut bounds = json.as_array()?.iter();
    match (bounds.next()?, bounds.next()?) {
        (View::Number(start), View::Number(end)) => {
            Some(BucketRange { start: start.as_f64(), end: end.as_f64() })
        }
        _ => None,
    }
}

/// The ranges of a list, read anew where no experiment has the same.
pub(super) fn shared_ranges(
    list: ListView<'_>,
    pools: Option<&Pools>,
    read: impl FnOnce() -> Box<[BucketRange]>,
) -> Arc<[BucketRange]> {
    let is_same = |pooled: &[BucketRange]| {
        let ranges = list.iter().map(|range| bucket_range(range).map(BucketRange::bits));
        ranges.eq(pooled.iter().map(|pooled| Some(pooled.bits())))
    };
    let pool = pools.map(|pools| &pools.ranges);
    Pool::share(pool, is_same, || Some(read().into())).unwrap_or_default()
}

/// The ranges that weights and coverage make.
pub(super) fn shares(
    weights: &[f64],
    coverage: f64,
    variations: usize,
    pools: Option<&Pools>,
) -> Arc<[BucketRange]> {
    let weights = effective_weights(variations, Some(weights));
    let ranges = share_ranges(&weights, coverage);
    let is_same = |pooled: &[BucketRange]| {
        ranges.clone().map(BucketRange::bits).eq(pooled.iter().map(|pooled| pooled.bits()))
    };
    let pool = pools.map(|pools| &pools.ranges);
    Pool::share(pool, is_same, || Some(ranges.clone().collect())).unwrap_or_default()
}

/// The values of variations. They are shared where they take no memory of their own.
pub(super) fn shared_values(list: ListView<'_>, pools: Option<&Pools>) -> Arc<[FeatureValue]> {
    let are_fixed = list.iter().all(|value| FeatureValue::fixed(value).is_some());
    let is_same = |pooled: &[FeatureValue]| {
        let mut values = list.iter().map(FeatureValue::fixed);
        pooled.iter().all(|pooled| values.next() == Some(Some(pooled.value())))
            && values.next().is_none()
    };
    let pool = pools.filter(|_| are_fixed).map(|pools| &pools.values);
    let read = || Some(list.boxed(FeatureValue::from).into());
    Pool::share(pool, is_same, read).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;

    /// Whether each of the texts shares its list with the first one.
    fn shared<T>(texts: &[&str], read: impl Fn(ListView<'_>) -> Arc<[T]>) -> Vec<bool> {
        let read = |text: &&str| read(Tape::parse(text).unwrap().root().as_array().unwrap());
        let lists: Vec<_> = texts.iter().map(read).collect();
        lists.iter().map(|list| Arc::ptr_eq(list, &lists[0])).collect()
    }

    #[test]
    fn only_the_same_lists_are_shared() {
        let pools = &Pools::default();
        let texts = ["[0, 1]", "[0, 1.0]", "[-0, 1]", "[0]", "[0, 1, 0]", "[0, 1]"];
        let same = [true, true, false, false, false, true];
        assert_eq!(shared(&texts, |list| shared_numbers(list, Some(pools)).unwrap()), same);
        let texts = ["[[0, 1]]", "[[0, 1]]", "[[-0, 1]]", "[]", "[[0, 1], 1]", "[[0, 2]]"];
        let same = [true, true, false, false, false, false];
        let read =
            |list: ListView<'_>| list.boxed(|it| bucket_range(it).unwrap_or(BucketRange::EMPTY));
        assert_eq!(shared(&texts, |list| shared_ranges(list, Some(pools), || read(list))), same);
        let texts = ["[false, true]", "[false, true]", "[true]", "[null, true]", "[0, 1]"];
        let same = [true, true, false, false, false];
        assert_eq!(shared(&texts, |list| shared_values(list, Some(pools))), same);
        assert_eq!(shared(&["[1]", "[1]"], |list| shared_values(list, Some(pools))), [true, false]);
    }

    #[test]
    fn ranges_that_were_given_and_made_are_shared() {
        let pools = Some(&Pools::default());
        let made = shares(&[], 0.5, 2, pools);
        let tape = Tape::parse("[[0, 0.25], [0.5, 0.75]]").unwrap();
        let given = shared_ranges(tape.root().as_array().unwrap(), pools, Box::default);
        assert!(
            Arc::ptr_eq(&made, &given) && Arc::ptr_eq(&made, &shares(&[0.5, 0.5], 0.5, 2, pools))
        );
        assert!(!Arc::ptr_eq(&made, &shares(&[], 1.0, 2, pools)));
    }
}
