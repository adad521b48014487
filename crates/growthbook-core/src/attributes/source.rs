//! Attributes in the application's own types, read by name without a copy.

use alloc::{borrow::Cow, boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt;

use serde_json::{Map, Value};

use super::{AttributeValue, Attributes, Node};
use crate::json::Number;

/// A user's attributes in a type of the application. Evaluation reads them by name, so that they
/// need not be copied into [`Attributes`].
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
/// With the Cargo feature `derive`, `#[derive(AttributeSource)]` writes the implementation.
///
/// An evaluation calls it whenever it needs an attribute, and does not keep the answers. The source
/// must return the same answers during one evaluation. A panic in it reaches the caller of the
/// evaluation; the client of the crate `growthbook` contains it. An object inside the attributes is a source, too ([`AttributeRef::Object`]).
pub trait AttributeSource: Sync {
    /// Returns the attribute of this name. For `None`, evaluation looks for a global attribute.
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>>;

    /// Calls the visitor once for each attribute. The default shows no attributes.
    ///
    /// Evaluation usually finds attributes by name. It needs this method to compare the whole
    /// object with an object in a condition, and to show the attributes to callbacks.
    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        let _ = visitor;
    }
}

/// A list among the attributes of an [`AttributeSource`]. It is implemented for `Vec`, arrays and
/// slices of every type that converts into an [`AttributeRef`].
#[expect(clippy::len_without_is_empty, reason = "evaluation calls it, and needs the length only")]
pub trait AttributeList: Sync {
    /// Returns the number of items.
    fn len(&self) -> usize;

    /// Returns the item at an index; null if the index is not below [`len`](AttributeList::len).
    fn item(&self, index: usize) -> AttributeRef<'_>;
}

/// A reference to the value of an attribute. `Into` makes it from Rust values and from references
/// to them.
///
/// `Debug` prints the type, never the value.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum AttributeRef<'a> {
    /// Null: the attribute is present, but without a value.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(&'a str),
    /// A list.
    List(&'a dyn AttributeList),
    /// An object.
    Object(&'a dyn AttributeSource),
    /// A value that was built earlier.
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

/// Copies the value. Objects in the copy compare without regard to the order of their members.
/// Arrays and objects nested deeper than 128 levels become null.
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

/// Conversions of references to owned and shared texts.
macro_rules! texts {
    ($($text:ty),+) => {$(
        impl<'a> From<&'a $text> for AttributeRef<'a> {
            fn from(text: &'a $text) -> Self {
                AttributeRef::String(text)
            }
        }
    )+};
}
texts!(Box<str>, Arc<str>, Cow<'_, str>);

/// Conversions of references to objects.
macro_rules! objects {
    ($($object:ty),+) => {$(
        impl<'a> From<&'a $object> for AttributeRef<'a> {
            fn from(object: &'a $object) -> Self {
                AttributeRef::Object(object)
            }
        }
    )+};
}
objects!(Attributes, Map<String, Value>);

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

/// A number that is not finite becomes null.
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

/// Conversions from references, which the items of lists need.
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
