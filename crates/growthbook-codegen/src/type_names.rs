//! The names inside a type, and the type as code.

use crate::names::{Style, camel, is_keyword, snake, unique, words};
use crate::value_type::{Member, ValueType};

/// Returns the type as code. A text in another type is owned.
pub(crate) fn type_text(value_type: &ValueType) -> String {
    match value_type {
        ValueType::Boolean => "bool".to_owned(),
        ValueType::Integer => "i64".to_owned(),
        ValueType::Float => "f64".to_owned(),
        ValueType::Text => "String".to_owned(),
        ValueType::Choice(name, _) | ValueType::Object(name, _) => name.name.clone(),
        ValueType::List(item) => format!("Vec<{}>", type_text(item)),
        ValueType::Json => "::serde_json::Value".to_owned(),
    }
}

/// Returns the names of variants.
pub(crate) fn variants(choices: &[String]) -> Vec<String> {
    let wanted: Vec<(String, String)> = choices
        .iter()
        .map(|choice| {
            let name = camel(&words(choice));
            (if name == "Self" { "Self_".to_owned() } else { name }, choice.clone())
        })
        .collect();
    unique(&wanted, Style::Camel)
}

/// Returns the names of fields.
pub(crate) fn fields(members: &[Member]) -> Vec<String> {
    let wanted: Vec<(String, String)> = members
        .iter()
        .map(|member| {
            let name = snake(&words(&member.name), "field");
            let name = if is_keyword(&name) { format!("{name}_") } else { name };
            (name, member.name.clone())
        })
        .collect();
    unique(&wanted, Style::Snake)
}
