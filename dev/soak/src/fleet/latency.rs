//! How long evaluations in the processes of a fleet take.

use std::fmt;
use std::time::Duration;

use test_server::Processes;

use super::service;
use crate::histogram::Histogram;

#[derive(Clone, Copy)]
pub(super) struct Latency {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    p999: Duration,
}

impl Latency {
    /// Returns the latency in the processes while an action runs, and the result of the action.
    ///
    /// It is the median of the processes. A process that got no processor time for a while does
    /// not count.
    pub(super) fn during<R>(processes: &Processes, action: impl FnOnce() -> R) -> (Self, R) {
        processes.ask(service::LATENCY);
        let result = action();
        let answers = processes.ask(service::LATENCY);
        let all: Vec<Latency> = answers.iter().filter_map(|line| Latency::parse(line)).collect();
        let median = |part: fn(&Latency) -> Duration| {
            let mut parts: Vec<Duration> = all.iter().map(part).collect();
            parts.sort_unstable();
            parts.get(parts.len() / 2).copied().unwrap_or_default()
        };
        let [p50, p99, p999] = [median(|it| it.p50), median(|it| it.p99), median(|it| it.p999)];
        (Latency { p50, p99, p999 }, result)
    }

    pub(super) fn of(histogram: &Histogram) -> Self {
        let [p50, p99, p999] = [2, 100, 1_000].map(|share| histogram.slowest(share));
        Latency { p50, p99, p999 }
    }

    pub(super) fn to_line(self) -> String {
        [self.p50, self.p99, self.p999].map(|it| it.as_nanos().to_string()).join(" ")
    }

    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(' ').map(|part| part.parse().ok().map(Duration::from_nanos));
        Some(Latency { p50: parts.next()??, p99: parts.next()??, p999: parts.next()?? })
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [self.p50, self.p99, self.p999] {
            write!(formatter, "{:>9.1} µs", part.as_secs_f64() * 1e6)?;
        }
        Ok(())
    }
}
