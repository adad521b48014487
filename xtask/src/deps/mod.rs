//! The directions of dependencies: between crates, and between the modules of a crate. And the
//! number of crates.

mod budgets;
mod crates;
mod graph;
mod imports;
mod modules;
mod sources;

use crate::Result;

/// Checks the directions, or prints the imports between the modules of one crate.
pub(crate) fn deps(arguments: &[String]) -> Result {
    match arguments {
        [] => check(),
        [option, package] if option == "--modules" => modules::print(package),
        _ => Err("usage: cargo xtask deps [--modules CRATE]".into()),
    }
}

/// Checks which crate depends on which, the number of crates, and that modules do not import each
/// other in a cycle.
pub(crate) fn check() -> Result {
    let mut problems = crates::problems()?;
    problems.extend(budgets::problems()?);
    problems.extend(modules::problems()?);
    if problems.is_empty() {
        println!("dependencies point the right way, and are few enough");
        Ok(())
    } else {
        Err(problems.join("\n").into())
    }
}
