//! That the modules of a crate import each other one way.
//!
//! Only the top-level modules count: `payload` is `payload.rs`, or everything in `payload/`. The
//! crate's root is not a module of the graph. A name that `lib.rs` imports is an import from the
//! module that the name comes from.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, Place};
use super::imports::{self, NamedPath};
use super::sources::Sources;
use crate::Result;
use crate::ci::LIBRARIES;

/// Returns one problem for each cycle in a library crate.
pub(super) fn problems() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for library in LIBRARIES {
        problems.extend(Modules::read(&Sources::read(library)?)?.problems(library));
    }
    Ok(problems)
}

/// Prints the imports between the modules of one crate, and its cycles.
pub(super) fn print(package: &str) -> Result {
    let modules = Modules::read(&Sources::read(package)?)?;
    print!("{}", modules.graph.describe(|_| true));
    let problems = modules.problems(package);
    if problems.is_empty() {
        println!("{package}: the modules import each other one way");
    }
    problems.iter().for_each(|problem| println!("\n{problem}"));
    Ok(())
}

/// The imports between the top-level modules of one crate.
struct Modules {
    graph: Graph,
    /// Imports that hide which module a name comes from.
    hidden: Vec<Place>,
}

impl Modules {
    fn read(sources: &Sources) -> Result<Self> {
        let mut paths: Vec<(NamedPath, String)> = Vec::new();
        let mut names = BTreeSet::default();
        let mut open = vec![Vec::new()];
        while let Some(module) = open.pop() {
            let (file, text) = sources.of_module(&module)?;
            let imports = imports::read(module, text).map_err(|error| {
                format!("{file}:{}: cannot read the file: {error}", error.span().start().line)
            })?;
            paths.extend(imports.paths.into_iter().map(|path| (path, file.clone())));
            for declared in imports.modules {
                names.extend(declared.path.first().cloned());
                if declared.has_file {
                    open.push(declared.path);
                }
            }
        }
        let mut root = Root { modules: names, imports: BTreeMap::default() };
        let mut modules = Self { graph: Graph::default(), hidden: Vec::new() };
        let (of_root, of_modules): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|(path, _)| path.module.is_empty());
        for (path, file) in of_root {
            modules.add_root_import(&mut root, path, file);
        }
        for (path, file) in &of_modules {
            modules.add_import(&root, path, file);
        }
        Ok(modules)
    }

    fn add_root_import(&mut self, root: &mut Root, path: NamedPath, file: String) {
        let (Some(name), Some(segments)) = (path.import.clone(), path.seen_from_root()) else {
            return;
        };
        if name != "*" {
            root.imports.insert(name, segments);
        } else if segments.first().is_some_and(|first| root.modules.contains(first)) {
            self.hidden.push(Place { file, line: path.line });
        }
    }

    fn add_import(&mut self, root: &Root, path: &NamedPath, file: &str) {
        let (Some(importer), Some(target)) = (path.module.first(), path.seen_from_root()) else {
            return;
        };
        let place = Place { file: file.to_owned(), line: path.line };
        if matches!(target.first().map(String::as_str), None | Some("*")) {
            self.hidden.push(place);
        } else if let Some(module) = root.module_of(&target) {
            self.graph.add(importer, &module, place);
        }
    }

    fn problems(&self, package: &str) -> Vec<String> {
        let hidden = self.hidden.iter().map(|place| {
            format!(
                "{package}: the import at {place} hides which module a name comes from: list the \
                 names, or name the module"
            )
        });
        let cycles = self.graph.cycles().into_iter().map(|cycle| {
            let names = Vec::from_iter(cycle.iter().copied()).join(", ");
            let edges = self.graph.describe(|module| cycle.contains(module));
            format!(
                "{package}: {} modules import each other in a cycle: {names}\n{edges}  \
                 Move items between these modules until the imports go one way.",
                cycle.len()
            )
        });
        hidden.chain(cycles).collect()
    }
}

impl NamedPath {
    /// Returns the path from the crate's root; `None` for a path that cannot leave its module,
    /// and for one that starts with another crate.
    fn seen_from_root(&self) -> Option<Vec<String>> {
        let mut base = self.module.as_slice();
        let mut rest = self.segments.as_slice();
        let mut is_anchored = self.module.is_empty();
        while let [first, tail @ ..] = rest {
            match first.as_str() {
                "crate" => base = &[],
                "super" => base = base.split_last().map_or(&[], |(_, parents)| parents),
                // Also the last segment of `use crate::payload::{self}`.
                "self" => {}
                _ => break,
            }
            is_anchored = true;
            rest = tail;
        }
        let rest = rest.iter().filter(|segment| *segment != "self");
        is_anchored.then(|| base.iter().chain(rest).cloned().collect())
    }
}

/// The names in `lib.rs`.
struct Root {
    modules: BTreeSet<String>,
    /// The imported names, with their paths from the root.
    imports: BTreeMap<String, Vec<String>>,
}

impl Root {
    /// Returns the top-level module that a path leads to; `None` for an item of `lib.rs` itself
    /// and for another crate.
    fn module_of(&self, path: &[String]) -> Option<String> {
        let mut path = path.to_vec();
        // An import may name another import; the bound ends a chain of imports without an end.
        for _ in 0..=self.imports.len() {
            let (first, rest) = path.split_first()?;
            let is_module = self.modules.contains(first);
            match self.imports.get(first) {
                // A module and an imported function may share a name: more segments mean the
                // module.
                Some(import) if !(is_module && (!rest.is_empty() || import == &path)) => {
                    path = import.iter().chain(rest).cloned().collect();
                }
                _ => return is_module.then(|| first.clone()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems of a made-up crate.
    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let sources = Sources::made_up(files.iter().copied());
        Modules::read(&sources).unwrap().problems("made-up")
    }

    /// The imports of a made-up crate whose `lib.rs` declares the modules `a` and `b`.
    fn edges(root: &str, a: &str) -> String {
        let root = format!("mod a; mod b; {root}");
        let sources = Sources::made_up([("lib.rs", root.as_str()), ("a.rs", a), ("b.rs", "")]);
        Modules::read(&sources).unwrap().graph.describe(|_| true)
    }

    const A_TO_B: &str = "  a -> b in 1 place, first at src/a.rs:1\n";

    #[test]
    fn a_cycle_is_reported_with_its_edges() {
        let found = problems(&[
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::b::B;\nuse crate::d::D;"),
            ("b/mod.rs", "mod inner;"),
            ("b/inner.rs", "\nfn f() { crate::c::f() }"),
            ("c.rs", "use super::a::A;"),
            ("d.rs", ""),
        ]);
        let expected = "\
made-up: 3 modules import each other in a cycle: a, b, c
  a -> b in 1 place, first at src/a.rs:1
  b -> c in 1 place, first at src/b/inner.rs:2
  c -> a in 1 place, first at src/c.rs:1
  Move items between these modules until the imports go one way.";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn a_crate_without_a_cycle_passes() {
        let found = problems(&[
            ("lib.rs", "mod a; mod b; mod c; pub use a::A; const D: u8 = 1;"),
            ("a.rs", "use crate::b::B; use crate::c::C; use crate::D;"),
            ("b.rs", "use crate::c::C; use std::fmt; use growthbook_core::Number;"),
            ("c.rs", "use self::d::D; mod d;"),
            ("c/d.rs", "use super::C;"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn nested_modules_count_as_their_top_level_module() {
        let found = problems(&[
            ("lib.rs", "mod a; mod b { mod d { use super::super::a::c::C; } }"),
            ("a/mod.rs", "mod c;"),
            ("a/c.rs", "use super::super::b::B; use super::A;"),
        ]);
        let edges = "\
  a -> b in 1 place, first at src/a/c.rs:1
  b -> a in 1 place, first at src/lib.rs:1";
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|problem| problem.contains(edges)), "{found:?}");
    }

    #[test]
    fn super_leads_out_of_a_module() {
        assert_eq!(edges("", "use super::b::B;"), A_TO_B);
        assert_eq!(edges("", "mod c { use super::super::b::B; }"), A_TO_B);
        assert_eq!(edges("", "mod b {} mod c { use super::b::B; }"), "");
    }

    #[test]
    fn names_of_the_root_lead_to_their_modules() {
        assert_eq!(edges("pub use b::B;", "use crate::B;"), A_TO_B);
        assert_eq!(edges("pub use crate::b::c::{D as E};", "use super::E;"), A_TO_B);
        assert_eq!(edges("use self::b::{self as c}; use c::D;", "use crate::D;"), A_TO_B);
        assert_eq!(edges("use b::c;", "fn f() { crate::c::g() }"), A_TO_B);
    }

    #[test]
    fn a_function_may_share_the_name_of_a_module() {
        assert_eq!(edges("pub use b::a;", "use crate::a;"), A_TO_B);
        assert_eq!(edges("pub use a::b;", "use crate::b::B;"), A_TO_B);
    }

    #[test]
    fn items_of_the_root_and_other_crates_are_left_out() {
        let root = "pub use other::C; pub use other::*; const D: u8 = 1; mod c { pub use a::E; }";
        assert_eq!(edges(root, "use crate::{C, D, F}; use other::b::G; use ::b::H;"), "");
    }

    #[test]
    fn a_chain_of_imports_without_an_end_is_left_out() {
        assert_eq!(edges("use c::D; use d::D as c; use c as d;", "use crate::c::E;"), "");
    }

    #[test]
    fn macro_bodies_count() {
        let a = "macro_rules! m { ($name:ident) => { impl $crate::b::B for $name {} }; }";
        assert_eq!(edges("", a), A_TO_B);
    }

    #[test]
    fn test_modules_are_ignored() {
        let found = problems(&[
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod testing;"),
            ("a.rs", "use crate::b::B; #[cfg(test)] mod tests;"),
            ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; }"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn globs_that_hide_a_module_are_reported() {
        let in_root = problems(&[("lib.rs", "mod a;\npub use a::*;"), ("a.rs", "")]);
        let in_module = problems(&[("lib.rs", "mod a;"), ("a.rs", "\nuse crate::*;")]);
        let renamed = problems(&[("lib.rs", "mod a;"), ("a.rs", "use crate as root;")]);
        for (found, place) in
            [(in_root, "src/lib.rs:2"), (in_module, "src/a.rs:2"), (renamed, "src/a.rs:1")]
        {
            assert_eq!(found.len(), 1);
            assert!(found.iter().all(|problem| problem.contains(place)), "{found:?}");
        }
    }

    #[test]
    fn a_module_without_a_file_is_an_error() {
        let sources = Sources::made_up([("lib.rs", "mod a;")]);
        let error = Modules::read(&sources).err().unwrap().to_string();
        assert_eq!(error, "src: no file a.rs or a/mod.rs");
    }
}
