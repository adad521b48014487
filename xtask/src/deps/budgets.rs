//! The number of crates that a program gets with ours, and the most that it may be.

use std::collections::BTreeSet;

use crate::Result;
use crate::run::{cargo, output};

/// A library with a selection of its features, and the most crates that it may consist of. These
/// are normal dependencies on this machine's target, with the library itself.
struct Budget {
    package: &'static str,
    selection: &'static str,
    arguments: &'static [&'static str],
    crates: usize,
}

const BUDGETS: &[Budget] = &[
    Budget {
        package: "growthbook-core",
        selection: "no default features",
        arguments: &["--no-default-features"],
        crates: 20,
    },
    Budget {
        package: "growthbook-core",
        selection: "everything but url",
        arguments: &[
            "--no-default-features",
            "--features",
            "encryption,explain,reduce,regex,secure-attributes,std",
        ],
        crates: 40,
    },
    Budget {
        package: "growthbook-core",
        selection: "all features",
        arguments: &["--all-features"],
        crates: 65,
    },
    Budget {
        package: "growthbook",
        selection: "default features, with fetch",
        arguments: &[],
        crates: 99,
    },
    Budget {
        package: "growthbook-openfeature",
        selection: "all features",
        arguments: &["--all-features"],
        crates: 116,
    },
    Budget {
        package: "growthbook-test",
        selection: "default features, without the server",
        arguments: &[],
        crates: 60,
    },
    Budget {
        package: "growthbook-tower",
        selection: "with axum's extractor",
        arguments: &["--features", "axum"],
        crates: 76,
    },
    Budget {
        package: "growthbook-codegen",
        selection: "default features, for build scripts",
        arguments: &[],
        crates: 30,
    },
];

/// Prints the counts. Returns each one that is over its budget.
pub(super) fn problems() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for &Budget { package, selection, arguments, crates: most } in BUDGETS {
        let count = count(package, arguments)?;
        println!("{package}, {selection}: {count} crates of at most {most}");
        if count > most {
            problems.push(format!("{package}, {selection}: {count} crates are more than {most}"));
        }
    }
    Ok(problems)
}

fn count(package: &str, arguments: &[&str]) -> Result<usize> {
    let mut tree = cargo(["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let lines = output(tree.args(["--package", package]).args(arguments))?;
    Ok(distinct(&lines))
}

/// Returns how many different crates the lines name. A mark after the version says that the crate
/// was listed before.
fn distinct(lines: &str) -> usize {
    let crates = lines.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?))
    });
    crates.collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crate_counts_once_for_each_version() {
        let lines = "core v0.1.0 (/folder)\nserde v1.0.1\nserde v1.0.1 (*)\nsyn v1.0.0\n\
                     syn v2.0.0 (proc-macro)\n\n";
        assert_eq!(distinct(lines), 4);
    }
}
