//! Filters, which divide users among experiments.

use alloc::boxed::Box;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::hash_attribute::HashAttribute;
use crate::bucket::{BucketHasher, BucketRange};
use crate::budget::{ITEMS_PER_STEP, text_steps};
use crate::hash_value::HashValue;

/// A filter includes only users whose bucket is in one of the ranges. The bucket depends on the
/// seed. Experiments that share a seed can divide users among themselves.
#[derive(Clone, Debug)]
pub struct Filter {
    attribute: HashAttribute,
    ranges: Box<[BucketRange]>,
    hasher: Option<BucketHasher>,
    seed: Box<str>,
    hash_version: i64,
}

/// The hash version of a filter that does not set one.
const DEFAULT_FILTER_HASH_VERSION: i64 = 2;

impl Filter {
    /// Makes a filter on the attribute `id`, with version 2 of the hash.
    pub fn new<R: Into<BucketRange>>(
        seed: impl Into<Box<str>>,
        ranges: impl IntoIterator<Item = R>,
    ) -> Self {
        let seed = seed.into();
        Filter {
            attribute: HashAttribute::default(),
            ranges: ranges.into_iter().map(Into::into).collect(),
            hasher: BucketHasher::new(&seed, DEFAULT_FILTER_HASH_VERSION),
            seed,
            hash_version: DEFAULT_FILTER_HASH_VERSION,
        }
    }

    /// Sets the attribute to hash. Default: `id`.
    #[must_use]
    pub fn attribute(self, attribute: impl Into<Box<str>>) -> Self {
        self.named_attribute(attribute.into().into())
    }

    pub(super) fn named_attribute(self, attribute: HashAttribute) -> Self {
        Filter { attribute, ..self }
    }

    /// Sets the version of the hash: 1 or 2. Default: 2. With any other version no user passes.
    #[must_use]
    pub fn hash_version(self, version: i64) -> Self {
        Filter { hasher: BucketHasher::new(&self.seed, version), hash_version: version, ..self }
    }

    /// Makes a filter that no user passes, in place of an unreadable one.
    pub(crate) fn unreadable() -> Self {
        Filter::new("", [BucketRange::EMPTY; 0])
    }

    pub(crate) fn hash_attribute(&self) -> &HashAttribute {
        &self.attribute
    }

    /// Returns the bucket of the hash attribute's value.
    #[inline]
    pub(crate) fn bucket(&self, value: &HashValue<'_>) -> Option<f64> {
        self.hasher?.hash(|| &self.seed, value)
    }

    pub(crate) fn ranges(&self) -> &[BucketRange] {
        &self.ranges
    }

    pub(crate) fn is_known_version(&self) -> bool {
        self.hasher.is_some()
    }

    /// Returns the number of steps to compare the ranges and to hash the seed.
    pub(crate) fn steps(&self) -> usize {
        1 + text_steps(self.seed.len()) + self.ranges.len() / ITEMS_PER_STEP
    }

    pub(crate) fn passes(&self, value: &HashValue<'_>) -> bool {
        self.bucket(value)
            .is_some_and(|bucket| self.ranges.iter().any(|range| range.contains(bucket)))
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("attribute", &self.attribute)?;
        map.serialize_entry("seed", &self.seed)?;
        map.serialize_entry("hashVersion", &self.hash_version)?;
        map.serialize_entry("ranges", &self.ranges)?;
        map.end()
    }
}
