//! When a Redis that failed is asked again. Pure: time is an argument.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How long nothing is asked after a failure: doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The parts of Redis that fail. A single server is one part; a cluster has several, of neighbouring
/// slots, so that a dead node does not stop requests to the others.
#[derive(Debug, Default)]
pub(super) struct Breakers {
    failing: HashMap<u16, Breaker>,
}

#[derive(Debug)]
struct Breaker {
    failures: u32,
    not_before: Instant,
    /// When its last failure was.
    failed_at: Instant,
}

impl Breakers {
    /// Whether these parts may be asked now. When a pause is over one request may ask, and the
    /// others wait for what becomes of it.
    pub(super) fn admit(&mut self, parts: &[u16], now: Instant, deadline: Duration) -> bool {
        if self.failing.is_empty() {
            return true;
        }
        let failing = |part: &u16| self.failing.get(part);
        if parts.iter().filter_map(failing).any(|breaker| now < breaker.not_before) {
            return false;
        }
        for part in parts {
            if let Some(breaker) = self.failing.get_mut(part) {
                // For the others; and for itself, should nobody ever hear of it.
                breaker.not_before = now + deadline + FIRST_PAUSE;
            }
        }
        true
    }

    /// A request begun then could not talk to these parts. Returns whether nothing failed before.
    pub(super) fn fail(&mut self, parts: &[u16], begun: Instant, now: Instant) -> bool {
        let was_well = self.failing.is_empty();
        for part in parts {
            let breaker = self.failing.entry(*part).or_insert(Breaker {
                failures: 0,
                not_before: now,
                failed_at: begun,
            });
            // Requests that were under way at the same time tell nothing new.
            if begun < breaker.failed_at {
                continue;
            }
            let pause =
                FIRST_PAUSE.saturating_mul(1 << breaker.failures.min(10)).min(LONGEST_PAUSE);
            breaker.failures = breaker.failures.saturating_add(1);
            breaker.failed_at = now;
            breaker.not_before = now + pause;
        }
        was_well && !parts.is_empty()
    }

    /// These parts answered. Returns whether they were the last that had failed.
    pub(super) fn succeed(&mut self, parts: &[u16]) -> bool {
        if self.failing.is_empty() {
            return false;
        }
        let found = parts.iter().filter(|part| self.failing.remove(*part).is_some()).count();
        found > 0 && self.failing.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_millis(250);
    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn pauses_double_up_to_a_bound() {
        let mut breakers = Breakers::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        assert!(breakers.admit(&[0], now, DEADLINE));
        for _ in 0..8 {
            breakers.fail(&[0], now, now);
            let start = now;
            while !breakers.admit(&[0], now, DEADLINE) {
                now += 10 * MILLISECOND;
            }
            pauses.push((now - start).as_millis());
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    #[test]
    fn one_request_asks_for_all() {
        let mut breakers = Breakers::default();
        let start = Instant::now();
        assert!(breakers.fail(&[0], start, start + DEADLINE));
        // They began when the first did.
        for _ in 0..63 {
            assert!(!breakers.fail(&[0], start, start + DEADLINE + MILLISECOND));
        }
        let now = start + DEADLINE + FIRST_PAUSE;
        assert!(breakers.admit(&[0], now, DEADLINE));
        assert!(!breakers.admit(&[0], now, DEADLINE));
        assert!(breakers.succeed(&[0]));
        assert!(breakers.admit(&[0], now, DEADLINE) && breakers.admit(&[0], now, DEADLINE));
        assert!(!breakers.succeed(&[0]));
    }

    #[test]
    fn a_request_nobody_hears_of_stops_nothing() {
        let mut breakers = Breakers::default();
        let start = Instant::now();
        breakers.fail(&[0], start, start);
        assert!(breakers.admit(&[0], start + FIRST_PAUSE, DEADLINE));
        assert!(breakers.admit(&[0], start + 3 * FIRST_PAUSE + DEADLINE, DEADLINE));
    }

    #[test]
    fn other_parts_are_asked_still() {
        let mut breakers = Breakers::default();
        let now = Instant::now();
        breakers.fail(&[1, 2], now, now);
        assert!(breakers.admit(&[3], now, DEADLINE));
        assert!(!breakers.admit(&[3, 2], now, DEADLINE));
        assert!(!breakers.succeed(&[3]) && !breakers.succeed(&[1]));
        assert!(breakers.admit(&[1], now, DEADLINE));
        assert!(breakers.succeed(&[2]));
    }
}
