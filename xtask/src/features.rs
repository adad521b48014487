//! The check that selections of Cargo features compile, with cargo-hack.

use std::process::Command;
use std::time::Instant;

use crate::ci::LIBRARIES;
use crate::run::{root, run};
use crate::{Result, tools};

/// The version to install if cargo-hack is missing.
const VERSION: &str = "0.6.46";

/// The libraries with so many features that not all selections are checked, but all of at most two,
/// and the one of all. Two are enough to find a missing import or dependency. Features that only
/// pass others on, and do so in the same way, are selected together.
const LARGE: &[(&str, &[&str])] = &[
    ("growthbook-core", &["--depth", "2", "--exclude-features", "default"]),
    ("growthbook-sticky", &["--depth", "2", "--exclude-features", "default"]),
    (
        "growthbook",
        &[
            "--depth",
            "2",
            "--exclude-features",
            "default",
            "--group-features",
            "redis-cluster,redis-sentinel",
            "--group-features",
            "encryption,secure-attributes,webhooks",
        ],
    ),
];

/// Checks the power set of each library's features. The dependencies of tests are not activated,
/// because the workspace's resolver leaves them out of a plain `cargo check`.
pub(crate) fn check() -> Result {
    let program = tools::obtain("cargo-hack", VERSION)?;
    for &library in LIBRARIES {
        let start = Instant::now();
        let mut hack = Command::new(&program);
        hack.current_dir(root()).args(["hack", "check", "--quiet", "--feature-powerset"]);
        hack.args(["--package", library]);
        let large = LARGE.iter().find(|(name, _)| *name == library);
        run(hack.args(large.map_or(&[][..], |(_, limits)| limits)))?;
        println!("{library}: {:.0?}", start.elapsed());
    }
    Ok(())
}
