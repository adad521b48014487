//! The check of which crate depends on which.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Result;
use crate::ci::LIBRARIES;
use crate::run::{cargo, output};

/// The workspace crates that each workspace crate may depend on. Tests and benchmarks may use any
/// crate.
const ALLOWED: &[(&str, &[&str])] = &[
    ("growthbook-derive", &[]),
    ("growthbook-core", &["growthbook-derive"]),
    ("growthbook-support", &[]),
    ("growthbook-net", &[]),
    ("growthbook-fetch", &["growthbook-core", "growthbook-net", "growthbook-support"]),
    ("growthbook-redis-cache", &["growthbook-core", "growthbook-support"]),
    ("growthbook-sticky", &["growthbook-core", "growthbook-support"]),
    ("growthbook-tracking", &["growthbook-core", "growthbook-net", "growthbook-support"]),
    (
        "growthbook",
        &[
            "growthbook-core",
            "growthbook-derive",
            "growthbook-fetch",
            "growthbook-redis-cache",
            "growthbook-sticky",
            "growthbook-support",
            "growthbook-tracking",
            "growthbook-webhook",
        ],
    ),
    ("growthbook-webhook", &[]),
    ("growthbook-test-server", &[]),
    ("growthbook-openfeature", &["growthbook", "growthbook-support"]),
    ("growthbook-test", &["growthbook", "growthbook-support", "growthbook-test-server"]),
    ("growthbook-tower", &["growthbook", "growthbook-support"]),
    ("growthbook-codegen", &["growthbook-core", "growthbook-net", "growthbook-support"]),
    ("axum-service", &["growthbook", "growthbook-tower", "test-server"]),
    ("browser", &["axum-service", "growthbook", "growthbook-tower", "test-server"]),
    ("edge-wasm", &["growthbook-core", "spec-tests"]),
    ("firmware", &["growthbook-core"]),
    ("interop", &["growthbook", "test-server"]),
    ("openfeature", &["growthbook", "growthbook-openfeature", "test-server"]),
    ("proxy", &["growthbook", "test-server"]),
    ("soak", &["growthbook", "test-server"]),
    ("spec-tests", &["growthbook-core", "growthbook"]),
    ("sticky-documents", &["growthbook", "growthbook-sticky"]),
    ("test-server", &["growthbook-test-server"]),
    ("typed-flags", &["growthbook", "growthbook-codegen"]),
    ("wasm", &["growthbook"]),
    ("xtask", &[]),
];

/// Crates that the library crates must not depend on: directly or not, with any feature, on any
/// system. The libraries run without an async runtime and without the system's TLS.
///
/// `growthbook-openfeature` is the exception for `tokio`: `open-feature` uses its locks and channels,
/// without the runtime.
const BANNED: [&str; 4] = ["tokio", "async-std", "smol", "openssl-sys"];

/// The features of `growthbook-sticky` that the ban holds for: all but those that need tokio.
const STICKY_FEATURES: &str =
    "cookie,embedded,memory,redis-cluster,redis-sentinel,redis-tls,write-behind";

/// The features of `growthbook-tower` that the ban holds for: all but actix-web, which needs tokio.
const TOWER_FEATURES: &str = "axum";

/// More crates that `growthbook-core` must not depend on: it does no IO.
const BANNED_FROM_CORE: [&str; 9] =
    ["ureq", "redis", "log", "metrics", "rand", "getrandom", "mio", "socket2", "tracing"];

/// Returns each dependency that goes in a wrong direction.
pub(super) fn problems() -> Result<Vec<String>> {
    let metadata: Value =
        serde_json::from_str(&output(&mut cargo(["metadata", "--format-version", "1"]))?)?;
    let mut problems = directions(&metadata);
    for library in LIBRARIES {
        problems.extend(banned(library, &tree(library)?));
    }
    Ok(problems)
}

fn directions(metadata: &Value) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let members: Vec<&Value> = workspace_members(metadata);
    let names: Vec<&str> = members.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut problems = Vec::new();
    for package in &members {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = allowed.get(name) else {
            problems
                .push(format!("{name} is not in the table of crates (xtask/src/deps/crates.rs)"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            let is_dev = dependency["kind"] == "dev";
            if names.contains(&target) && !is_dev && !allowed.contains(&target) {
                problems.push(format!("{name} must not depend on {target}"));
            }
        }
    }
    problems
}

fn workspace_members(metadata: &Value) -> Vec<&Value> {
    let members: Vec<&Value> =
        metadata["workspace_members"].as_array().into_iter().flatten().collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.filter(|package| members.contains(&&package["id"])).collect()
}

/// Returns the names of all crates that a crate is built with.
fn tree(package: &str) -> Result<Vec<String>> {
    let mut tree = cargo(["tree", "--target", "all", "--edges", "normal,build"]);
    match package {
        "growthbook-sticky" => tree.args(["--features", STICKY_FEATURES]),
        "growthbook-tower" => tree.args(["--features", TOWER_FEATURES]),
        _ => tree.arg("--all-features"),
    };
    tree.args(["--prefix", "none", "--format", "{p}", "--package", package]);
    let lines = output(&mut tree)?;
    Ok(lines.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect())
}

fn banned(package: &str, tree: &[String]) -> Vec<String> {
    let of_core: &[&str] = if package == "growthbook-core" { &BANNED_FROM_CORE } else { &[] };
    let is_excepted = |name: &str| package == "growthbook-openfeature" && name == "tokio";
    let banned = BANNED.iter().chain(of_core).filter(|name| !is_excepted(name));
    let found = banned.filter(|banned| tree.iter().any(|name| name == *banned));
    found.map(|name| format!("{package} must not depend on {name}, directly or not")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(package: &str, dependency: &str, kind: Value) -> Value {
        json!({
            "workspace_members": ["1", "2"],
            "packages": [
                {"id": "1", "name": package,
                 "dependencies": [{"name": dependency, "kind": kind}, {"name": "serde", "kind": null}]},
                {"id": "2", "name": dependency, "dependencies": []},
                {"id": "3", "name": "serde", "dependencies": []},
            ],
        })
    }

    #[test]
    fn dependency_in_wrong_direction_is_found() {
        let wrong = metadata("growthbook-core", "growthbook", Value::Null);
        assert_eq!(directions(&wrong), ["growthbook-core must not depend on growthbook"]);
        let build = metadata("growthbook-core", "growthbook", json!("build"));
        assert_eq!(directions(&build).len(), 1);
        let dev = metadata("growthbook-core", "growthbook", json!("dev"));
        assert!(directions(&dev).is_empty());
        let right = metadata("growthbook", "growthbook-core", Value::Null);
        assert!(directions(&right).is_empty());
    }

    #[test]
    fn banned_crate_is_found() {
        let tree = ["growthbook-core", "log", "tokio"].map(str::to_owned);
        let of_core = banned("growthbook-core", &tree);
        let expected = ["tokio", "log"]
            .map(|it| format!("growthbook-core must not depend on {it}, directly or not"));
        assert_eq!(of_core, expected);
        assert_eq!(
            banned("growthbook", &tree),
            ["growthbook must not depend on tokio, directly or not"]
        );
        assert!(banned("growthbook-openfeature", &tree).is_empty());
    }

    #[test]
    fn crate_missing_from_table_is_found() {
        let problems = directions(&metadata("growthbook-new", "growthbook-core", Value::Null));
        assert!(problems.iter().any(|problem| problem.contains("growthbook-new")));
    }
}
