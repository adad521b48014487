//! The Rust type of a flag, from its values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::flag::Flag;
use crate::names::{camel, words};

/// The most variations that become an `enum`.
const MAX_CHOICES: usize = 12;

/// The longest variation that becomes a variant of an `enum`, in characters. Longer text is meant
/// for people, not for code.
const MAX_CHOICE_LENGTH: usize = 40;

/// The most members of an object that becomes a struct. A larger object is a table.
const MAX_MEMBERS: usize = 100;

/// The most levels of objects and lists that become types of their own.
const MAX_DEPTH: usize = 8;

/// The type of a flag's values.
#[derive(Debug, PartialEq)]
pub(crate) enum ValueType {
    Boolean,
    Integer,
    Float,
    Text,
    /// One of these texts.
    Choice(TypeName, Vec<String>),
    List(Box<ValueType>),
    Object(TypeName, Vec<Member>),
    /// Anything else.
    Json,
}

/// The name of a type that is generated.
#[derive(Debug, PartialEq)]
pub(crate) struct TypeName {
    pub(crate) name: String,
    /// Where the type comes from. It differs between types whose names are equal.
    pub(crate) origin: String,
}

/// A member of an object.
#[derive(Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) value_type: ValueType,
    /// Whether a value lacks the member, or has null.
    pub(crate) is_optional: bool,
}

impl ValueType {
    /// Returns the type that has every value of a flag.
    pub(crate) fn of(flag: &Flag) -> Self {
        let values: Vec<&Value> = flag.values().collect();
        let name = TypeName { name: camel(&words(&flag.key)), origin: flag.key.clone() };
        match of_values(&values, name, MAX_DEPTH) {
            ValueType::Text if flag.has_variations => choice(flag).unwrap_or(ValueType::Text),
            value_type => value_type,
        }
    }

    /// Calls a function with the name of each generated type, the outer types first.
    pub(crate) fn for_each_name(&mut self, visit: &mut dyn FnMut(&mut TypeName)) {
        match self {
            ValueType::Choice(name, _) => visit(name),
            ValueType::List(item) => item.for_each_name(visit),
            ValueType::Object(name, members) => {
                visit(name);
                members.iter_mut().for_each(|member| member.value_type.for_each_name(visit));
            }
            _ => {}
        }
    }
}

impl TypeName {
    /// Returns the name of a type inside this one.
    fn inner(&self, name: &str) -> Self {
        TypeName {
            name: format!("{}{}", self.name, camel(&words(name))),
            origin: format!("{}\n{name}", self.origin),
        }
    }
}

/// Returns the choice between all values of a flag, if they are few and short.
fn choice(flag: &Flag) -> Option<ValueType> {
    let texts: BTreeSet<&str> = flag.values().filter_map(Value::as_str).collect();
    let is_short = |text: &&str| text.chars().count() <= MAX_CHOICE_LENGTH;
    if texts.len() > MAX_CHOICES || !texts.iter().all(is_short) {
        return None;
    }
    let name = TypeName { name: camel(&words(&flag.key)), origin: flag.key.clone() };
    Some(ValueType::Choice(name, texts.into_iter().map(str::to_owned).collect()))
}

fn of_values(values: &[&Value], name: TypeName, depth: usize) -> ValueType {
    let all = |is: fn(&Value) -> bool| values.iter().all(|value| is(value));
    let has_parts = |value: &&Value| value.is_array() || value.is_object();
    if values.is_empty() || depth == 0 && values.iter().any(has_parts) {
        ValueType::Json
    } else if all(Value::is_boolean) {
        ValueType::Boolean
    } else if all(is_integer) {
        ValueType::Integer
    } else if all(Value::is_number) {
        ValueType::Float
    } else if all(Value::is_string) {
        ValueType::Text
    } else if all(Value::is_array) {
        let items: Vec<&Value> = values.iter().filter_map(|it| it.as_array()).flatten().collect();
        ValueType::List(Box::new(of_values(&items, name.inner("item"), depth - 1)))
    } else if all(Value::is_object) {
        let objects: Vec<&Map<String, Value>> =
            values.iter().filter_map(|value| value.as_object()).collect();
        of_objects(&objects, name, depth)
    } else {
        ValueType::Json
    }
}

fn of_objects(objects: &[&Map<String, Value>], name: TypeName, depth: usize) -> ValueType {
    let mut members: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (member, value) in objects.iter().copied().flatten() {
        members.entry(member).or_default().push(value);
    }
    if members.is_empty() || members.len() > MAX_MEMBERS {
        return ValueType::Json;
    }
    let member = |(member, values): (&str, Vec<&Value>)| {
        let present: Vec<&Value> = values.into_iter().filter(|value| !value.is_null()).collect();
        Member {
            name: member.to_owned(),
            is_optional: present.len() < objects.len(),
            value_type: of_values(&present, name.inner(member), depth - 1),
        }
    };
    let members = members.into_iter().map(member).collect();
    ValueType::Object(name, members)
}

/// Whether the value is a whole number that `i64` holds. The client reads `17.0` and `1e2` as
/// integers.
fn is_integer(value: &Value) -> bool {
    integer(value).is_some()
}

/// Returns the integer that a number equals.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    if let Some(integer) = value.as_i64() {
        return Some(integer);
    }
    if value.is_u64() {
        return None;
    }
    let float = value.as_f64()?;
    // The cast saturates. It changes a float that is not whole, or out of range.
    let whole = float as i128;
    if whole as f64 == float { i64::try_from(whole).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::flag::Flags;

    fn type_of(definition: Value) -> ValueType {
        let document = json!({ "f": definition }).to_string();
        let flags = Flags::from_json(document).unwrap();
        ValueType::of(flags.get("f").unwrap())
    }

    #[test]
    fn scalars_have_the_narrowest_type() {
        let cases = [
            (json!({"defaultValue": false}), ValueType::Boolean),
            (json!({"defaultValue": 17.0, "rules": [{"force": 1e2}]}), ValueType::Integer),
            (json!({"defaultValue": 17, "rules": [{"force": 0.5}]}), ValueType::Float),
            (json!({"defaultValue": 18_446_744_073_709_551_615_u64}), ValueType::Float),
            (json!({"defaultValue": "a", "rules": [{"force": "b"}]}), ValueType::Text),
            (json!({"defaultValue": "a", "rules": [{"force": 1}]}), ValueType::Json),
            (json!({"defaultValue": null, "rules": [{"force": null}]}), ValueType::Json),
            (json!({"defaultValue": null, "rules": [{"variations": [1, 2]}]}), ValueType::Integer),
            (json!({"rules": [{"force": true, "variations": ["a"]}]}), ValueType::Boolean),
            (json!({"rules": "none"}), ValueType::Json),
            (json!({"defaultValue": [1, 2]}), ValueType::List(Box::new(ValueType::Integer))),
            (json!({"defaultValue": [1, null]}), ValueType::List(Box::new(ValueType::Json))),
            (json!({"defaultValue": {}}), ValueType::Json),
        ];
        for (definition, expected) in cases {
            let text = definition.to_string();
            assert_eq!(type_of(definition), expected, "{text}");
        }
    }

    #[test]
    fn few_short_variations_are_a_choice() {
        let choices = |definition| match type_of(definition) {
            ValueType::Choice(_, choices) => Some(choices),
            _ => None,
        };
        let with = |variations: Value| json!({"rules": [{"variations": variations}]});
        assert_eq!(choices(with(json!(["b", "a", "b"]))).unwrap(), ["a", "b"]);
        assert!(choices(with(json!(["a", "a"]))).is_none());
        assert!(choices(with(json!(["a", "b".repeat(MAX_CHOICE_LENGTH + 1)]))).is_none());
        let texts = |count| (0..count).map(|it| it.to_string()).collect::<Vec<_>>();
        assert!(choices(with(json!(texts(MAX_CHOICES)))).is_some());
        assert!(choices(with(json!(texts(MAX_CHOICES + 1)))).is_none());
    }

    #[test]
    fn member_is_optional_if_a_value_lacks_it() {
        let value_type = type_of(json!({
            "defaultValue": {"always": 1, "sometimes": 1, "null": 1},
            "rules": [{"force": {"always": 2, "null": null}}],
        }));
        let ValueType::Object(name, members) = value_type else { panic!("{value_type:?}") };
        let optional: Vec<&str> =
            members.iter().filter(|it| it.is_optional).map(|it| it.name.as_str()).collect();
        assert_eq!((name.name.as_str(), optional), ("F", vec!["null", "sometimes"]));
    }

    #[test]
    fn deep_objects_are_json() {
        let mut value = json!({"leaf": 1});
        for _ in 0..MAX_DEPTH + 2 {
            value = json!({ "in": value });
        }
        let mut names = 0;
        type_of(json!({ "defaultValue": value })).for_each_name(&mut |_| names += 1);
        assert_eq!(names, MAX_DEPTH);
    }

    #[test]
    fn deep_lists_are_json() {
        let mut value = json!([1]);
        for _ in 0..MAX_DEPTH + 2 {
            value = json!([value]);
        }
        let (mut value_type, mut levels) = (type_of(json!({ "defaultValue": value })), 0);
        while let ValueType::List(item) = value_type {
            (value_type, levels) = (*item, levels + 1);
        }
        assert_eq!((value_type, levels), (ValueType::Json, MAX_DEPTH));
    }
}
