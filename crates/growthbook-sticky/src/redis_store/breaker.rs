//! A circuit breaker for Redis: after a failure, requests fail at once until a pause is over.
//!
//! Time is an argument, so that tests need no clock.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::error::RedisStoreError;
use growthbook_support::Level;

/// The pause after the first failure. Each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The parts of Redis that fail. A single server is one part. A cluster has several, so that a dead
/// node does not stop requests to the others.
#[derive(Debug, Default)]
pub(super) struct Breakers {
    failing: HashMap<u16, Breaker>,
}

#[derive(Debug)]
struct Breaker {
    failures: u32,
    /// The last failure.
    cause: RedisStoreError,
    not_before: Instant,
    /// The time of its last failure.
    failed_at: Instant,
}

/// The beginning or the end of an outage of Redis.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outage {
    Begins(RedisStoreError),
    Ends,
}

impl Breakers {
    /// Checks that a request to these parts may be sent now. After a pause one request is admitted;
    /// the others wait for its result.
    ///
    /// # Errors
    ///
    /// When one of the parts pauses. The error names the failure before the pause.
    pub(super) fn admit(
        &mut self,
        parts: &[u16],
        now: Instant,
        deadline: Duration,
    ) -> Result<(), RedisStoreError> {
        let mut failing = parts.iter().filter_map(|part| self.failing.get(part));
        if let Some(pausing) = failing.find(|breaker| now < breaker.not_before) {
            return Err(RedisStoreError::pausing(&pausing.cause));
        }
        for part in parts {
            if let Some(breaker) = self.failing.get_mut(part) {
                // Holds back other requests until this one has its result. If its result is never
                // recorded, the next request is admitted after that time.
                breaker.not_before = now + deadline + FIRST_PAUSE;
            }
        }
        Ok(())
    }

    /// Records the result of a request to these parts. Returns the outage that begins or ends with
    /// it.
    pub(super) fn record(
        &mut self,
        parts: &[u16],
        begun: Instant,
        now: Instant,
        error: Option<&RedisStoreError>,
    ) -> Option<Outage> {
        match error {
            Some(error) if error.is_outage() => {
                self.fail(parts, error, begun, now).then(|| Outage::Begins(error.clone()))
            }
            // An error reply is a reply as well.
            _ => self.succeed(parts).then_some(Outage::Ends),
        }
    }

    /// Records that Redis did not reply. Returns whether no part had failed before.
    fn fail(
        &mut self,
        parts: &[u16],
        error: &RedisStoreError,
        begun: Instant,
        now: Instant,
    ) -> bool {
        let was_well = self.failing.is_empty();
        for part in parts {
            let breaker = self.failing.entry(*part).or_insert(Breaker {
                failures: 0,
                cause: error.clone(),
                not_before: now,
                failed_at: begun,
            });
            // A request that began before the last failure belongs to the same failure.
            if begun < breaker.failed_at {
                continue;
            }
            let pause =
                FIRST_PAUSE.saturating_mul(1 << breaker.failures.min(10)).min(LONGEST_PAUSE);
            breaker.failures = breaker.failures.saturating_add(1);
            breaker.cause = error.clone();
            breaker.failed_at = now;
            breaker.not_before = now + pause;
        }
        was_well && !parts.is_empty()
    }

    /// Records a reply. Returns whether these were the last parts that failed.
    fn succeed(&mut self, parts: &[u16]) -> bool {
        if self.failing.is_empty() {
            return false;
        }
        let found = parts.iter().filter(|part| self.failing.remove(*part).is_some()).count();
        found > 0 && self.failing.is_empty()
    }
}

impl Outage {
    pub(super) fn log(&self) {
        match self {
            Outage::Begins(error) => {
                growthbook_support::log!(Level::Warn, "sticky buckets: {error}")
            }
            Outage::Ends => {
                growthbook_support::log!(Level::Info, "sticky buckets: Redis answers again")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::RedisStoreErrorKind;
    use super::*;

    const DEADLINE: Duration = Duration::from_millis(250);
    const MILLISECOND: Duration = Duration::from_millis(1);

    fn timeout() -> RedisStoreError {
        RedisStoreError::new(RedisStoreErrorKind::TimedOut)
    }

    #[test]
    fn pause_names_the_failure_before_it() {
        let mut breakers = Breakers::default();
        let now = Instant::now();
        breakers.fail(&[0], &timeout(), now, now);
        let error = breakers.admit(&[1, 0], now, DEADLINE).unwrap_err();
        assert_eq!(error.kind(), RedisStoreErrorKind::Pausing);
        assert!(error.to_string().ends_with(&format!(": {}", timeout())), "{error}");
    }

    #[test]
    fn pauses_double_up_to_five_seconds() {
        let mut breakers = Breakers::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        assert!(breakers.admit(&[0], now, DEADLINE).is_ok());
        for _ in 0..8 {
            breakers.fail(&[0], &timeout(), now, now);
            let start = now;
            while breakers.admit(&[0], now, DEADLINE).is_err() {
                now += 10 * MILLISECOND;
            }
            pauses.push((now - start).as_millis());
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    #[test]
    fn one_request_is_admitted_after_a_pause() {
        let mut breakers = Breakers::default();
        let start = Instant::now();
        assert!(breakers.fail(&[0], &timeout(), start, start + DEADLINE));
        // These requests began together with the first one, so the pause does not grow.
        for _ in 0..63 {
            assert!(!breakers.fail(&[0], &timeout(), start, start + DEADLINE + MILLISECOND));
        }
        let now = start + DEADLINE + FIRST_PAUSE;
        assert!(breakers.admit(&[0], now, DEADLINE).is_ok());
        assert!(breakers.admit(&[0], now, DEADLINE).is_err());
        assert!(breakers.succeed(&[0]));
        for _ in 0..2 {
            assert!(breakers.admit(&[0], now, DEADLINE).is_ok());
        }
        assert!(!breakers.succeed(&[0]));
    }

    #[test]
    fn request_without_a_result_blocks_only_a_while() {
        let mut breakers = Breakers::default();
        let start = Instant::now();
        breakers.fail(&[0], &timeout(), start, start);
        assert!(breakers.admit(&[0], start + FIRST_PAUSE, DEADLINE).is_ok());
        assert!(breakers.admit(&[0], start + FIRST_PAUSE + DEADLINE, DEADLINE).is_err());
        assert!(breakers.admit(&[0], start + 2 * FIRST_PAUSE + DEADLINE, DEADLINE).is_ok());
    }

    #[test]
    fn parts_fail_independently() {
        let mut breakers = Breakers::default();
        let now = Instant::now();
        breakers.fail(&[1, 2], &timeout(), now, now);
        assert!(breakers.admit(&[3], now, DEADLINE).is_ok());
        assert!(breakers.admit(&[3, 2], now, DEADLINE).is_err());
        assert!(!breakers.succeed(&[3]) && !breakers.succeed(&[1]));
        assert!(breakers.admit(&[1], now, DEADLINE).is_ok());
        assert!(breakers.succeed(&[2]));
    }

    #[test]
    fn outage_begins_and_ends_once() {
        let mut breakers = Breakers::default();
        let now = Instant::now();
        let timeout = timeout();
        let refusal = RedisStoreError::new(RedisStoreErrorKind::Refused);
        let mut record = |error| breakers.record(&[0], now, now, error);
        assert_eq!(record(None), None);
        assert_eq!(record(Some(&refusal)), None);
        assert_eq!(record(Some(&timeout)), Some(Outage::Begins(timeout.clone())));
        assert_eq!(record(Some(&timeout)), None);
        assert_eq!(record(Some(&refusal)), Some(Outage::Ends));
        assert_eq!(record(None), None);
    }
}
