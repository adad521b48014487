//! JSON as evaluation needs it: key order kept, numbers read the same way whatever
//! `serde_json` features the rest of the program turns on.

mod convert;
mod equality;
mod node;
mod number;
mod scanner;
mod string;
mod tape;
mod text;

use alloc::{borrow::Cow, string::String, vec::Vec};

use hashbrown::HashMap;

pub(crate) use equality::deep_equal;
pub(crate) use node::{Kind, Node};
pub use number::Number;
pub(crate) use number::js_number_string;
pub(crate) use string::Text;
pub(crate) use tape::{ListView, ObjectView, Place, Tape, View};
pub(crate) use text::{Entries, TextReader};

/// A JSON value with ordered objects. Strings borrow from the text where they can.
#[derive(Clone)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Text<'a>),
    Array(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// The members of a JSON object in JavaScript's property order: integer-like keys ascending,
/// then the others as written. A repeated key keeps its first place and its last value.
#[derive(Clone, Default)]
pub(crate) struct Object<'a> {
    members: Vec<(Text<'a>, Json<'a>)>,
    /// False where the order is not the author's, because the object came from a
    /// [`serde_json::Map`] (sorted or not, depending on `serde_json`'s features).
    ordered: bool,
}

impl<'a> Object<'a> {
    /// Members in the order of the text.
    pub(crate) fn ordered(members: Vec<(Cow<'a, str>, Json<'a>)>) -> Self {
        // In place: a name takes as much room either way.
        let members = property_order(members).into_iter();
        let members = members.map(|(name, value)| (name.into(), value)).collect();
        Object { members, ordered: true }
    }

    /// Some of this object's members, in its order.
    pub(crate) fn subset(&self, members: Vec<(Text<'a>, Json<'a>)>) -> Self {
        Object { members, ordered: self.ordered }
    }

    /// Members whose order means nothing.
    fn unordered(members: Vec<(Text<'a>, Json<'a>)>) -> Self {
        Object { members, ordered: false }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.members.iter().find(|(name, _)| **name == *key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Json<'a>> {
        self.members.iter_mut().find(|(name, _)| **name == *key).map(|(_, value)| value)
    }

    /// Replaces a member, or adds it last. The key is no array index, which would go first.
    pub(crate) fn set(&mut self, key: &'static str, value: Json<'a>) {
        match self.get_mut(key) {
            Some(member) => *member = value,
            None => self.members.push((key.into(), value)),
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.members.retain(|(name, _)| **name != *key);
    }

    /// The members with their names as they are held.
    pub(crate) fn members(&self) -> &[(Text<'a>, Json<'a>)] {
        &self.members
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.members.iter().map(|(name, value)| (&**name, value))
    }

    pub(crate) fn into_members(self) -> impl Iterator<Item = (Text<'a>, Json<'a>)> {
        self.members.into_iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }
}

impl<'a> Json<'a> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Json<'a>]> {
        match self {
            Json::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The value as JSON text.
    pub(crate) fn to_text(&self) -> String {
        // Writing to a string cannot fail, and no key is anything but a string.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }

    /// JavaScript truthiness: everything but null, false, 0 and "".
    pub(crate) fn is_truthy(&self) -> bool {
        Node::from(self).is_truthy()
    }

    /// The value with what nests deeper than `depth` levels as null.
    pub(crate) fn cut(self, depth: usize) -> Self {
        match self {
            Json::Array(_) | Json::Object(_) if depth == 0 => Json::Null,
            Json::Array(items) => {
                Json::Array(items.into_iter().map(|item| item.cut(depth - 1)).collect())
            }
            Json::Object(Object { members, ordered }) => {
                let members =
                    members.into_iter().map(|(name, value)| (name, value.cut(depth - 1))).collect();
                Json::Object(Object { members, ordered })
            }
            scalar => scalar,
        }
    }

    pub(crate) fn into_owned(self) -> Json<'static> {
        match self {
            Json::Null => Json::Null,
            Json::Bool(value) => Json::Bool(value),
            Json::Number(number) => Json::Number(number),
            Json::String(text) => Json::String(text.into_owned()),
            Json::Array(items) => Json::Array(items.into_iter().map(Json::into_owned).collect()),
            Json::Object(object) => Json::Object(Object {
                members: object
                    .members
                    .into_iter()
                    .map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .collect(),
                ordered: object.ordered,
            }),
        }
    }
}

/// Brings members into JavaScript's property order and merges repeated keys.
pub(crate) fn property_order<'a, T>(members: Vec<(Cow<'a, str>, T)>) -> Vec<(Cow<'a, str>, T)> {
    let mut members = merge_repeated(members);
    if members.iter().any(|(name, _)| array_index(name).is_some()) {
        // Stable: names that are no array index keep their order behind the indices.
        members.sort_by_key(|(name, _)| array_index(name).map_or(u64::MAX, u64::from));
    }
    members
}

fn merge_repeated<'a, T>(members: Vec<(Cow<'a, str>, T)>) -> Vec<(Cow<'a, str>, T)> {
    /// Below this many members comparing the names beats building a table.
    const SMALL: usize = 24;
    let repeated = if members.len() <= SMALL {
        members
            .iter()
            .enumerate()
            .any(|(index, (name, _))| members.iter().take(index).any(|(other, _)| other == name))
    } else {
        let mut seen = hashbrown::HashSet::with_capacity(members.len());
        !members.iter().all(|(name, _)| seen.insert(name.as_ref()))
    };
    if !repeated {
        return members;
    }
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::with_capacity(members.len());
    let mut merged: Vec<(Cow<'a, str>, T)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        match places.get(&name).and_then(|&place| merged.get_mut(place)) {
            Some(member) => member.1 = value,
            None => {
                places.insert(name.clone(), merged.len());
                merged.push((name, value));
            }
        }
    }
    merged
}

/// The number a key stands for when JavaScript treats it as an array index: the canonical
/// decimal form of 0 to 2^32 - 2, so "0" and "10" but not "01", "-0" or "4294967295".
pub(crate) fn array_index(key: &str) -> Option<u32> {
    let bytes = key.as_bytes();
    let canonical = match bytes {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 10 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !canonical {
        return None;
    }
    key.parse::<u32>().ok().filter(|&index| index != u32::MAX)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let value: Json<'_> = serde_json::from_str(text).unwrap();
        value.as_object().unwrap().iter().map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn members_come_in_javascript_property_order() {
        assert_eq!(keys(r#"{"b":1,"a":2}"#), ["b", "a"]);
        assert_eq!(keys(r#"{"b":1,"10":0,"2":0,"01":0}"#), ["2", "10", "b", "01"]);
        assert_eq!(keys(r#"{"4294967295":0,"4294967294":0}"#), ["4294967294", "4294967295"]);
    }

    #[test]
    fn a_repeated_key_keeps_its_place_and_its_last_value() {
        let value: Json<'_> = serde_json::from_str(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(value.to_text(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn array_indices_are_canonical() {
        let cases = [
            ("0", Some(0)),
            ("10", Some(10)),
            ("4294967294", Some(4_294_967_294)),
            ("4294967295", None),
            ("99999999999", None),
            ("01", None),
            ("-0", None),
            ("+1", None),
            ("", None),
            ("1.0", None),
        ];
        for (key, expected) in cases {
            assert_eq!(array_index(key), expected, "{key:?}");
        }
    }
}
