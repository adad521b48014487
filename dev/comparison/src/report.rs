//! The results: as JSON between the binaries, and as Markdown for people.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::spread::Spread;

/// The requirements, by number from 1.
const REQUIREMENTS: [&str; 12] = [
    "The core beside hand-written code, and beside the fastest other product",
    "The facade beside the core",
    "Tracking, with exposures that were seen before",
    "A request: attributes, scope, one evaluation",
    "Allocations without tracking",
    "The same flag in a small and a large payload",
    "Lists of 10 and 100,000 members",
    "The official Rust SDK",
    "Loading a payload",
    "Memory of a snapshot",
    "Threads and swaps",
    "Memory over time",
];

/// The name of the scenario of loading a payload. The scripts use the same name.
pub const LOAD: &str = "load, 1,000 features";

/// The results of one binary or one script.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Names and versions of programs and packages that are not in our lock file.
    pub versions: Vec<(String, String)>,
    /// The times of evaluations.
    pub times: Vec<Time>,
    /// The missing and different functions of products.
    pub notes: Vec<String>,
    /// The figures with a target.
    pub rows: Vec<Row>,
}

/// The time of a product for a scenario.
#[derive(Debug, Serialize, Deserialize)]
pub struct Time {
    /// The name of the scenario.
    pub scenario: String,
    /// The name of the product.
    pub product: String,
    /// The time in nanoseconds.
    pub nanoseconds: Spread,
}

/// A figure with a target.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    /// The number of the requirement.
    pub number: u8,
    /// The name of the figure.
    pub what: String,
    /// The figure.
    pub figure: Quantity,
    /// The name and the figure to compare with.
    pub beside: Option<(String, Quantity)>,
    /// The figure divided by the figure to compare with.
    pub ratio: Option<Spread>,
    /// The required limit.
    pub target: Target,
}

/// A number with its unit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Time, in nanoseconds.
    Nanoseconds(Spread),
    /// Memory, in bytes.
    Bytes(f64),
    /// Heap allocations.
    Allocations(f64),
    /// Evaluations per second.
    PerSecond(Spread),
}

/// A limit. It applies to the ratio of a row, or to the figure if the row has no ratio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// An upper limit.
    AtMost(f64),
    /// A lower limit.
    AtLeast(f64),
    /// A lower and an upper limit.
    Between(f64, f64),
    /// No limit: the row is for information.
    None,
}

impl Report {
    /// Reads a report. A missing file gives an empty report.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not a report.
    pub fn read(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Report::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the report.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec_pretty(self)?)
    }

    /// Adds the results of another report.
    pub fn append(&mut self, other: Report) {
        self.versions.extend(other.versions);
        self.times.extend(other.times);
        self.notes.extend(other.notes);
        self.rows.extend(other.rows);
    }

    /// Returns tables of times and rows, and the notes.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        if !self.times.is_empty() {
            text += &self.times_table();
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for (number, title) in (1..).zip(REQUIREMENTS) {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.number == number).collect();
            if rows.is_empty() {
                continue;
            }
            let _ = writeln!(text, "### {number}. {title}\n");
            text += "| | figure | beside | ratio | target | verdict |\n";
            text += "|---|--:|--:|--:|--:|---|\n";
            rows.iter().for_each(|row| text += &row.to_markdown());
            text.push('\n');
        }
        text
    }

    /// Returns the number of met targets, and the requirements with missed targets.
    pub fn summary(&self) -> String {
        let verdicts = || self.rows.iter().filter_map(|row| Some((row.number, row.is_met()?)));
        let met = verdicts().filter(|(_, is_met)| *is_met).count();
        let mut text = format!("{met} of {} targets are met.", verdicts().count());
        let missed = (1..).zip(REQUIREMENTS).filter_map(|(number, title)| {
            let of_this = || verdicts().filter(move |(of, _)| *of == number);
            let missed = of_this().filter(|(_, is_met)| !is_met).count();
            (missed > 0)
                .then(|| format!("- {number}. {title}: {missed} of {}\n", of_this().count()))
        });
        let missed: String = missed.collect();
        if !missed.is_empty() {
            text += " Not met are:\n\n";
            text += &missed;
        }
        text
    }

    /// Returns a table with a line for each scenario and a column for each product, in the order of
    /// the results.
    fn times_table(&self) -> String {
        let (mut scenarios, mut products) = (Vec::new(), Vec::new());
        for time in &self.times {
            add_new(&mut scenarios, time.scenario.as_str());
            add_new(&mut products, time.product.as_str());
        }
        let mut text =
            format!("| | {} |\n|---|{}\n", products.join(" | "), "--:|".repeat(products.len()));
        for scenario in scenarios {
            let _ = write!(text, "| {scenario} |");
            for product in &products {
                let of_product = self.times.iter().filter(|time| time.product == *product);
                let time = fastest(of_product, scenario);
                let cell = time.map(|time| nanoseconds(time.nanoseconds.median));
                let _ = write!(text, " {} |", cell.unwrap_or_default());
            }
            text.push('\n');
        }
        text
    }
}

/// Returns the fastest time for a scenario.
pub fn fastest<'a>(times: impl Iterator<Item = &'a Time>, scenario: &str) -> Option<&'a Time> {
    times
        .filter(|time| time.scenario == scenario)
        .min_by(|a, b| a.nanoseconds.median.total_cmp(&b.nanoseconds.median))
}

fn add_new<'a>(names: &mut Vec<&'a str>, name: &'a str) {
    if !names.contains(&name) {
        names.push(name);
    }
}

impl Row {
    /// Returns whether the target is met; `None` if there is no target.
    pub fn is_met(&self) -> Option<bool> {
        let measured = self.ratio.map_or(self.figure.median(), |ratio| ratio.median);
        match self.target {
            Target::AtMost(limit) => Some(measured <= limit),
            Target::AtLeast(limit) => Some(measured >= limit),
            Target::Between(low, high) => Some(low <= measured && measured <= high),
            Target::None => None,
        }
    }

    fn to_markdown(&self) -> String {
        let beside = self.beside.as_ref();
        let beside =
            beside.map_or(String::new(), |(name, value)| format!("{name} {}", value.text()));
        let verdict = match self.is_met() {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "",
        };
        format!(
            "| {} | {} | {beside} | {} | {} | {verdict} |\n",
            self.what,
            self.figure.text_with_spread(),
            self.ratio.map_or(String::new(), ratio),
            self.target_text(),
        )
    }

    fn target_text(&self) -> String {
        let value = |limit: f64| match self.ratio {
            Some(_) => format!("{}x", significant(limit)),
            None => self.figure.with(limit).text(),
        };
        match self.target {
            Target::AtMost(limit) => format!("at most {}", value(limit)),
            Target::AtLeast(limit) => format!("at least {}", value(limit)),
            Target::Between(low, high) => format!("{} to {}", value(low), value(high)),
            Target::None => String::new(),
        }
    }
}

impl Quantity {
    fn median(self) -> f64 {
        match self {
            Quantity::Nanoseconds(spread) | Quantity::PerSecond(spread) => spread.median,
            Quantity::Bytes(value) | Quantity::Allocations(value) => value,
        }
    }

    /// Returns another value with the same unit.
    fn with(self, value: f64) -> Self {
        match self {
            Quantity::Nanoseconds(_) => Quantity::Nanoseconds(Spread::exactly(value)),
            Quantity::PerSecond(_) => Quantity::PerSecond(Spread::exactly(value)),
            Quantity::Bytes(_) => Quantity::Bytes(value),
            Quantity::Allocations(_) => Quantity::Allocations(value),
        }
    }

    fn text(self) -> String {
        match self {
            Quantity::Nanoseconds(spread) => nanoseconds(spread.median),
            Quantity::PerSecond(spread) => format!("{:.2} M/s", spread.median / 1e6),
            Quantity::Bytes(value) => format!("{:.0} kB", value / 1e3),
            Quantity::Allocations(count) => format!("{} allocations", significant(count)),
        }
    }

    fn text_with_spread(self) -> String {
        match self {
            Quantity::Nanoseconds(spread) => {
                let (low, high) = (nanoseconds(spread.low), nanoseconds(spread.high));
                format!("{} ({low} to {high})", self.text())
            }
            Quantity::PerSecond(spread) => {
                let (low, high) = (spread.low / 1e6, spread.high / 1e6);
                format!("{} ({low:.2} to {high:.2})", self.text())
            }
            _ => self.text(),
        }
    }
}

fn ratio(spread: Spread) -> String {
    let [median, low, high] = [spread.median, spread.low, spread.high].map(significant);
    if low == high { format!("{median}x") } else { format!("{median}x ({low} to {high})") }
}

/// Returns a time with a suitable unit.
fn nanoseconds(time: f64) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")];
    let (unit, name) = units.into_iter().find(|(unit, _)| time >= *unit).unwrap_or((1.0, "ns"));
    format!("{} {name}", significant(time / unit))
}

/// Returns a number with three digits, or with all digits before the decimal point.
fn significant(value: f64) -> String {
    let magnitude = value.abs();
    let digits = match magnitude {
        _ if magnitude == value.abs().trunc() => 0,
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        0.1.. => 3,
        0.01.. => 4,
        _ => 6,
    };
    let text = format!("{value:.digits$}");
    if digits == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let cases = [
            (0.0, "0"),
            (2.0, "2"),
            (1234.4, "1234"),
            (99.96, "100"),
            (12.34, "12.3"),
            (1.5, "1.5"),
            (1.234, "1.23"),
            (0.12345, "0.123"),
            (0.001, "0.001"),
        ];
        for (value, expected) in cases {
            assert_eq!(significant(value), expected);
        }
    }

    #[test]
    fn times_have_a_suitable_unit() {
        let cases = [(0.31, "0.31 ns"), (999.0, "999 ns"), (1500.0, "1.5 µs"), (6e6, "6 ms")];
        for (time, expected) in cases {
            assert_eq!(nanoseconds(time), expected);
        }
    }

    fn row(ratio: Option<f64>, target: Target) -> Row {
        Row {
            number: 1,
            what: "something".into(),
            figure: Quantity::Nanoseconds(Spread::exactly(30.0)),
            beside: None,
            ratio: ratio.map(Spread::exactly),
            target,
        }
    }

    #[test]
    fn target_applies_to_the_ratio_first() {
        assert_eq!(row(None, Target::AtMost(29.0)).is_met(), Some(false));
        assert_eq!(row(Some(2.0), Target::AtMost(2.0)).is_met(), Some(true));
        assert_eq!(row(Some(2.0), Target::AtLeast(2.1)).is_met(), Some(false));
        assert_eq!(row(Some(1.1), Target::Between(0.9, 1.1)).is_met(), Some(true));
        assert_eq!(row(Some(1.1), Target::None).is_met(), None);
    }

    #[test]
    fn summary_counts_rows_with_a_target() {
        let rows = [Target::AtMost(2.0), Target::AtMost(4.0), Target::None];
        let rows = rows.map(|target| row(Some(3.0), target)).into();
        let summary = Report { rows, ..Report::default() }.summary();
        let expected =
            format!("1 of 2 targets are met. Not met are:\n\n- 1. {}: 1 of 2\n", REQUIREMENTS[0],);
        assert_eq!(summary, expected);
    }

    #[test]
    fn row_becomes_a_markdown_line() {
        assert_eq!(
            row(Some(3.0), Target::AtMost(2.0)).to_markdown(),
            "| something | 30 ns (30 ns to 30 ns) |  | 3x | at most 2x | **not met** |\n",
        );
    }
}
