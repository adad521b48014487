//! Conversions of Rust values into attributes.

use alloc::{
    borrow::Cow, boxed::Box, collections::BTreeMap, rc::Rc, string::String, sync::Arc, vec::Vec,
};

use serde_json::{Map, Value};

use super::{AttributeValue, Attributes};
use crate::json::{Json, Number, Object, Text};
use crate::limits::MAX_JSON_DEPTH;

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Json::String(Text::own(text)).into()
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Json::String(text.into()).into()
    }
}

macro_rules! from_texts {
    ($($text:ty),+) => {$(
        impl From<$text> for AttributeValue {
            fn from(text: $text) -> Self {
                let text: &str = &text;
                text.into()
            }
        }
    )+};
}
from_texts!(&String, Box<str>, &Box<str>, Rc<str>, &Rc<str>, Arc<str>, &Arc<str>, Cow<'_, str>);

/// A string of one character.
impl From<char> for AttributeValue {
    fn from(character: char) -> Self {
        let mut buffer = [0; 4];
        let text: &str = character.encode_utf8(&mut buffer);
        text.into()
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Json::Bool(value).into()
    }
}

/// A number that is not finite becomes null.
impl From<f64> for AttributeValue {
    fn from(value: f64) -> Self {
        Number::from_f64(value).map_or(Json::Null, Json::Number).into()
    }
}

/// A number that is not finite becomes null.
impl From<f32> for AttributeValue {
    fn from(value: f32) -> Self {
        f64::from(value).into()
    }
}

macro_rules! from_integers {
    ($wide:ty: $($narrow:ty),+) => {$(
        impl From<$narrow> for AttributeValue {
            fn from(value: $narrow) -> Self {
                // No platform has integers of pointer size that are wider than 64 bits.
                Json::Number((value as $wide).into()).into()
            }
        }
    )+};
}
from_integers!(i64: i8, i16, i32, i64, isize);
from_integers!(u64: u8, u16, u32, u64, usize);

impl From<&AttributeValue> for AttributeValue {
    fn from(value: &AttributeValue) -> Self {
        value.clone()
    }
}

impl<T: Into<AttributeValue>> From<Option<T>> for AttributeValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Json::Null.into(), Into::into)
    }
}

impl<T: Into<AttributeValue>> From<Vec<T>> for AttributeValue {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Into<AttributeValue>, const COUNT: usize> From<[T; COUNT]> for AttributeValue {
    fn from(items: [T; COUNT]) -> Self {
        items.into_iter().collect()
    }
}

macro_rules! from_slices {
    ($([$($parameters:tt)*] $slice:ty),+ $(,)?) => {$(
        impl<$($parameters)*> From<$slice> for AttributeValue {
            fn from(items: $slice) -> Self {
                items.iter().cloned().collect()
            }
        }
    )+};
}
from_slices!(
    [T: Clone + Into<AttributeValue>] &[T],
    [T: Clone + Into<AttributeValue>] &Vec<T>,
    [T: Clone + Into<AttributeValue>, const COUNT: usize] &[T; COUNT],
);

impl<T: Into<AttributeValue>> FromIterator<T> for AttributeValue {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        // Each item was cut when it was made, so the list is at most one level too deep.
        let list = Json::Array(items.into_iter().map(|item| item.into().into_json()).collect());
        list.cut(MAX_JSON_DEPTH).into()
    }
}

impl From<Value> for AttributeValue {
    fn from(value: Value) -> Self {
        (&value).into()
    }
}

impl From<&Value> for AttributeValue {
    fn from(value: &Value) -> Self {
        Json::from(value).into()
    }
}

/// An object. It compares without regard to the order of its members.
impl From<Attributes> for AttributeValue {
    fn from(attributes: Attributes) -> Self {
        let members = attributes.into_members();
        let members = members.map(|(name, value)| (Text::Own(name), value.into_json()));
        Json::Object(Object::unordered(members.collect())).cut(MAX_JSON_DEPTH).into()
    }
}

/// Takes the members of an object. Any other value becomes an empty set.
impl From<Value> for Attributes {
    fn from(value: Value) -> Self {
        match value {
            Value::Object(map) => map.into(),
            _ => Attributes::new(),
        }
    }
}

/// Conversions of maps: into the attributes of a user, and into an attribute that is an object.
macro_rules! from_maps {
    ($([$($parameters:tt)*] $map:ty),+ $(,)?) => {$(
        impl<$($parameters)*> From<$map> for Attributes {
            fn from(map: $map) -> Self {
                map.into_iter().collect()
            }
        }

        impl<$($parameters)*> From<$map> for AttributeValue {
            fn from(map: $map) -> Self {
                Attributes::from(map).into()
            }
        }
    )+};
}
from_maps!([] Map<String, Value>, [N: AsRef<str>, V: Into<AttributeValue>] BTreeMap<N, V>);
#[cfg(feature = "std")]
from_maps!([N: AsRef<str>, V: Into<AttributeValue>, S] std::collections::HashMap<N, V, S>);

impl<N: AsRef<str>, V: Into<AttributeValue>> From<Vec<(N, V)>> for Attributes {
    fn from(members: Vec<(N, V)>) -> Self {
        members.into_iter().collect()
    }
}

impl<N: AsRef<str>, V: Into<AttributeValue>, const COUNT: usize> From<[(N, V); COUNT]>
    for Attributes
{
    fn from(members: [(N, V); COUNT]) -> Self {
        members.into_iter().collect()
    }
}

impl From<&Attributes> for Attributes {
    fn from(attributes: &Attributes) -> Self {
        attributes.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rust_values_become_json_values() {
        let owned = String::from("text");
        let list = [String::from("a"), String::from("b")];
        let map = BTreeMap::from([("k", 1)]);
        let cases: [(AttributeValue, Value); 19] = [
            ("text".into(), json!("text")),
            ((&owned).into(), json!("text")),
            (Box::<str>::from("text").into(), json!("text")),
            (Rc::<str>::from("text").into(), json!("text")),
            (Arc::<str>::from("text").into(), json!("text")),
            ((&Arc::<str>::from("text")).into(), json!("text")),
            (Cow::Borrowed("text").into(), json!("text")),
            ('ß'.into(), json!("ß")),
            (true.into(), json!(true)),
            (1.5_f32.into(), json!(1.5)),
            (f64::NAN.into(), json!(null)),
            ((-7_isize).into(), json!(-7)),
            (u64::MAX.into(), json!(u64::MAX)),
            (None::<&str>.into(), json!(null)),
            (list.as_slice().into(), json!(["a", "b"])),
            ((&list).into(), json!(["a", "b"])),
            ((&list.to_vec()).into(), json!(["a", "b"])),
            ([Some(1), None].into(), json!([1, null])),
            (map.into(), json!({"k": 1})),
        ];
        for (value, expected) in cases {
            assert_eq!(value.to_json(), expected);
        }
    }

    #[test]
    fn nested_maps_are_cut_at_the_limit() {
        let mut value = AttributeValue::from(1);
        for _ in 0..1_000 {
            value = BTreeMap::from([("k", value)]).into();
        }
        let text = value.json().to_text();
        assert_eq!(text.matches('{').count(), MAX_JSON_DEPTH);
    }
}
