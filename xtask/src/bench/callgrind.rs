//! Counting a program's instructions.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::output;
use crate::{Result, programs};

/// Valgrind's program, which Debian has under the same name; installed there when we are root.
pub(crate) fn obtain() -> Result<PathBuf> {
    programs::obtain(&["valgrind"], "valgrind")
}

/// The instructions of a program from its start to its end. What they were spent on is left in
/// `profile`.
pub(crate) fn instructions(
    valgrind: &Path,
    program: &Path,
    arguments: &[&str],
    profile: &Path,
) -> Result<u64> {
    let mut command = Command::new(valgrind);
    command.args(["--quiet", "--tool=callgrind"]);
    // The environment lies on the stack, and moves what lies below it.
    command.env_clear();
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    output(command.arg(program).args(arguments))?;
    let text = std::fs::read_to_string(profile)?;
    totals(&text).ok_or_else(|| format!("{}: without totals", profile.display()).into())
}

/// The first event of a profile, which is instructions, unless callgrind is told otherwise.
fn totals(profile: &str) -> Option<u64> {
    let line = profile.lines().find_map(|line| line.strip_prefix("totals:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::totals;

    #[test]
    fn totals_are_found_among_the_rest() {
        let profile = "# callgrind format\nevents: Ir\nsummary: 99\n\nfn=(1) main\n12 99\n\n";
        assert_eq!(totals(&format!("{profile}totals: 226742435\n")), Some(226_742_435));
        assert_eq!(totals("events: Ir Dr\ntotals: 7 3\n"), Some(7));
        assert_eq!(totals("fn=(1) totals: 5\ntotals: many\n"), None);
        assert_eq!(totals(profile), None);
    }
}
