//! GrowthBook's hash: 32-bit FNV-1a over UTF-16 code units. The constants are Fowler, Noll and
//! Vo's. Hashing code units is GrowthBook's own choice, see "Build your own SDK".

use crate::hash_value::HashValue;
use crate::json::js_number_string;

const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;
const NAMESPACE_PREFIX: &str = "__";

/// Hashes `value` with `seed` to a number in [0, 1).
///
/// Version 1 has 1,000 steps and a known bias. Version 2 has 10,000 steps. Returns `None` for any
/// other version.
///
/// ```
/// assert_eq!(growthbook_core::bucketing::hash("seed", "a", 2), Some(0.0505));
/// assert_eq!(growthbook_core::bucketing::hash("seed", "a", 3), None);
/// ```
pub fn hash(seed: &str, value: &str, version: i64) -> Option<f64> {
    Some(BucketHasher::new(seed, version)?.hash_str(|| seed, value))
}

/// A hash function with a fixed seed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BucketHasher {
    /// The seed comes after the value, so that nothing can be computed ahead.
    V1,
    /// The seed comes before the value. `seeded` is the state after the seed.
    V2 { seeded: u32 },
}

impl BucketHasher {
    /// Returns `None` for a version that this SDK does not know. No user is included then.
    pub(crate) fn new(seed: &str, version: i64) -> Option<Self> {
        match version {
            1 => Some(BucketHasher::V1),
            2 => Some(BucketHasher::V2 { seeded: fnv1a(FNV_OFFSET, seed) }),
            _ => None,
        }
    }

    /// Returns the bucket of a hash attribute's value; `None` when there is no value. `seed` must
    /// return the seed this hasher was made with.
    #[inline]
    pub(crate) fn hash<'s>(
        self,
        seed: impl FnOnce() -> &'s str,
        value: &HashValue<'_>,
    ) -> Option<f64> {
        with_text(value, |text| self.hash_str(seed, text))
    }

    #[inline]
    fn hash_str<'s>(self, seed: impl FnOnce() -> &'s str, value: &str) -> f64 {
        match self {
            BucketHasher::V1 => thousandths(fnv1a(fnv1a(FNV_OFFSET, value), seed())),
            BucketHasher::V2 { seeded } => {
                f64::from(fnv1a_decimal(fnv1a(seeded, value)) % 10_000) / 10_000.0
            }
        }
    }
}

/// Returns the bucket in a namespace. Namespaces hash with version 1, and the seed is `__` and the
/// id.
pub(super) fn namespace_hash(id: &str, value: &HashValue<'_>) -> Option<f64> {
    with_text(value, |text| {
        thousandths(fnv1a(fnv1a(fnv1a(FNV_OFFSET, text), NAMESPACE_PREFIX), id))
    })
}

/// Calls `hash` with the value's text. Returns `None` when the value is missing.
#[inline]
fn with_text(value: &HashValue<'_>, hash: impl FnOnce(&str) -> f64) -> Option<f64> {
    match value {
        HashValue::Missing => None,
        HashValue::String(text) => Some(hash(text)),
        HashValue::Number(number) => Some(js_number_string(number.as_f64(), hash)),
    }
}

fn thousandths(hash: u32) -> f64 {
    f64::from(hash % 1_000) / 1_000.0
}

#[inline]
fn fnv1a(state: u32, text: &str) -> u32 {
    // Assumes ASCII, which is nearly always right, and starts again if it was not.
    let (mut hash, mut bits) = (state, 0);
    for byte in text.bytes() {
        hash = step(hash, byte.into());
        bits |= byte;
    }
    if bits.is_ascii() { hash } else { fnv1a_units(state, text) }
}

#[cold]
fn fnv1a_units(state: u32, text: &str) -> u32 {
    text.encode_utf16().fold(state, |state, unit| step(state, unit.into()))
}

/// Hashes the decimal digits of a number.
#[inline]
fn fnv1a_decimal(number: u32) -> u32 {
    // One number of 43 has fewer than nine digits.
    let powers = [100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let [first_power, ..] = powers;
    if number < first_power {
        return fnv1a_few_digits(number);
    }
    // Divisions by constants compile to multiplications. Each divides the whole number, so that
    // none waits for another. A branch on a tenth digit would be hard to predict.
    let mut above = number / 1_000_000_000;
    let mut state = if above > 0 { step(FNV_OFFSET, u32::from(b'0') + above) } else { FNV_OFFSET };
    for power in powers {
        let up_to_here = number / power;
        let digit = up_to_here - above * 10;
        state = step(state, u32::from(b'0') + digit);
        above = up_to_here;
    }
    state
}

#[cold]
fn fnv1a_few_digits(number: u32) -> u32 {
    let digits = (0..=number.checked_ilog10().unwrap_or(0)).rev();
    digits.fold(FNV_OFFSET, |state, digit| {
        step(state, u32::from(b'0') + number / 10_u32.pow(digit) % 10)
    })
}

#[inline]
fn step(state: u32, unit: u32) -> u32 {
    (state ^ unit).wrapping_mul(FNV_PRIME)
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_digits_hash_like_their_text() {
        for number in
            [0, 7, 10, 99, 100, 99_999_999, 100_000_000, 999_999_999, 1_000_000_000, u32::MAX]
        {
            assert_eq!(fnv1a_decimal(number), fnv1a(FNV_OFFSET, &number.to_string()));
        }
    }

    #[test]
    fn a_number_hashes_like_its_javascript_text() {
        let hasher = BucketHasher::new("seed", 2).unwrap();
        let number = HashValue::Number(crate::json::Number::from_f64(1e21).unwrap());
        let seed = || "seed";
        assert_eq!(hasher.hash(seed, &number), Some(hasher.hash_str(seed, "1e+21")));
    }

    proptest! {
        #[test]
        fn buckets_lie_in_the_unit_interval(seed: String, value: String, version in 1..=2_i64) {
            let bucket = hash(&seed, &value, version).unwrap();
            prop_assert!((0.0..1.0).contains(&bucket));
        }

        #[test]
        fn a_precomputed_seed_changes_nothing(seed: String, value: String) {
            let whole = fnv1a(FNV_OFFSET, &[seed.as_str(), &value].concat());
            prop_assert_eq!(fnv1a(fnv1a(FNV_OFFSET, &seed), &value), whole);
        }
    }
}
