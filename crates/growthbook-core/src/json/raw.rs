//! Members of objects and items of arrays as text. They are found, but not read, so that an
//! unreadable one does not affect the others.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::property_order;

/// The members of a JSON object, with their values as text.
pub(crate) struct RawMembers<'a> {
    /// In JavaScript's property order.
    pub(crate) named: Vec<(Cow<'a, str>, &'a str)>,
    /// Members whose name is not valid text, because it has half a surrogate pair. The name is as
    /// written, without its quotes.
    pub(crate) unnamed: Vec<(&'a str, &'a str)>,
}

impl<'a> RawMembers<'a> {
    /// Returns the text of a member, unless it is missing or null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.named.iter().find(|(member, _)| member == name)?;
        Some(*value).filter(|text| *text != "null")
    }
}

/// Finds the members of the object in `text`.
///
/// # Errors
///
/// The text is not an object. [`serde_json::Error::is_data`] is true if it is JSON of another type.
pub(crate) fn members(text: &str) -> Result<RawMembers<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

/// Finds the items of the array in `text`; `None` when it is not an array.
pub(crate) fn items(text: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

/// The name of a member that is valid text. It borrows unless it has escapes.
pub(crate) struct Key<'a>(pub(crate) Cow<'a, str>);

// This is not derived. With `arbitrary_precision`, `serde_json` passes a number as an object, and
// its only member name must be read as a string.
impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.into())))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = RawMembers<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut named, mut unnamed) = (Vec::new(), Vec::new());
        while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            match read_name(name.get()) {
                Ok(name) => named.push((name, value.get())),
                Err(name) => unnamed.push((name, value.get())),
            }
        }
        Ok(RawMembers { named: property_order(named), unnamed })
    }
}

/// Reads a name from its text with quotes. The error is the name as written, if it is not valid
/// text.
fn read_name(quoted: &str) -> Result<Cow<'_, str>, &str> {
    let name = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !name.contains('\\') {
        return Ok(Cow::Borrowed(name));
    }
    serde_json::from_str::<String>(quoted).map(Cow::Owned).map_err(|_| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_name_is_kept_apart() {
        let members = members(r#"{"a":1,"\ud800":2,"b\n":3}"#).unwrap();
        let names: Vec<&str> = members.named.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!((names, members.unnamed), (["a", "b\n"].into(), [(r"\ud800", "2")].into()));
    }

    #[test]
    fn members_with_unreadable_values_are_found() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        let text = alloc::format!(r#"{{"a":1e400, "b":"\ud800","c": {deep} ,"a":null}}"#);
        let found = members(&text).unwrap();
        assert_eq!(found.get("b"), Some(r#""\ud800""#));
        assert_eq!(found.get("c"), Some(deep.as_str()));
        assert_eq!((found.get("a"), found.named.len()), (None, 3));
        assert_eq!(items("[1e400, 2 ]"), Some(["1e400", "2"].into()));
        assert!(items("{}").is_none());
    }

    #[test]
    fn other_types_differ_from_invalid_json() {
        let error = |text| members(text).err().map(|it| (it.is_data(), it.line(), it.column()));
        for text in ["[1,", "5 x", "null"] {
            assert!(error(text).unwrap().0, "{text}");
        }
        for (text, place) in [("{\"a\":1\n,}", (2, 2)), ("", (1, 0)), ("{} x", (1, 4))] {
            assert_eq!(error(text), Some((false, place.0, place.1)), "{text}");
        }
        assert!(error("{}").is_none());
    }
}
