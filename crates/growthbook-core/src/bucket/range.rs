//! Ranges of buckets: computes them from weights and coverage, and finds the one of a bucket.

use alloc::{borrow::Cow, boxed::Box, vec, vec::Vec};

use serde::{Serialize, Serializer};

use super::hash::namespace_hash;
use crate::hash_value::HashValue;

/// The buckets from `start` to `end`, without `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketRange {
    /// The lower bound, which is inside.
    pub start: f64,
    /// The upper bound, which is outside.
    pub end: f64,
}

impl BucketRange {
    /// A range that includes no user.
    pub(crate) const EMPTY: Self = BucketRange { start: 0.0, end: 0.0 };

    /// Whether the bucket is inside.
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

/// Serializes as `[start, end]`, like GrowthBook's.
impl Serialize for BucketRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.start, self.end).serialize(serializer)
    }
}

/// A range of users under a name. Experiments with ranges that do not overlap are mutually
/// exclusive.
#[derive(Clone, Debug)]
pub struct Namespace {
    id: Box<str>,
    range: BucketRange,
}

impl Namespace {
    /// Makes the namespace of the users whose bucket in `id` is from `start` to `end`, without
    /// `end`.
    pub fn new(id: impl Into<Box<str>>, start: f64, end: f64) -> Self {
        Namespace { id: id.into(), range: BucketRange { start, end } }
    }

    /// Returns the namespace's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the buckets that it includes.
    pub fn range(&self) -> BucketRange {
        self.range
    }

    pub(crate) fn contains(&self, value: &HashValue<'_>) -> bool {
        namespace_hash(&self.id, value).is_some_and(|bucket| self.range.contains(bucket))
    }
}

/// Serializes as `[id, start, end]`, like GrowthBook's.
impl Serialize for Namespace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.id, self.range.start, self.range.end).serialize(serializer)
    }
}

/// Whether the user with this hash value belongs to the namespace.
pub fn in_namespace(user_id: &str, namespace: &Namespace) -> bool {
    namespace.contains(&HashValue::String(user_id))
}

/// Returns `1 / count` for each of `count` variations.
pub fn equal_weights(count: usize) -> Vec<f64> {
    vec![1.0 / count as f64; count]
}

/// The allowed sums of weights. Otherwise equal weights replace them.
const WEIGHT_SUM: core::ops::RangeInclusive<f64> = 0.99..=1.01;

/// Whether bucketing uses these weights for `count` variations.
pub(crate) fn is_usable(weights: &[f64], count: usize) -> bool {
    weights.len() == count && WEIGHT_SUM.contains(&weights.iter().sum::<f64>())
}

/// Returns the weights that bucketing uses: these, or equal ones when these are unusable.
pub(crate) fn effective_weights(count: usize, weights: Option<&[f64]>) -> Cow<'_, [f64]> {
    match weights.filter(|weights| is_usable(weights, count)) {
        Some(weights) => Cow::Borrowed(weights),
        None => Cow::Owned(equal_weights(count)),
    }
}

/// Returns the range of buckets of each of `count` variations.
///
/// `coverage` is clamped to [0, 1]. It shrinks every range from its end, so that raising it adds
/// users and moves none. Equal weights replace weights whose number is not `count`, or whose sum is
/// outside 0.99 to 1.01. The bounds are sums of doubles and never rounded: the variation of a user
/// at a bound depends on the last bit.
pub fn bucket_ranges(count: usize, coverage: f64, weights: Option<&[f64]>) -> Vec<BucketRange> {
    share_ranges(&effective_weights(count, weights), coverage).collect()
}

/// Returns one range for each weight, see [`bucket_ranges`].
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

/// The ranges of variations: listed, or computed during a search.
#[derive(Clone, Copy)]
pub(crate) enum Ranges<'a> {
    Listed(&'a [BucketRange]),
    Shares { weights: &'a [f64], coverage: f64 },
}

impl Ranges<'_> {
    /// Returns the index of the first range that contains the bucket.
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

/// Returns the index of the first range that contains the bucket.
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
    fn users_spread_by_weight_within_one_percent() {
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
        fn raising_coverage_moves_no_user(
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
        fn ranges_are_ordered_and_do_not_overlap(count in 0..20_usize, coverage in -1.0..2.0_f64) {
            let ranges = bucket_ranges(count, coverage, None);
            prop_assert_eq!(ranges.len(), count);
            for pair in ranges.windows(2) {
                prop_assert!(pair[0].start <= pair[0].end && pair[0].end <= pair[1].start + 1e-9);
            }
        }
    }
}
