//! A flag's default as a Rust expression.

use serde_json::Value;

use crate::json_text::json_text;
use crate::type_names::{fields, variants};
use crate::value_type::{Member, ValueType, integer};

/// Returns an expression for a value of this type. `level` is the indentation of its first line.
pub(crate) fn value(value: &Value, value_type: &ValueType, level: usize) -> String {
    match value_type {
        ValueType::Boolean => (value == &Value::Bool(true)).to_string(),
        ValueType::Integer => integer(value).unwrap_or_default().to_string(),
        ValueType::Float => format!("{:?}", value.as_f64().unwrap_or_default()),
        ValueType::Text => format!("{:?}", text(value)),
        ValueType::Choice(name, choices) => {
            let mut all = choices.iter().zip(variants(choices));
            let variant = all.find(|(choice, _)| *choice == text(value));
            // Every default is one of the choices.
            format!("{}::{}", name.name, variant.map(|(_, name)| name).unwrap_or_default())
        }
        ValueType::List(item) => {
            let items = value.as_array().into_iter().flatten();
            lines("vec![", items.map(|value| owned(value, item, level + 1)).collect(), "]", level)
        }
        ValueType::Object(name, members) => {
            let members = members.iter().zip(fields(members));
            let members = members.map(|(member, field)| {
                format!("{field}: {}", member_value(value, member, level + 1))
            });
            lines(&format!("{} {{", name.name), members.collect(), "}", level)
        }
        ValueType::Json => {
            let text = json_text(value);
            format!("::serde_json::from_str({text:?}).unwrap_or_default()")
        }
    }
}

/// Returns an expression for a part of a value. Text in it is owned.
fn owned(part: &Value, value_type: &ValueType, level: usize) -> String {
    match value_type {
        ValueType::Text => format!("String::from({:?})", text(part)),
        _ => value(part, value_type, level),
    }
}

fn member_value(object: &Value, member: &Member, level: usize) -> String {
    let part = object.get(&member.name).filter(|value| !value.is_null());
    match part {
        Some(part) if member.is_optional => {
            format!("Some({})", owned(part, &member.value_type, level))
        }
        Some(part) => owned(part, &member.value_type, level),
        None => "None".to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Puts each part on a line of its own.
fn lines(open: &str, parts: Vec<String>, close: &str, level: usize) -> String {
    if parts.is_empty() {
        return format!("{open}{close}");
    }
    let (outer, inner) = ("    ".repeat(level), "    ".repeat(level + 1));
    let parts: String = parts.iter().map(|part| format!("{inner}{part},\n")).collect();
    format!("{open}\n{parts}{outer}{close}")
}
