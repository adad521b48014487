//! The graph of imports between modules, and its cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Which module imports which, and where.
#[derive(Default)]
pub(super) struct Graph {
    /// The places of the imports, by importing module and imported module.
    edges: BTreeMap<String, BTreeMap<String, Vec<Place>>>,
}

/// A line of a source file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Seen from the workspace's folder.
    pub(super) file: String,
    pub(super) line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

impl Graph {
    /// Adds an import. A module's imports from itself do not count.
    pub(super) fn add(&mut self, from: &str, to: &str, place: Place) {
        if from != to {
            let targets = self.edges.entry(from.to_owned()).or_default();
            targets.entry(to.to_owned()).or_default().push(place);
        }
    }

    /// Returns the largest sets of modules that all need each other, directly or not. Each has at
    /// least two modules.
    pub(super) fn cycles(&self) -> Vec<BTreeSet<&str>> {
        let needed: BTreeMap<&str, BTreeSet<&str>> =
            self.edges.keys().map(|module| (module.as_str(), self.needed_by(module))).collect();
        let needs =
            |from: &str, to: &str| needed.get(from).is_some_and(|modules| modules.contains(to));
        let mut cycles: Vec<BTreeSet<&str>> = Vec::new();
        for (module, modules) in &needed {
            let is_known = cycles.iter().any(|cycle| cycle.contains(module));
            if !is_known && modules.contains(module) {
                cycles.push(modules.iter().copied().filter(|other| needs(other, module)).collect());
            }
        }
        cycles
    }

    /// Lists the imports between the given modules, one line for each pair.
    pub(super) fn describe(&self, is_shown: impl Fn(&str) -> bool) -> String {
        let mut lines = String::new();
        for (from, targets) in self.edges.iter().filter(|(from, _)| is_shown(from)) {
            for (to, places) in targets.iter().filter(|(to, _)| is_shown(to)) {
                let (Some(first), count) = (places.iter().min(), places.len()) else { continue };
                let noun = if count == 1 { "place" } else { "places" };
                // Writing to a string cannot fail.
                let _ = writeln!(lines, "  {from} -> {to} in {count} {noun}, first at {first}");
            }
        }
        lines
    }

    /// Returns every module that a module needs, directly or not.
    fn needed_by(&self, module: &str) -> BTreeSet<&str> {
        let mut needed = BTreeSet::default();
        let mut open = vec![module];
        while let Some(module) = open.pop() {
            for target in self.edges.get(module).into_iter().flat_map(BTreeMap::keys) {
                if needed.insert(target.as_str()) {
                    open.push(target);
                }
            }
        }
        needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (line, (from, to)) in edges.iter().enumerate() {
            graph.add(from, to, Place { file: format!("src/{from}.rs"), line });
        }
        graph
    }

    fn cycles(edges: &[(&str, &str)]) -> Vec<String> {
        let graph = graph(edges);
        graph.cycles().into_iter().map(|cycle| Vec::from_iter(cycle).join(" ")).collect()
    }

    #[test]
    fn one_way_imports_have_no_cycle() {
        assert!(cycles(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]).is_empty());
    }

    #[test]
    fn a_module_may_import_from_itself() {
        assert!(cycles(&[("a", "a")]).is_empty());
    }

    #[test]
    fn cycles_are_found_separately() {
        let edges =
            [("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "c"), ("f", "a")];
        assert_eq!(cycles(&edges), ["a b", "c d e"]);
    }

    #[test]
    fn cycles_that_share_a_module_are_one() {
        assert_eq!(cycles(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")]), ["a b c"]);
    }

    #[test]
    fn an_edge_names_its_first_place() {
        let graph = graph(&[("a", "b"), ("a", "c"), ("a", "b")]);
        let lines = graph.describe(|module| module != "c");
        assert_eq!(lines, "  a -> b in 2 places, first at src/a.rs:0\n");
    }
}
