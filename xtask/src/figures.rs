//! Figures of cases, such as instructions or bytes: the committed file, and its comparison with new
//! figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use crate::Result;
use crate::run::{output, root};

/// How much a figure may grow, in percent.
const LIMIT: f64 = 5.0;

/// How much a figure may grow, in percent, if another compiler made the committed figures.
const LIMIT_OTHER_COMPILER: f64 = 25.0;

/// A smaller difference, in percent, is chance.
const NOISE: f64 = 1.0;

/// The width of a printed case name.
const NAME: usize = 48;

/// Figures by the case's name, with the compiler and target they hold for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    /// The version of rustc.
    pub(crate) rustc: String,
    /// The target triple.
    pub(crate) host: String,
    pub(crate) cases: BTreeMap<String, u64>,
}

/// Compares figures with the committed file.
///
/// # Errors
///
/// When a figure grew by more than the limit, or the cases are not the committed ones.
pub(crate) fn check(file: &str, bless: &str, advice: &str, now: &Figures) -> Result {
    let text = fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    let committed = Figures::parse(&text).map_err(|error| format!("{file}: {error}"))?;
    let comparison = compare(&committed, now);
    print!("{}", comparison.text);
    if comparison.grown > 0 {
        let grown = comparison.grown;
        return Err(format!(
            "{grown} of the figures grew too much: {advice}; `{bless}` accepts the new figures"
        )
        .into());
    }
    if comparison.unmatched > 0 {
        return Err(format!("the cases are not those in {file}: run `{bless}`").into());
    }
    if comparison.shrunk > 0 {
        println!("{} of the figures shrank: `{bless}` keeps the gain", comparison.shrunk);
    }
    Ok(())
}

/// Writes the file to commit.
pub(crate) fn bless(file: &str, head: &str, mut now: Figures) -> Result {
    let path = root().join(file);
    let committed = fs::read_to_string(&path).ok().and_then(|text| Figures::parse(&text).ok());
    if let Some(committed) = committed {
        print!("{}", compare(&committed, &now).text);
        now = now.or_earlier(&committed);
    }
    fs::write(&path, now.to_text(head))?;
    println!("wrote {file}");
    Ok(())
}

impl Figures {
    /// Returns figures of the compiler in use.
    pub(crate) fn of(cases: BTreeMap<String, u64>) -> Result<Figures> {
        let (rustc, host) = compiler()?;
        Ok(Figures { rustc, host, cases })
    }

    /// Parses the output of [`to_text`](Figures::to_text).
    ///
    /// # Errors
    ///
    /// When a line has no figure, or the compiler or the host is missing.
    fn parse(text: &str) -> Result<Figures> {
        let (mut rustc, mut host, mut cases) = (None, None, BTreeMap::new());
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        for line in lines.filter(|line| !line.starts_with('#')) {
            let broken = || format!("the line has no figure: {line:?}");
            let (name, value) = line.rsplit_once(' ').ok_or_else(broken)?;
            match name.trim_end() {
                "rustc" => rustc = Some(value.to_owned()),
                "host" => host = Some(value.to_owned()),
                name => {
                    let figure = value.replace('_', "").parse().map_err(|_| broken())?;
                    cases.insert(name.to_owned(), figure);
                }
            }
        }
        let rustc = rustc.ok_or("the line with the version of rustc is missing")?;
        Ok(Figures { rustc, host: host.ok_or("the line with the host is missing")?, cases })
    }

    /// Returns the text of the file. The head is its first line.
    fn to_text(&self, head: &str) -> String {
        let mut text = format!("# {head}\nrustc {}\nhost {}\n\n", self.rustc, self.host);
        for (name, figure) in &self.cases {
            text.push_str(&format!("{name:<NAME$} {figure:>12}\n"));
        }
        text
    }

    /// Replaces figures that hardly changed with the earlier ones, so that blessing keeps them.
    fn or_earlier(mut self, earlier: &Figures) -> Figures {
        if (&self.rustc, &self.host) == (&earlier.rustc, &earlier.host) {
            for (name, figure) in &mut self.cases {
                let earlier = earlier.cases.get(name).copied();
                *figure =
                    earlier.filter(|it| change(*it, *figure).abs() < NOISE).unwrap_or(*figure);
            }
        }
        self
    }

    /// Returns how much a figure may have grown since these, in percent. `None` means no limit.
    /// Another compiler generates other code, and another processor has other instructions.
    fn limit(&self, now: &Figures) -> Option<f64> {
        if self.host != now.host {
            None
        } else if self.rustc != now.rustc {
            Some(LIMIT_OTHER_COMPILER)
        } else {
            Some(LIMIT)
        }
    }
}

/// The committed figures next to the new ones.
struct Comparison {
    /// The table to print.
    text: String,
    /// The number of cases that grew by more than the limit.
    grown: usize,
    /// The number of cases that shrank by more than the limit.
    shrunk: usize,
    /// The number of cases without a committed figure, and of figures without a case.
    unmatched: usize,
}

fn compare(committed: &Figures, now: &Figures) -> Comparison {
    let limit = committed.limit(now);
    let mut result = Comparison { text: String::new(), grown: 0, shrunk: 0, unmatched: 0 };
    let Figures { rustc, host, .. } = committed;
    result.text = match limit {
        Some(limit) => {
            format!("committed figures: rustc {rustc} on {host}; the limit is {limit} % more\n")
        }
        None => format!("committed figures: {host}; they set no limit on {}\n", now.host),
    };
    let limit = limit.unwrap_or(f64::INFINITY);
    let title = ["case", "committed", "now", "change"];
    result.text += &row(title);
    let names: BTreeSet<&String> = committed.cases.keys().chain(now.cases.keys()).collect();
    for name in names {
        let (before, after) = (committed.cases.get(name), now.cases.get(name));
        let change = match (before, after) {
            (Some(&before), Some(&after)) => {
                let percent = change(before, after);
                result.grown += usize::from(percent > limit);
                result.shrunk += usize::from(percent < -limit);
                let verdict = if percent > limit { " grew" } else { "" };
                format!("{percent:+.2} %{verdict}")
            }
            (None, _) => "new".into(),
            (_, None) => "gone".into(),
        };
        result.unmatched += usize::from(before.is_none() || after.is_none());
        let figure = |figure: Option<&u64>| figure.map_or("-".into(), u64::to_string);
        result.text += &row([name, &figure(before), &figure(after), &change]);
    }
    result
}

/// Returns the version of rustc and the target it compiles for.
fn compiler() -> Result<(String, String)> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = output(Command::new(rustc).arg("-vV").current_dir(root()))?;
    let member = |name: &str| {
        text.lines()
            .find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
            .ok_or_else(|| format!("the output of `rustc -vV` has no line `{name}`"))
    };
    Ok((member("release:")?, member("host:")?))
}

/// Returns the change in percent.
fn change(before: u64, after: u64) -> f64 {
    (after as f64 - before as f64) * 100.0 / before.max(1) as f64
}

fn row([name, before, after, change]: [&str; 4]) -> String {
    format!("{name:<NAME$} {before:>12} {after:>12} {change:>10}\n")
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Figures, compare};

    fn figures(rustc: &str, host: &str, cases: &[(&str, u64)]) -> Figures {
        let cases = cases.iter().map(|(name, figure)| ((*name).into(), *figure)).collect();
        Figures { rustc: rustc.into(), host: host.into(), cases }
    }

    fn usual(cases: &[(&str, u64)]) -> Figures {
        figures("1.95.0", "x86_64", cases)
    }

    #[test]
    fn written_figures_are_read_back() {
        let written = usual(&[("50/50 experiment, 5,000 flags: core", 1196), ("load", 11_290_650)]);
        assert_eq!(Figures::parse(&written.to_text("Head")).unwrap(), written);
    }

    #[test]
    fn malformed_file_is_an_error() {
        for text in [
            "rustc 1.95.0\nhost x86_64\ncase many\n",
            "rustc 1.95.0\nhost x86_64\ncase\n",
            "host x86_64\ncase 1\n",
            "rustc 1.95.0\ncase 1\n",
        ] {
            assert!(Figures::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn limit_depends_on_compiler_and_host() {
        let committed = usual(&[("case", 1_000)]);
        let verdicts = [
            (usual(&[("case", 1_050)]), 0, 0),
            (usual(&[("case", 1_051)]), 1, 0),
            (usual(&[("case", 950)]), 0, 0),
            (usual(&[("case", 949)]), 0, 1),
            (figures("1.96.0", "x86_64", &[("case", 1_250)]), 0, 0),
            (figures("1.96.0", "x86_64", &[("case", 1_251)]), 1, 0),
            (figures("1.95.0", "aarch64", &[("case", 9_000)]), 0, 0),
        ];
        for (now, grown, shrunk) in verdicts {
            let Comparison { grown: so_many, shrunk: fewer, unmatched, text } =
                compare(&committed, &now);
            assert_eq!((so_many, fewer, unmatched), (grown, shrunk, 0), "{now:?}\n{text}");
        }
    }

    #[test]
    fn small_change_keeps_the_earlier_figure() {
        let earlier = usual(&[("case", 10_000), ("other", 10_000), ("gone", 1)]);
        let now = [("case", 10_099), ("other", 10_101), ("fresh", 8)];
        let expected = usual(&[("case", 10_000), ("other", 10_101), ("fresh", 8)]);
        assert_eq!(usual(&now).or_earlier(&earlier), expected);
        let elsewhere = figures("1.96.0", "x86_64", &now);
        assert_eq!(elsewhere.clone().or_earlier(&earlier), elsewhere);
    }

    #[test]
    fn new_and_removed_cases_are_reported() {
        let comparison = compare(&usual(&[("old", 7)]), &usual(&[("fresh", 8)]));
        assert_eq!((comparison.unmatched, comparison.grown), (2, 0));
        let lines: Vec<Vec<&str>> =
            comparison.text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[2..], [vec!["fresh", "-", "8", "new"], vec!["old", "7", "-", "gone"]]);
    }
}
