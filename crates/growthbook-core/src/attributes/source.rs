//! Attributes that stay where they are: the application's own types are asked for them.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde_json::{Map, Value};

use super::{AttributeValue, Attributes, Node};
use crate::json::Number;

/// Where a user's attributes are found by name: a type of yours, so that nothing is copied and no
/// [`Attributes`] are built before a flag is asked.
///
/// ```
/// use growthbook_core::{AttributeRef, AttributeSource, Payload};
///
/// struct Session<'r> {
///     user_id: &'r str,
///     country: &'r str,
///     age: Option<u8>,
///     tags: Vec<&'r str>,
/// }
///
/// impl AttributeSource for Session<'_> {
///     fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
///         Some(match name {
///             "id" => self.user_id.into(),
///             "country" => self.country.into(),
///             "age" => self.age.into(),
///             "tags" => (&self.tags).into(),
///             _ => return None,
///         })
///     }
/// }
///
/// let snapshot = Payload::from_json(r#"{"features": {"checkout": {"rules": [
///     {"condition": {"country": "US", "tags": {"$in": ["beta"]}}, "force": "new"}
/// ]}}}"#)?.compile();
/// let session = Session { user_id: "user-1", country: "US", age: Some(31), tags: vec!["beta"] };
/// assert_eq!(snapshot.for_source(&session).feature_value("checkout", "old"), "new");
/// # Ok::<(), growthbook_core::PayloadError>(())
/// ```
///
/// It is asked in the middle of evaluations, every time anew, and has to give the same answers
/// throughout one; a panic of its own goes through to whoever evaluates. An object inside the attributes is a source too ([`AttributeRef::Object`]).
pub trait AttributeSource: Sync {
    /// The attribute of this name. `None` when there is none, so that a global one may stand in.
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>>;

    /// Shows every attribute, each once. Default: none. Evaluation finds attributes by their
    /// names; only what takes a source as a whole needs this: comparing an object with one in a
    /// condition, and showing attributes to callbacks.
    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        let _ = visitor;
    }
}

/// A list among the attributes of an [`AttributeSource`]. Implemented for `Vec`, arrays and slices
/// of whatever an [`AttributeRef`] can be made from.
#[expect(clippy::len_without_is_empty, reason = "nobody asks but evaluation")]
pub trait AttributeList: Sync {
    /// How many items there are.
    fn len(&self) -> usize;

    /// The item at an index below [`len`](AttributeList::len); null beyond it.
    fn item(&self, index: usize) -> AttributeRef<'_>;
}

/// The value of an attribute where it stands. Made from Rust values, and from references to them,
/// with `Into`.
///
/// `Debug` prints the type, never the value.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum AttributeRef<'a> {
    /// Null: the attribute is there, and says nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(&'a str),
    /// A list.
    List(&'a dyn AttributeList),
    /// An object.
    Object(&'a dyn AttributeSource),
    /// A value that was built before.
    Value(&'a AttributeValue),
}

impl<'a> AttributeRef<'a> {
    #[inline]
    pub(crate) fn node(&self) -> Node<'a> {
        match self {
            AttributeRef::Null => Node::Null,
            AttributeRef::Bool(value) => Node::Bool(*value),
            AttributeRef::Number(number) => Node::Number(number.as_f64()),
            AttributeRef::String(text) => Node::String(text),
            AttributeRef::List(list) => Node::List(*list),
            AttributeRef::Object(source) => Node::Source(*source),
            AttributeRef::Value(value) => value.node(),
        }
    }
}

impl fmt::Debug for AttributeRef<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AttributeRef({:?})", self.node().kind())
    }
}

/// A copy. Objects compare by their members alone, and what nests deeper than 128 levels is cut to
/// null.
impl From<AttributeRef<'_>> for AttributeValue {
    fn from(value: AttributeRef<'_>) -> Self {
        match value {
            AttributeRef::Value(value) => value.clone(),
            AttributeRef::String(text) => text.into(),
            value => value.node().to_value().into(),
        }
    }
}

impl AttributeSource for Attributes {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        self.get(name).map(AttributeRef::Value)
    }

    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        self.iter().for_each(|(name, value)| visitor(name, AttributeRef::Value(value)));
    }
}

impl AttributeSource for Map<String, Value> {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        self.get(name).map(Into::into)
    }

    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        self.iter().for_each(|(name, value)| visitor(name, value.into()));
    }
}

macro_rules! lists {
    ($([$($parameter:tt)*] $list:ty),+ $(,)?) => {$(
        impl<$($parameter)*> AttributeList for $list
        where
            for<'i> &'i T: Into<AttributeRef<'i>>,
        {
            fn len(&self) -> usize {
                <[T]>::len(self)
            }

            fn item(&self, index: usize) -> AttributeRef<'_> {
                self.get(index).map_or(AttributeRef::Null, Into::into)
            }
        }

        impl<'a, $($parameter)*> From<&'a $list> for AttributeRef<'a>
        where
            for<'i> &'i T: Into<AttributeRef<'i>>,
        {
            fn from(list: &'a $list) -> Self {
                AttributeRef::List(list)
            }
        }
    )+};
}
lists!([T: Sync] Vec<T>, [T: Sync, const N: usize] [T; N], [T: Sync] &[T]);

impl<'a> From<&'a str> for AttributeRef<'a> {
    fn from(text: &'a str) -> Self {
        AttributeRef::String(text)
    }
}

impl<'a> From<&'a &str> for AttributeRef<'a> {
    fn from(text: &'a &str) -> Self {
        AttributeRef::String(text)
    }
}

impl<'a> From<&'a String> for AttributeRef<'a> {
    fn from(text: &'a String) -> Self {
        AttributeRef::String(text)
    }
}

impl<'a> From<&'a AttributeValue> for AttributeRef<'a> {
    fn from(value: &'a AttributeValue) -> Self {
        AttributeRef::Value(value)
    }
}

impl<'a> From<&'a Value> for AttributeRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => AttributeRef::Null,
            Value::Bool(value) => AttributeRef::Bool(*value),
            Value::Number(number) => {
                Number::from_serde(number).map_or(AttributeRef::Null, AttributeRef::Number)
            }
            Value::String(text) => AttributeRef::String(text),
            Value::Array(items) => AttributeRef::List(items),
            Value::Object(members) => AttributeRef::Object(members),
        }
    }
}

/// A number that is not finite is null.
impl From<f64> for AttributeRef<'_> {
    fn from(value: f64) -> Self {
        Number::from_f64(value).map_or(AttributeRef::Null, AttributeRef::Number)
    }
}

impl From<f32> for AttributeRef<'_> {
    fn from(value: f32) -> Self {
        f64::from(value).into()
    }
}

impl From<bool> for AttributeRef<'_> {
    fn from(value: bool) -> Self {
        AttributeRef::Bool(value)
    }
}

macro_rules! integers {
    ($wide:ty: $($narrow:ty),+) => {$(
        impl From<$narrow> for AttributeRef<'_> {
            fn from(value: $narrow) -> Self {
                AttributeRef::Number((value as $wide).into())
            }
        }
    )+};
}
integers!(i64: i8, i16, i32, i64, isize);
integers!(u64: u8, u16, u32, u64, usize);

/// The items of lists are asked for by reference.
macro_rules! references {
    ($($scalar:ty),+) => {$(
        impl From<&$scalar> for AttributeRef<'_> {
            fn from(value: &$scalar) -> Self {
                (*value).into()
            }
        }
    )+};
}
references!(bool, f32, f64, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl<'a, T: Into<AttributeRef<'a>>> From<Option<T>> for AttributeRef<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(AttributeRef::Null, Into::into)
    }
}
