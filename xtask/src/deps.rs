//! Which crate may depend on which.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Result;
use crate::run::{cargo, output};

/// What each workspace crate may depend on inside the workspace. Tests and benchmarks may use
/// what they like.
const ALLOWED: [(&str, &[&str]); 6] = [
    ("growthbook-core", &[]),
    ("growthbook-fetch", &["growthbook-core"]),
    ("growthbook", &["growthbook-core", "growthbook-fetch"]),
    ("spec-tests", &["growthbook-core", "growthbook"]),
    ("test-server", &[]),
    ("xtask", &[]),
];

/// What `growthbook-core` must not pull in, directly or not: it has no IO of its own.
const BANNED_FROM_CORE: [&str; 8] =
    ["tokio", "ureq", "redis", "log", "rand", "getrandom", "mio", "socket2"];

pub(crate) fn check() -> Result {
    let metadata: Value =
        serde_json::from_str(&output(&mut cargo(["metadata", "--format-version", "1"]))?)?;
    let mut problems = directions(&metadata);
    problems.extend(core_tree()?);
    if problems.is_empty() {
        println!("dependencies point the right way");
        Ok(())
    } else {
        Err(problems.join("\n").into())
    }
}

fn directions(metadata: &Value) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let members: Vec<&Value> = workspace_members(metadata);
    let names: Vec<&str> = members.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut problems = Vec::new();
    for package in &members {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = allowed.get(name) else {
            problems.push(format!("{name} is not in the table of crates (xtask/src/deps.rs)"));
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

fn core_tree() -> Result<Vec<String>> {
    let tree = output(&mut cargo([
        "tree",
        "--package",
        "growthbook-core",
        "--all-features",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    let crates = tree.lines().filter_map(|line| line.split(' ').next());
    Ok(crates
        .filter(|name| BANNED_FROM_CORE.contains(name))
        .map(|name| format!("growthbook-core must not pull in {name}"))
        .collect())
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
    fn a_dependency_in_the_wrong_direction_is_found() {
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
    fn a_crate_nobody_has_placed_is_found() {
        let problems = directions(&metadata("growthbook-new", "growthbook-core", Value::Null));
        assert!(problems.iter().any(|problem| problem.contains("growthbook-new")));
    }
}
