//! The reader of [`Json`], for `serde_json` and other deserializers.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Json, Key, Number, Object, Text};

/// The name of the member in which `serde_json` passes a number if its feature
/// `arbitrary_precision` is on. Any crate of the program may turn it on. Results must not depend on
/// it.
const ARBITRARY_PRECISION_NUMBER: &str = "$serde_json::private::Number";

impl<'a> Json<'a> {
    /// Reads a value. `None` for text that is not valid JSON, or has a number out of range, half a
    /// surrogate pair, or [`MAX_JSON_DEPTH`](crate::limits::MAX_JSON_DEPTH) levels.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(out_of_range)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Json::String(Text::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Json::String(Text::own(text)))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Json::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(Text<'de>, Json<'de>)> = Vec::new();
        while let Some((Key(name), value)) = map.next_entry()? {
            members.push((name.into(), value));
        }
        if let [(name, Json::String(number))] = members.as_slice()
            && **name == *ARBITRARY_PRECISION_NUMBER
        {
            return Number::from_json_text(number).map(Json::Number).ok_or_else(out_of_range);
        }
        Ok(Json::Object(Object::ordered(members)))
    }
}

fn out_of_range<E: de::Error>() -> E {
    E::custom("number out of range")
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn members_are_in_property_order() {
        let json = Json::parse(r#"{"b":[1,{"2":0,"1":0}],"10":0,"2":{},"b":[2]}"#).unwrap();
        assert_eq!(json.to_text(), r#"{"2":{},"10":0,"b":[2]}"#);
    }

    #[test]
    fn unreadable_text_is_refused() {
        let deep = "[".repeat(128) + &"]".repeat(128);
        for text in ["", "[1", "1 2", "1e400", r#""\ud800""#, r#"{"\ud800":1}"#, &deep] {
            assert!(Json::parse(text).is_none(), "{text}");
        }
        assert!(Json::parse(&deep[1..255]).is_some());
    }

    #[test]
    fn arbitrary_precision_number_is_a_number() {
        let text = format!(r#"[{{"{ARBITRARY_PRECISION_NUMBER}":"12.5"}}]"#);
        assert_eq!(Json::parse(&text).unwrap().to_text(), "[12.5]");
        let text = format!(r#"{{"{ARBITRARY_PRECISION_NUMBER}":"x"}}"#);
        assert!(Json::parse(&text).is_none());
    }
}
