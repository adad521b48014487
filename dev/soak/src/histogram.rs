//! A histogram of durations in a fixed amount of memory.

use std::time::Duration;

/// Buckets for each power of two. A reported duration is at most 1/32 too long.
const PER_POWER: usize = 32;
const PER_POWER_BITS: u32 = PER_POWER.trailing_zeros();
const BUCKETS: usize = PER_POWER * (64 - PER_POWER_BITS as usize + 1);

/// The counts of durations, by their size in nanoseconds.
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Histogram { buckets: vec![0; BUCKETS], count: 0, max: Duration::ZERO }
    }

    pub(crate) fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(nanos)) {
            *bucket += 1;
        }
        self.count += 1;
        self.max = self.max.max(duration);
    }

    pub(crate) fn add(&mut self, other: &Histogram) {
        for (bucket, others) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket += others;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn max(&self) -> Duration {
        self.max
    }

    /// Returns the duration that one in `share` durations reaches or exceeds.
    pub(crate) fn slowest(&self, share: u64) -> Duration {
        let rank = (self.count / share).max(1);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate().rev() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(longest_in(index)).min(self.max);
            }
        }
        Duration::ZERO
    }
}

fn bucket_of(nanos: u64) -> usize {
    // Each small number has its own bucket. This counts the powers of two above them.
    let power = nanos.checked_ilog2().unwrap_or(0).saturating_sub(PER_POWER_BITS);
    // This is from PER_POWER up to twice that, except for small numbers.
    let leading = (nanos >> power) as usize;
    PER_POWER * power as usize + leading
}

fn longest_in(bucket: usize) -> u64 {
    let power = (bucket / PER_POWER).saturating_sub(1);
    let leading = (bucket - PER_POWER * power) as u64;
    (leading << power) | ((1 << power) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_narrow() {
        let powers = (0..64).map(|power| 1_u64 << power);
        let near = powers.flat_map(|it| [it - 1, it, it + 1, it + it / 3]);
        for nanos in near.chain([u64::MAX]) {
            let bucket = bucket_of(nanos);
            assert!(bucket < BUCKETS, "{nanos} in {bucket}");
            let longest = longest_in(bucket);
            assert!(longest >= nanos && longest - nanos <= nanos / 32, "{nanos}: {longest}");
            assert_eq!(bucket_of(longest), bucket);
        }
    }

    #[test]
    fn slowest_durations_are_found() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.slowest(10), Duration::ZERO);
        for nanos in 1..=100 {
            histogram.record(Duration::from_nanos(nanos));
        }
        assert_eq!(histogram.count(), 100);
        assert_eq!(histogram.max(), Duration::from_nanos(100));
        // The slowest ten start at 91, and its bucket ends there.
        assert_eq!(histogram.slowest(10), Duration::from_nanos(91));
        assert_eq!(histogram.slowest(1_000), Duration::from_nanos(100));
    }
}
