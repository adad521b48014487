//! One level of JSON at a time: members and items are found, not read, so that one that cannot
//! be read spoils nothing but itself.

use alloc::{borrow::Cow, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::json::{Key, property_order};

/// The members of a JSON object, unread.
pub(crate) struct RawMembers<'a> {
    /// In JavaScript's property order.
    pub(crate) named: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// The names that are no text, as they are written: they hold half a surrogate pair.
    pub(crate) unnamed: Vec<&'a str>,
}

impl<'a> RawMembers<'a> {
    /// The member's text, unless it is missing or null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.named.iter().find(|(member, _)| member == name)?;
        Some(value.get()).filter(|text| *text != "null")
    }
}

/// The members of the object in `text`.
pub(crate) fn members(text: &str) -> Result<RawMembers<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

/// The items of the array in `text`.
pub(crate) fn items(text: &str) -> Result<Vec<&RawValue>, serde_json::Error> {
    serde_json::from_str(text)
}

impl<'de: 'a, 'a> Deserialize<'de> for RawMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = RawMembers<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut named = Vec::new();
                let mut unnamed = Vec::new();
                while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
                    match serde_json::from_str(name.get()) {
                        Ok(Key(name)) => named.push((name, value)),
                        Err(_) => unnamed.push(name.get().trim_matches('"')),
                    }
                }
                Ok(RawMembers { named: property_order(named), unnamed })
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
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
}
