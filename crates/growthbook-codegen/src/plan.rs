//! The functions and types of a module: which there are, and their names.

use crate::flag::{Flag, Flags, Warning};
use crate::names::{Style, is_method, is_type, snake, unique, words};
use crate::value_type::{TypeName, ValueType};

/// The function of a flag.
pub(crate) struct Function<'f> {
    pub(crate) name: String,
    pub(crate) flag: &'f Flag,
    pub(crate) value_type: ValueType,
}

/// Returns the functions of all flags in the order of the keys, and warnings about their types.
pub(crate) fn functions<'f>(
    flags: &'f Flags,
    trait_name: &str,
) -> (Vec<Function<'f>>, Vec<Warning>) {
    let mut functions: Vec<Function<'f>> = flags
        .iter()
        .zip(names(flags))
        .map(|(flag, name)| Function { name, flag, value_type: ValueType::of(flag) })
        .collect();
    name_types(&mut functions, trait_name);
    let warnings = functions.iter().filter_map(|function| warning(function, flags)).collect();
    (functions, warnings)
}

/// Returns the name of the function of each flag.
pub(crate) fn names(flags: &Flags) -> Vec<String> {
    let wanted: Vec<(String, String)> = flags
        .iter()
        .map(|flag| {
            let name = snake(&words(flag.key()), "flag");
            let name = if is_method(&name) { format!("{name}_") } else { name };
            (name, flag.key().to_owned())
        })
        .collect();
    unique(&wanted, Style::Snake)
}

/// Gives different names to all types of a module.
fn name_types(functions: &mut [Function<'_>], trait_name: &str) {
    let mut wanted = Vec::new();
    for_each_name(functions, &mut |name| {
        if is_type(&name.name) || name.name == trait_name {
            name.name.push('_');
        }
        wanted.push((name.name.clone(), name.origin.clone()));
    });
    let mut names = unique(&wanted, Style::Camel).into_iter();
    for_each_name(functions, &mut |name| {
        if let Some(unique) = names.next() {
            name.name = unique;
        }
    });
}

fn for_each_name(functions: &mut [Function<'_>], visit: &mut dyn FnMut(&mut TypeName)) {
    functions.iter_mut().for_each(|function| function.value_type.for_each_name(visit));
}

fn warning(function: &Function<'_>, flags: &Flags) -> Option<Warning> {
    let key = function.flag.key().to_owned();
    let is_known = flags.warnings().contains(&Warning::UnknownConfig { key: key.clone() });
    if function.value_type != ValueType::Json || is_known {
        return None;
    }
    let mut values = function.flag.values();
    let Some(first) = values.next() else { return Some(Warning::NoValue { key }) };
    // Objects that are a table, and lists of any items, are JSON on purpose.
    let is_mixed =
        values.any(|value| std::mem::discriminant(value) != std::mem::discriminant(first));
    is_mixed.then_some(Warning::MixedTypes { key })
}
