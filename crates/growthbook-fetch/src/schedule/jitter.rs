//! Randomness for delays, so that many clients do not ask at the same time.

use std::time::Duration;

/// A small pseudo-random generator
/// ([SplitMix64](https://doi.org/10.1145/2714064.2660195)), seeded by its owner.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Jitter(seed)
    }

    /// Returns a part of the duration, evenly distributed between the two shares.
    pub(crate) fn part(&mut self, whole: Duration, from: f64, to: f64) -> Duration {
        let share = from + (to - from) * self.unit();
        // A share out of range is a mistake. The whole is still a sensible delay.
        Duration::try_from_secs_f64(whole.as_secs_f64() * share).unwrap_or(whole)
    }

    /// Returns a number from 0 up to, but not including, 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The upper 53 bits are exact in a double.
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}
