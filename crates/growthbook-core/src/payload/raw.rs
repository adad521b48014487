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

/// The members of a JSON object, unread, in JavaScript's property order.
pub(crate) struct RawMembers<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> RawMembers<'a> {
    /// The member's text, unless it is missing or null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(member, _)| member == name)?;
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
                let mut members = Vec::new();
                while let Some((Key(name), value)) = map.next_entry::<_, &'de RawValue>()? {
                    members.push((name, value));
                }
                Ok(RawMembers(property_order(members)))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}
