//! The figures and their targets.

use std::fmt;
use std::time::Duration;

use crate::Size;
use crate::machine::{Delay, WAKE_UPS};

/// The figures of a run, in the order of their measurement.
#[derive(Default)]
pub(crate) struct Report(Vec<Figure>);

struct Figure {
    name: String,
    measured: String,
    target: String,
    kind: Kind,
    is_met: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It depends on the machine and on what else it does.
    Time,
    /// It is the same on every machine.
    Count,
}

impl Report {
    /// Adds a time, which must not be longer than its target and the delay of the machine.
    pub(crate) fn time(&mut self, name: &str, measured: Duration, target: Duration, delay: Delay) {
        let allowed = target + delay.0 * WAKE_UPS;
        self.0.push(Figure {
            name: name.to_owned(),
            measured: text(measured),
            target: format!("{} + {}", text(target), text(delay.0 * WAKE_UPS)),
            kind: Kind::Time,
            is_met: measured <= allowed,
        });
    }

    /// Adds a count, which must not be larger than its target.
    pub(crate) fn count(&mut self, name: &str, measured: u64, target: u64) {
        self.0.push(Figure {
            name: name.to_owned(),
            measured: measured.to_string(),
            target: target.to_string(),
            kind: Kind::Count,
            is_met: measured <= target,
        });
    }

    /// Whether every figure that counts in a run of this size met its target.
    pub(crate) fn passes(&self, size: Size) -> bool {
        let counts = |figure: &&Figure| size == Size::Full || figure.kind == Kind::Count;
        self.0.iter().filter(counts).all(|figure| figure.is_met)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:<58}{:>10}   {:<22}", "figure", "measured", "at most")?;
        for Figure { name, measured, target, is_met, .. } in &self.0 {
            let verdict = if *is_met { "" } else { "MISSED" };
            let line = format!("{name:<58}{measured:>10}   {target:<22}{verdict}");
            writeln!(formatter, "{}", line.trim_end())?;
        }
        writeln!(
            formatter,
            "a time may be longer by what the machine itself delayed {WAKE_UPS} threads"
        )
    }
}

fn text(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{:.1} ms", time.as_secs_f64() * 1e3)
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
