//! Everything that a change must pass.

use std::time::Instant;

use crate::run::{cargo, run};
use crate::{
    Result, bench, browser, deny, deps, features, firmware, interop, proxy, ranges, size, soak,
    targets, test, wasm,
};

/// The library crates. Each is linted and documented by itself, because a workspace build turns on
/// the features that any member needs.
pub(crate) const LIBRARIES: &[&str] = &[
    "growthbook-core",
    "growthbook-derive",
    "growthbook-support",
    "growthbook-net",
    "growthbook-fetch",
    "growthbook-redis-cache",
    "growthbook-sticky",
    "growthbook-tracking",
    "growthbook-webhook",
    "growthbook",
    "growthbook-test-server",
    "growthbook-openfeature",
    "growthbook-test",
    "growthbook-tower",
    "growthbook-codegen",
];

/// The feature selections each library must build with.
const FEATURES: [&[&str]; 3] = [&["--no-default-features"], &[], &["--all-features"]];

/// The other packages that are linted.
const TOOLS: &[&str] = &[
    "axum-service",
    "browser",
    "edge-wasm",
    "firmware",
    "interop",
    "openfeature",
    "proxy",
    "soak",
    "spec-tests",
    "sticky-documents",
    "test-server",
    "typed-flags",
    "wasm",
    "xtask",
];

type Step = (&'static str, fn() -> Result);

const STEPS: &[Step] = &[
    ("formatting", formatting),
    ("lints", lints),
    ("documentation", documentation),
    ("directions of dependencies", deps::check),
    ("licences, bans and sources", deny::check),
    ("no_std targets", targets::check),
    ("selections of features", features::check),
    ("ranges of versions", ranges::check),
    ("WebAssembly", wasm::compare),
    ("firmware", firmware::check),
    ("sizes", size::check),
    ("tests", test::test),
    ("other SDKs", interop::interop),
    ("a browser", browser::browser),
    ("the GrowthBook Proxy", proxy::short),
    ("soak", soak::short),
    ("instructions", bench::check),
];

pub(crate) fn ci() -> Result {
    for (name, step) in STEPS {
        println!("\n=== {name}");
        let start = Instant::now();
        step()?;
        println!("=== {name}: passed in {:.0?}", start.elapsed());
    }
    Ok(())
}

fn formatting() -> Result {
    run(&mut cargo(["fmt", "--all", "--check"]))?;
    // It is not in the workspace and not built here: the other products take minutes to compile.
    run(&mut cargo(["fmt", "--check", "--manifest-path", "dev/comparison/Cargo.toml"]))
}

fn lints() -> Result {
    for library in LIBRARIES {
        for features in FEATURES {
            let mut clippy = cargo(["clippy", "--quiet", "--all-targets", "--package", library]);
            run(clippy.args(features).args(["--", "--deny", "warnings"]))?;
        }
    }
    for tool in TOOLS {
        let mut clippy = cargo(["clippy", "--quiet", "--all-targets", "--package", tool]);
        run(clippy.args(["--", "--deny", "warnings"]))?;
    }
    Ok(())
}

fn documentation() -> Result {
    for library in LIBRARIES {
        let mut doc =
            cargo(["doc", "--quiet", "--no-deps", "--all-features", "--package", library]);
        run(doc.env("RUSTDOCFLAGS", "--deny warnings"))?;
    }
    Ok(())
}
