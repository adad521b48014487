//! One level of JSON at a time: members and items are found, not read, so that one that cannot
//! be read spoils nothing but itself.

use alloc::{borrow::Cow, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::json::{TextReader, property_order};

/// The members of a JSON object, unread.
pub(crate) struct RawMembers<'a> {
    /// In JavaScript's property order.
    pub(crate) named: Vec<(Cow<'a, str>, &'a str)>,
    /// The names that are no text, as they are written: they hold half a surrogate pair.
    pub(crate) unnamed: Vec<&'a str>,
}

impl<'a> RawMembers<'a> {
    /// The member's text, unless it is missing or null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.named.iter().find(|(member, _)| member == name)?;
        Some(*value).filter(|text| *text != "null")
    }
}

/// The members of the object in `text`; `None` when there is none.
pub(crate) fn members(text: &str) -> Option<RawMembers<'_>> {
    let mut reader = TextReader::new(text);
    let (mut named, mut unnamed) = (Vec::new(), Vec::new());
    let mut entries = reader.enter_object()?;
    while reader.next_entry(&mut entries)? {
        let name = reader.name()?;
        let value = reader.skip()?;
        match name {
            Ok(name) => named.push((name, value)),
            Err(name) => unnamed.push(name),
        }
    }
    reader.end()?;
    Some(RawMembers { named: property_order(named), unnamed })
}

/// The items of the array in `text`; `None` when there is none.
pub(crate) fn items(text: &str) -> Option<Vec<&str>> {
    let mut reader = TextReader::new(text);
    let mut items = Vec::new();
    let mut entries = reader.enter_list()?;
    while reader.next_entry(&mut entries)? {
        items.push(reader.skip()?);
    }
    reader.end()?;
    Some(items)
}

/// Why there is no object in `text`.
pub(super) fn object_error(text: &str) -> Option<serde_json::Error> {
    struct Members;
    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Members)
        }
    }
    impl<'de> Visitor<'de> for Members {
        type Value = Members;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<&'de RawValue, &'de RawValue>()?.is_some() {}
            Ok(self)
        }
    }
    serde_json::from_str::<Members>(text).err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_text_stands_alone() {
        let members = members(r#"{"a":1,"\ud800":2,"b\n":3}"#).unwrap();
        let names: Vec<&str> = members.named.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!((names, members.unnamed), (["a", "b\n"].into(), [r"\ud800"].into()));
    }

    #[test]
    fn what_is_no_object_is_told_by_its_place() {
        let error = |text| object_error(text).map(|it| (it.is_data(), it.line(), it.column()));
        for text in ["[1,", "5 x", "null"] {
            assert!(members(text).is_none() && error(text).unwrap().0, "{text}");
        }
        for (text, place) in [("{\"a\":1\n,}", (2, 2)), ("", (1, 0)), ("{} x", (1, 4))] {
            assert!(members(text).is_none());
            assert_eq!(error(text), Some((false, place.0, place.1)), "{text}");
        }
        assert!(error("{}").is_none());
    }
}
