//! Equality without conversion, as `JSON.stringify(a) === JSON.stringify(b)` decides it.

use hashbrown::HashMap;

use super::{AttributeSource, Node};
use crate::budget::Budget;
use crate::json::{Json, Object};

/// Whether two values are equal at every level, with object members in the same order. The order is
/// ignored if one of the objects does not have the order of a JSON text. `None` if the budget is
/// spent before that is known.
pub(crate) fn deep_equal(a: Node<'_>, b: Node<'_>, budget: &Budget) -> Option<bool> {
    match (a, b) {
        (Node::Null, Node::Null) => Some(true),
        (Node::Bool(a), Node::Bool(b)) => Some(a == b),
        (Node::Number(a), Node::Number(b)) => Some(a == b),
        (Node::String(a), Node::String(b)) if a.len() == b.len() => {
            budget.take_text(a.len()).then(|| a == b)
        }
        (Node::Array(a), Node::Array(b)) if a.len() == b.len() => {
            all(a.iter().zip(b), budget, |(a, b)| json_equal(a, b, budget))
        }
        (Node::String(_), Node::String(_)) | (Node::Array(_), Node::Array(_)) => Some(false),
        (Node::Object(a), Node::Object(b)) => objects_equal(a, b, budget),
        (Node::Source(a), Node::Object(b)) | (Node::Object(b), Node::Source(a)) => {
            has_members(a, b, budget)
        }
        (a, b) => lists_equal(a, b, budget),
    }
}

/// Whether all items pass. Each item is a step.
fn all<T>(
    items: impl Iterator<Item = T>,
    budget: &Budget,
    test: impl Fn(T) -> Option<bool>,
) -> Option<bool> {
    for item in items {
        if !budget.take(1) {
            return None;
        }
        if !test(item)? {
            return Some(false);
        }
    }
    Some(true)
}

/// Compares two lists, at least one of which is in a type of the caller.
fn lists_equal(a: Node<'_>, b: Node<'_>, budget: &Budget) -> Option<bool> {
    match (a.items(), b.items()) {
        (Some(a), Some(b)) if a.len() == b.len() => {
            all(a.zip(b), budget, |(a, b)| deep_equal(a, b, budget))
        }
        _ => Some(false),
    }
}

/// Whether the source shows the same members as the object, in any order.
fn has_members(source: &dyn AttributeSource, object: &Object<'_>, budget: &Budget) -> Option<bool> {
    let members = Members::new(object, budget)?;
    let (mut shown, mut equal) = (0, Some(true));
    source.visit(&mut |name, value| {
        shown += 1;
        if equal != Some(true) {
            return;
        }
        equal = if budget.take(1) && budget.take_text(name.len()) {
            members
                .get(name)
                .map_or(Some(false), |own| deep_equal(Node::from(own), value.node(), budget))
        } else {
            None
        };
    });
    Some(equal? && shown == object.len())
}

fn json_equal(a: &Json<'_>, b: &Json<'_>, budget: &Budget) -> Option<bool> {
    deep_equal(Node::from(a), Node::from(b), budget)
}

fn objects_equal(a: &Object<'_>, b: &Object<'_>, budget: &Budget) -> Option<bool> {
    if a.len() != b.len() {
        return Some(false);
    }
    if a.is_ordered && b.is_ordered {
        return all(a.iter().zip(b.iter()), budget, |((a_key, a), (b_key, b))| {
            if !budget.take_text(a_key.len()) {
                return None;
            }
            if a_key == b_key { json_equal(a, b, budget) } else { Some(false) }
        });
    }
    let members = Members::new(b, budget)?;
    all(a.iter(), budget, |(key, a)| {
        if !budget.take_text(key.len()) {
            return None;
        }
        members.get(key).map_or(Some(false), |b| json_equal(a, b, budget))
    })
}

/// The members of an object by name.
enum Members<'o> {
    Few(&'o Object<'o>),
    Many(HashMap<&'o str, &'o Json<'o>>),
}

impl<'o> Members<'o> {
    /// `None` if the budget is spent.
    fn new(object: &'o Object<'_>, budget: &Budget) -> Option<Self> {
        /// Up to this many members, comparing names is faster than building a table.
        const FEW: usize = 16;
        if object.len() <= FEW {
            return Some(Members::Few(object));
        }
        let mut members = HashMap::with_capacity(object.len());
        for (name, value) in object.iter() {
            if !(budget.take(1) && budget.take_text(name.len())) {
                return None;
            }
            members.insert(name, value);
        }
        Some(Members::Many(members))
    }

    fn get(&self, name: &str) -> Option<&'o Json<'o>> {
        match self {
            Members::Few(object) => object.get(name),
            Members::Many(members) => members.get(name).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn json_equal(a: &Json<'_>, b: &Json<'_>) -> bool {
        super::json_equal(a, b, &Budget::default()).unwrap()
    }

    fn parse(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn objects_are_compared_with_their_key_order() {
        assert!(json_equal(&parse(r#"{"a":1,"b":[1.0]}"#), &parse(r#"{"a":1.0,"b":[1]}"#)));
        assert!(!json_equal(&parse(r#"{"a":1,"b":2}"#), &parse(r#"{"b":2,"a":1}"#)));
        assert!(json_equal(&parse(r#"{"2":1,"1":2}"#), &parse(r#"{"1":2,"2":1}"#)));
        assert!(!json_equal(&parse("[1,true]"), &parse("[1,1]")));
    }

    #[test]
    fn order_of_serde_json_value_is_ignored() {
        let value = Json::from(&json!({"a": 1, "b": 2}));
        assert!(json_equal(&value, &parse(r#"{"b":2,"a":1}"#)));
        assert!(!json_equal(&value, &parse(r#"{"b":2,"a":2}"#)));
        assert!(!json_equal(&value, &parse(r#"{"b":2}"#)));
    }
}
