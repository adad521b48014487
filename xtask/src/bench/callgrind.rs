//! The count of a program's instructions, with Valgrind.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::output;
use crate::{Result, programs};

/// Returns the path of Valgrind's program. Installs the Debian package if it is missing.
pub(crate) fn obtain() -> Result<PathBuf> {
    programs::obtain(&["valgrind"], "valgrind")
}

/// Counts the instructions of a program from its start to its end. Writes the profile to
/// `profile`.
pub(crate) fn instructions(
    valgrind: &Path,
    program: &Path,
    arguments: &[&str],
    profile: &Path,
) -> Result<u64> {
    let mut command = Command::new(valgrind);
    command.args(["--quiet", "--tool=callgrind"]);
    // The environment is on the stack. Its size moves everything below it, and changes the count.
    command.env_clear();
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    output(command.arg(program).args(arguments))?;
    let text = std::fs::read_to_string(profile)?;
    totals(&text)
        .ok_or_else(|| format!("{}: the profile has no line with totals", profile.display()).into())
}

/// Returns the count of a profile's first event. By default, that event is instructions.
fn totals(profile: &str) -> Option<u64> {
    let line = profile.lines().find_map(|line| line.strip_prefix("totals:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::totals;

    #[test]
    fn totals_are_found_in_profile() {
        let profile = "# callgrind format\nevents: Ir\nsummary: 99\n\nfn=(1) main\n12 99\n\n";
        assert_eq!(totals(&format!("{profile}totals: 226742435\n")), Some(226_742_435));
        assert_eq!(totals("events: Ir Dr\ntotals: 7 3\n"), Some(7));
        assert_eq!(totals("fn=(1) totals: 5\ntotals: many\n"), None);
        assert_eq!(totals(profile), None);
    }
}
