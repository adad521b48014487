//! Equality without conversion, as `JSON.stringify(a) === JSON.stringify(b)` decides it.

use super::{AttributeSource, Node};
use crate::json::{Json, Object};

/// Whether two values are equal at every level, with object members in the same order. The order is
/// ignored if one of the objects does not have the order of a JSON text.
pub(crate) fn deep_equal(a: Node<'_>, b: Node<'_>) -> bool {
    match (a, b) {
        (Node::Null, Node::Null) => true,
        (Node::Bool(a), Node::Bool(b)) => a == b,
        (Node::Number(a), Node::Number(b)) => a == b,
        (Node::String(a), Node::String(b)) => a == b,
        (Node::Array(a), Node::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| json_equal(a, b))
        }
        (Node::Object(a), Node::Object(b)) => objects_equal(a, b),
        (Node::Source(a), Node::Object(b)) | (Node::Object(b), Node::Source(a)) => {
            has_members(a, b)
        }
        (a, b) => lists_equal(a, b),
    }
}

/// Compares two lists, at least one of which is in a type of the caller.
fn lists_equal(a: Node<'_>, b: Node<'_>) -> bool {
    match (a.items(), b.items()) {
        (Some(a), Some(b)) => a.len() == b.len() && a.zip(b).all(|(a, b)| deep_equal(a, b)),
        _ => false,
    }
}

/// Whether the source shows the same members as the object, in any order.
fn has_members(source: &dyn AttributeSource, object: &Object<'_>) -> bool {
    let (mut shown, mut equal) = (0, true);
    source.visit(&mut |name, value| {
        shown += 1;
        equal &= object.get(name).is_some_and(|own| deep_equal(Node::from(own), value.node()));
    });
    equal && shown == object.len()
}

fn json_equal(a: &Json<'_>, b: &Json<'_>) -> bool {
    deep_equal(Node::from(a), Node::from(b))
}

fn objects_equal(a: &Object<'_>, b: &Object<'_>) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.is_ordered && b.is_ordered {
        a.iter().zip(b.iter()).all(|((a_key, a), (b_key, b))| a_key == b_key && json_equal(a, b))
    } else {
        a.iter().all(|(key, a)| b.get(key).is_some_and(|b| json_equal(a, b)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
