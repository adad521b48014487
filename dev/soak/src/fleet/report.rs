//! The result of the measurements of a fleet, and the limits.

use std::fmt;
use std::time::Duration;

use super::{INTERVAL, LEASE, Latency, Outage, PROCESSES};
use crate::report::{SLOW, SLOW_RATIO, ratio};

/// The result of the measurements of a fleet.
pub(crate) struct Report {
    /// The requests until all processes had their first payload.
    pub(super) start_requests: usize,
    pub(super) together: Fetches,
    pub(super) one_after_another: Fetches,
    /// The time until the slowest change reached all processes.
    pub(super) change: Duration,
    /// The time until a change reached all processes after the holder of the lease died.
    pub(super) dead_holder: Duration,
    pub(super) before_outage: Latency,
    pub(super) outage: Outage,
}

/// The requests of a fleet in a time.
pub(super) struct Fetches {
    pub(super) requests: usize,
    /// The length of the time, in poll intervals.
    pub(super) intervals: f64,
}

impl Fetches {
    /// Returns whether one process fetched for all. A payload is fresh for half an interval, so
    /// that there may be more fetches than intervals.
    fn are_shared(&self) -> bool {
        let requests = self.requests as f64;
        (self.intervals * 0.5 - 1.0..=self.intervals * 1.6 + 1.0).contains(&requests)
    }
}

impl fmt::Display for Fetches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} fetches in {:.1} intervals", self.requests, self.intervals)
    }
}

impl Report {
    /// Returns the limits that were exceeded.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        check(self.start_requests <= 2, "several processes fetch at the start");
        for (fetches, when) in [
            (&self.together, "together"),
            (&self.one_after_another, "one after another"),
            (&self.outage.fetches_after, "before an outage of Redis"),
        ] {
            let problem = format!("processes that started {when} do not share their fetches");
            check(fetches.are_shared(), &problem);
        }
        let (before, during) = (self.before_outage.p99, self.outage.during.p99);
        let is_fast = during <= SLOW || ratio(before, during) <= SLOW_RATIO;
        check(is_fast, "evaluation waits for Redis");
        problems
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outage = &self.outage;
        writeln!(formatter, "{PROCESSES} processes that poll every {INTERVAL:?}")?;
        writeln!(formatter, "  fetches at the start: {}", self.start_requests)?;
        writeln!(formatter, "  then: {}", self.together)?;
        writeln!(formatter, "  started one after another: {}", self.one_after_another)?;
        writeln!(formatter, "  a change reached all within {:.0?}", self.change)?;
        let delay = self.dead_holder;
        writeln!(formatter, "  after a holder of a lease of {LEASE:?} died, within {delay:.0?}")?;
        writeln!(formatter, "  without Redis, within {:.0?}", outage.change)?;
        writeln!(formatter, "  Redis had a payload {:.0?} after its restart", outage.recovery)?;
        writeln!(formatter, "  after that: {}", outage.fetches_after)?;
        writeln!(formatter, "{:<20}{:>12}{:>12}{:>12}", "evaluation", "p50", "p99", "p99.9")?;
        for (when, latency) in [
            ("before the outage", self.before_outage),
            ("during the outage", outage.during),
            ("after the outage", outage.after),
        ] {
            writeln!(formatter, "  {when:<18}{latency}")?;
        }
        Ok(())
    }
}
