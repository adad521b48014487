//! Ranges of buckets: how weights and coverage become them, and which one a bucket falls into.

use alloc::{borrow::Cow, boxed::Box, vec, vec::Vec};

use serde::{Serialize, Serializer};

use super::hash::namespace_hash;
use crate::hash_value::HashValue;

/// The buckets from `start` up to but excluding `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketRange {
    /// The first bucket inside.
    pub start: f64,
    /// The first bucket outside.
    pub end: f64,
}

impl BucketRange {
    /// A range that includes nobody.
    pub(crate) const EMPTY: Self = BucketRange { start: 0.0, end: 0.0 };

    /// Whether the bucket lies inside.
    #[inline]
    pub fn contains(self, bucket: f64) -> bool {
        bucket >= self.start && bucket < self.end
    }
}

impl From<(f64, f64)> for BucketRange {
    fn from((start, end): (f64, f64)) -> Self {
        BucketRange { start, end }
    }
}

/// As GrowthBook writes it: `[start, end]`.
impl Serialize for BucketRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.start, self.end).serialize(serializer)
    }
}

/// A share of users set aside under a name, so that experiments with ranges that do not overlap
/// are mutually exclusive.
#[derive(Clone, Debug)]
pub struct Namespace {
    id: Box<str>,
    range: BucketRange,
}

impl Namespace {
    /// The users of namespace `id` whose bucket lies from `start` up to but excluding `end`.
    pub fn new(id: impl Into<Box<str>>, start: f64, end: f64) -> Self {
        Namespace { id: id.into(), range: BucketRange { start, end } }
    }

    /// The namespace's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The buckets it takes.
    pub fn range(&self) -> BucketRange {
        self.range
    }

    pub(crate) fn contains(&self, value: &HashValue<'_>) -> bool {
        namespace_hash(&self.id, value).is_some_and(|bucket| self.range.contains(bucket))
    }
}

/// As GrowthBook writes it: `[id, start, end]`.
impl Serialize for Namespace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.id, self.range.start, self.range.end).serialize(serializer)
    }
}

/// Whether the user with this hash value belongs to the namespace.
pub fn in_namespace(user_id: &str, namespace: &Namespace) -> bool {
    namespace.contains(&HashValue::String(user_id))
}

/// `1 / count` for each of `count` variations.
pub fn equal_weights(count: usize) -> Vec<f64> {
    vec![1.0 / count as f64; count]
}

/// How far the sum of weights may lie from 1 before equal weights replace them.
const WEIGHT_SUM: core::ops::RangeInclusive<f64> = 0.99..=1.01;

/// Whether bucketing uses these weights for `count` variations.
pub(crate) fn is_usable(weights: &[f64], count: usize) -> bool {
    weights.len() == count && WEIGHT_SUM.contains(&weights.iter().sum::<f64>())
}

/// The weights bucketing uses: the given ones, or equal ones when those are unusable.
pub(crate) fn effective_weights(count: usize, weights: Option<&[f64]>) -> Cow<'_, [f64]> {
    match weights.filter(|weights| is_usable(weights, count)) {
        Some(weights) => Cow::Borrowed(weights),
        None => Cow::Owned(equal_weights(count)),
    }
}

/// The range of buckets of each of `count` variations.
///
/// `coverage` is clamped to [0, 1] and shrinks every range from its end, so that raising it adds
/// users without moving any. Weights of another number than `count`, or whose sum lies outside
/// 0.99 to 1.01, are replaced by equal ones. The bounds are sums of doubles, never rounded:
/// users at a bound depend on the last bit.
pub fn bucket_ranges(count: usize, coverage: f64, weights: Option<&[f64]>) -> Vec<BucketRange> {
    share_ranges(&effective_weights(count, weights), coverage).collect()
}

/// One range for each weight; see [`bucket_ranges`].
pub(crate) fn share_ranges(
    weights: &[f64],
    coverage: f64,
) -> impl Iterator<Item = BucketRange> + Clone {
    let coverage = coverage.clamp(0.0, 1.0);
    let mut cumulative = 0.0;
    weights.iter().map(move |weight| {
        let start = cumulative;
        cumulative += weight;
        BucketRange { start, end: start + coverage * weight }
    })
}

/// The ranges of variations: listed, or worked out while one is looked for.
#[derive(Clone, Copy)]
pub(crate) enum Ranges<'a> {
    Listed(&'a [BucketRange]),
    Shares { weights: &'a [f64], coverage: f64 },
}

impl Ranges<'_> {
    /// The first range the bucket falls into.
    #[inline]
    pub(crate) fn choose(&self, bucket: f64) -> Option<usize> {
        match *self {
            Ranges::Listed(ranges) => choose_variation(bucket, ranges),
            Ranges::Shares { weights, coverage } => {
                share_ranges(weights, coverage).position(|range| range.contains(bucket))
            }
        }
    }
}

/// The first range the bucket falls into.
#[inline]
pub fn choose_variation(bucket: f64, ranges: &[BucketRange]) -> Option<usize> {
    ranges.iter().position(|range| range.contains(bucket))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bucket::hash;

    #[test]
    fn unusual_weights_follow_the_javascript_rule() {
        let ranges = bucket_ranges(2, 1.0, Some(&[1.2, -0.2]));
        assert_eq!(ranges[0], BucketRange { start: 0.0, end: 1.2 });
        let equal = bucket_ranges(2, 1.0, None);
        assert_eq!(bucket_ranges(2, 1.0, Some(&[0.5])), equal);
        assert_eq!(bucket_ranges(2, 1.0, Some(&[f64::NAN, 0.5])), equal);
        assert!(!bucket_ranges(2, f64::NAN, None)[0].contains(0.1));
        assert!(bucket_ranges(0, 1.0, None).is_empty());
    }

    #[test]
    fn ten_thousand_users_spread_over_the_weights_within_one_percent() {
        for weights in [&[0.5, 0.5][..], &[0.2, 0.3, 0.5], &[0.1, 0.9], &[0.25; 4]] {
            for version in [1, 2] {
                let ranges = bucket_ranges(weights.len(), 1.0, Some(weights));
                let mut counts = vec![0_u32; weights.len()];
                let users = 100_000;
                for user in 0..users {
                    let bucket = hash("spread", &alloc::format!("user-{user}"), version).unwrap();
                    counts[choose_variation(bucket, &ranges).unwrap()] += 1;
                }
                for (count, weight) in counts.iter().zip(weights) {
                    let share = f64::from(*count) / f64::from(users);
                    assert!((share - weight).abs() < 0.01, "{weight} got {share} (v{version})");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn growing_coverage_moves_nobody(
            raw in prop::collection::vec(0.01..1.0_f64, 2..6),
            coverages in (0.0..=1.0_f64, 0.0..=1.0_f64),
            user in "[a-z0-9]{1,12}",
        ) {
            let sum: f64 = raw.iter().sum();
            let weights: Vec<f64> = raw.iter().map(|weight| weight / sum).collect();
            let (small, large) = (coverages.0.min(coverages.1), coverages.0.max(coverages.1));
            let bucket = hash("coverage", &user, 2).unwrap();
            let at = |coverage| {
                choose_variation(bucket, &bucket_ranges(weights.len(), coverage, Some(&weights)))
            };
            if let Some(before) = at(small) {
                prop_assert_eq!(at(large), Some(before));
            }
        }

        #[test]
        fn ranges_are_ordered_and_apart(count in 0..20_usize, coverage in -1.0..2.0_f64) {
            let ranges = bucket_ranges(count, coverage, None);
            prop_assert_eq!(ranges.len(), count);
            for pair in ranges.windows(2) {
                prop_assert!(pair[0].start <= pair[0].end && pair[0].end <= pair[1].start + 1e-9);
            }
        }
    }
}
