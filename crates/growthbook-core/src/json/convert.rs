//! Into and out of [`Json`]: from text (through serde), and from and to [`serde_json::Value`].

use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{Json, Number, Object, Text};
use crate::limits::MAX_JSON_DEPTH;

/// What serde_json calls a number's only member once some crate turned `arbitrary_precision`
/// on. Read here, so that our answers do not depend on who turned it on.
pub(super) const ARBITRARY_PRECISION_NUMBER: &str = "$serde_json::private::Number";

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
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("number out of range"))
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
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::new();
        while let Some((Key(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Object::read(members).ok_or_else(|| de::Error::custom("number out of range"))
    }
}

impl<'a> Object<'a> {
    /// The object of these members in the order of the text, or the number that `serde_json`
    /// hands over as one; `None` when that is out of range.
    pub(super) fn read(members: Vec<(Cow<'a, str>, Json<'a>)>) -> Option<Json<'a>> {
        if let [(name, Json::String(text))] = members.as_slice()
            && name == ARBITRARY_PRECISION_NUMBER
        {
            return Number::from_json_text(text).map(Json::Number);
        }
        Some(Json::Object(Object::ordered(members)))
    }
}

/// A member name, borrowed when the text has it without escapes.
struct Key<'a>(Cow<'a, str>);

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
                Ok(Key(Cow::Owned(text.to_string())))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

impl From<&Value> for Json<'static> {
    fn from(value: &Value) -> Self {
        Json::from_value(value, MAX_JSON_DEPTH)
    }
}

impl Json<'static> {
    /// A value with what nests deeper than `depth` levels as null.
    pub(crate) fn from_value(value: &Value, depth: usize) -> Self {
        match value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Number::from_serde(number).map_or(Json::Null, Json::Number),
            Value::String(text) => Json::String(Text::own(text)),
            Value::Array(_) | Value::Object(_) if depth == 0 => Json::Null,
            Value::Array(items) => {
                Json::Array(items.iter().map(|item| Json::from_value(item, depth - 1)).collect())
            }
            Value::Object(map) => Json::Object(Object::unordered(
                map.iter()
                    .map(|(name, value)| (Text::own(name), Json::from_value(value, depth - 1)))
                    .collect(),
            )),
        }
    }
}

impl Number {
    /// `None` when it is out of range, with `arbitrary_precision`.
    pub(crate) fn from_serde(number: &serde_json::Number) -> Option<Self> {
        if let Some(value) = number.as_u64() {
            Some(value.into())
        } else if let Some(value) = number.as_i64() {
            Some(value.into())
        } else {
            number.as_f64().and_then(Number::from_f64)
        }
    }
}

impl Json<'_> {
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => number.to_json(),
            Json::String(text) => Value::String(text.to_string()),
            Json::Array(items) => Value::Array(items.iter().map(Json::to_value).collect()),
            Json::Object(object) => Value::Object(
                object.iter().map(|(name, value)| (name.to_string(), value.to_value())).collect(),
            ),
        }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(number) => number.serialize(serializer),
            Json::String(text) => serializer.serialize_str(text),
            Json::Array(items) => serializer.collect_seq(items),
            Json::Object(object) => serializer.collect_map(object.iter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_survive_the_way_through() {
        for text in ["9007199254740993", "18446744073709551615", "-1", "0.1", "1e300"] {
            let json: Json<'_> = serde_json::from_str(text).unwrap();
            assert_eq!(json.to_value(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn a_number_out_of_range_is_refused() {
        assert!(serde_json::from_str::<Json<'_>>("1e400").is_err());
    }

    #[test]
    fn an_arbitrary_precision_number_is_a_number() {
        let text = format!(r#"{{"{ARBITRARY_PRECISION_NUMBER}":"12.5"}}"#);
        let json: Json<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(json.to_value(), json!(12.5));
    }

    #[test]
    fn values_deeper_than_the_limit_are_cut() {
        let mut value = json!(1);
        for _ in 0..1000 {
            value = json!([value]);
        }
        let mut json = &Json::from(&value);
        let mut depth = 0;
        while let Json::Array(items) = json {
            json = &items[0];
            depth += 1;
        }
        assert_eq!(depth, MAX_JSON_DEPTH);
        assert!(matches!(json, Json::Null));
    }
}
