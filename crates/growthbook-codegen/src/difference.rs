//! The difference between an existing module and a new one, for people.

use std::error::Error;
use std::fmt;

/// The most lines that are shown.
const MAX_LINES: usize = 60;

/// The lines that are shown before and after a change.
const CONTEXT: usize = 2;

/// The most pairs of lines that are compared. Larger parts are shown as a whole.
const MAX_PAIRS: usize = 4_000_000;

/// The lines that a module lacks, and those that it has too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Same(String),
    Old(String),
    New(String),
}

impl Difference {
    /// Compares two texts line by line.
    pub(crate) fn between(old: &str, new: &str) -> Result<(), Self> {
        let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        if old == new {
            return Ok(());
        }
        let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        let (before, old) = old.split_at(start);
        let (_, new) = new.split_at(start);
        let end =
            old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        let (old, after) = old.split_at(old.len() - end);
        let (new, _) = new.split_at(new.len() - end);
        let same = |line: &&str| Line::Same((*line).to_owned());
        let before = before.iter().skip(start.saturating_sub(CONTEXT)).map(same);
        let lines = before.chain(changes(old, new)).chain(after.iter().take(CONTEXT).map(same));
        Err(Difference { lines: lines.collect() })
    }
}

/// Returns the lines of both texts, with those that they share once.
fn changes(old: &[&str], new: &[&str]) -> Vec<Line> {
    let owned_old = |line: &&str| Line::Old((*line).to_owned());
    let owned_new = |line: &&str| Line::New((*line).to_owned());
    if old.len().saturating_mul(new.len()) > MAX_PAIRS {
        return old.iter().map(owned_old).chain(new.iter().map(owned_new)).collect();
    }
    let shared = Shared::of(old, new);
    let (mut lines, mut rest_old, mut rest_new) = (Vec::new(), old, new);
    loop {
        match (rest_old, rest_new) {
            ([first_old, more_old @ ..], [first_new, more_new @ ..]) => {
                if first_old == first_new {
                    lines.push(Line::Same((*first_old).to_owned()));
                    (rest_old, rest_new) = (more_old, more_new);
                } else if shared.most(more_old, rest_new) >= shared.most(rest_old, more_new) {
                    lines.push(owned_old(first_old));
                    rest_old = more_old;
                } else {
                    lines.push(owned_new(first_new));
                    rest_new = more_new;
                }
            }
            (rest_old, rest_new) => {
                lines.extend(rest_old.iter().map(owned_old));
                lines.extend(rest_new.iter().map(owned_new));
                return lines;
            }
        }
    }
}

/// The most lines that the ends of two texts can share.
struct Shared {
    /// The counts by the lengths of both ends, row by row.
    counts: Vec<u32>,
    width: usize,
}

impl Shared {
    fn of(old: &[&str], new: &[&str]) -> Self {
        let width = new.len() + 1;
        let mut counts = vec![0; width];
        for old in old.iter().rev() {
            let above = counts.len() - width;
            let mut row = vec![0_u32];
            for (index, new) in new.iter().rev().enumerate() {
                let at = |column: usize| counts.get(above + column).copied().unwrap_or_default();
                let left = row.last().copied().unwrap_or_default();
                row.push(if old == new { at(index) + 1 } else { left.max(at(index + 1)) });
            }
            counts.extend(row);
        }
        Shared { counts, width }
    }

    fn most(&self, old: &[&str], new: &[&str]) -> u32 {
        self.counts.get(old.len() * self.width + new.len()).copied().unwrap_or_default()
    }
}

impl fmt::Display for Difference {
    /// Writes a line for each difference, with `-` before a line that is out of date, and `+` before
    /// a new one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_near = |index: usize| {
            let first = index.saturating_sub(CONTEXT);
            let around = self.lines.get(first..).unwrap_or_default();
            around
                .iter()
                .take(index - first + CONTEXT + 1)
                .any(|line| !matches!(line, Line::Same(_)))
        };
        let shown: Vec<(usize, &Line)> =
            self.lines.iter().enumerate().filter(|(index, _)| is_near(*index)).collect();
        let mut next = shown.first().map_or(0, |(index, _)| *index);
        for (index, line) in shown.iter().take(MAX_LINES) {
            if *index > next {
                writeln!(formatter, "  ...")?;
            }
            next = index + 1;
            match line {
                Line::Same(text) => writeln!(formatter, "  {text}")?,
                Line::Old(text) => writeln!(formatter, "- {text}")?,
                Line::New(text) => writeln!(formatter, "+ {text}")?,
            }
        }
        match shown.len().saturating_sub(MAX_LINES) {
            0 => Ok(()),
            more => writeln!(formatter, "  ... and {more} lines more"),
        }
    }
}

impl Error for Difference {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        Difference::between(old, new).unwrap_err().to_string()
    }

    #[test]
    fn ends_of_lines_do_not_count() {
        assert_eq!(Difference::between("a\r\nb\r\n", "a\nb\n"), Ok(()));
    }

    #[test]
    fn only_changes_and_their_context_are_shown() {
        let old = "1\n2\n3\n4\nold\n6\n7\n8\n9\n10\n11\n12\nremoved\n13\n";
        let new = "1\n2\n3\n4\nnew\n6\n7\n8\n9\n10\n11\n12\n13\n14\n";
        let expected =
            "  3\n  4\n- old\n+ new\n  6\n  7\n  ...\n  11\n  12\n- removed\n  13\n+ 14\n";
        assert_eq!(shown(old, new), expected);
    }

    #[test]
    fn long_differences_are_cut() {
        let new: String = (0..5_000).map(|line| format!("{line}\n")).collect();
        let old: String = (0..5_000).map(|line| format!("old {line}\n")).collect();
        let shown = shown(&old, &new);
        assert_eq!(shown.lines().count(), MAX_LINES + 1);
        assert!(shown.ends_with("  ... and 9940 lines more\n"), "{shown}");
    }
}
