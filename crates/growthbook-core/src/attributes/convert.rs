//! Conversions of Rust values into attributes.

use alloc::{
    borrow::Cow, boxed::Box, collections::BTreeMap, rc::Rc, string::String, sync::Arc, vec::Vec,
};

use serde_json::{Map, Value};

use super::{AttributeValue, Attributes};
use crate::json::{Json, Number, Object, Text};
use crate::limits::MAX_JSON_DEPTH;
use crate::sorting::sort_by;

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

impl AttributeValue {
    /// Makes an object of members whose values have different types. The last value of a name counts.
    /// Objects compare without regard to the order of these members.
    ///
    /// ```
    /// use growthbook_core::{AttributeValue, UserContext};
    ///
    /// let company = AttributeValue::object([("name", "Example".into()), ("size", 25.into())]);
    /// let user = UserContext::new("user-1").attribute("company", company);
    /// # assert_eq!(user.attributes().get("company").unwrap().to_json()["size"], 25);
    /// ```
    pub fn object<N: AsRef<str>>(members: impl IntoIterator<Item = (N, AttributeValue)>) -> Self {
        let members = members.into_iter();
        object(members.map(|(name, value)| (Text::own(name.as_ref()), value.into_json())).collect())
    }
}

/// Makes an object. The last value of a name counts.
fn object(mut members: Vec<(Text<'static>, Json<'static>)>) -> AttributeValue {
    if may_repeat_a_name(&members) {
        keep_last_of_each_name(&mut members);
    }
    // Each value was cut when it was made, so the object is at most one level too deep.
    Json::Object(Object::unordered(members)).cut(MAX_JSON_DEPTH).into()
}

/// Whether a name may be repeated. Many names are not compared, since that takes too long.
fn may_repeat_a_name(members: &[(Text<'static>, Json<'static>)]) -> bool {
    /// Up to this many members, comparing all names is faster than sorting them.
    const FEW: usize = 16;
    let mut rest = members;
    let mut is_repeated = members.len() > FEW;
    while let (false, [(name, _), others @ ..]) = (is_repeated, rest) {
        is_repeated = others.iter().any(|(other, _)| **other == **name);
        rest = others;
    }
    is_repeated
}

fn keep_last_of_each_name(members: &mut Vec<(Text<'static>, Json<'static>)>) {
    // The sort is stable, so the last of several equal names stays last.
    sort_by(members, |(a, _), (b, _)| (**a).cmp(b));
    members.dedup_by(|later, earlier| {
        let is_same = *later.0 == *earlier.0;
        if is_same {
            core::mem::swap(&mut later.1, &mut earlier.1);
        }
        is_same
    });
}

/// An object. It compares without regard to the order of its members.
impl From<Attributes> for AttributeValue {
    fn from(attributes: Attributes) -> Self {
        let members = attributes.into_members();
        object(members.map(|(name, value)| (Text::Own(name), value.into_json())).collect())
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
    use alloc::string::ToString;

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
    fn last_member_of_a_name_counts() {
        for count in [1, 16, 40] {
            let members = (0..count).flat_map(|number| [(number, 1), (number, 2)]);
            let members = members.map(|(name, value)| (name.to_string(), value.into()));
            let object = AttributeValue::object(members).to_json();
            let members = object.as_object().unwrap();
            assert_eq!(members.len(), count);
            assert!(members.values().all(|value| *value == 2), "{count}");
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
