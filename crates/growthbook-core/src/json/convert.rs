//! Conversions between [`Json`] and [`serde_json::Value`].

use alloc::string::ToString;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Json, Number, Object, Text};
use crate::limits::MAX_JSON_DEPTH;

impl From<&Value> for Json<'static> {
    fn from(value: &Value) -> Self {
        Json::from_value(value, MAX_JSON_DEPTH)
    }
}

impl Json<'static> {
    /// Converts a value, with null for arrays and objects below `depth` levels.
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
            Value::Object(map) => {
                let members = map
                    .iter()
                    .map(|(name, value)| (Text::own(name), Json::from_value(value, depth - 1)));
                Json::Object(Object::unordered(members.collect()))
            }
        }
    }
}

impl Number {
    /// Converts a number. `None` if it is out of range, which is possible with
    /// `arbitrary_precision`.
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
            Json::Object(object) => {
                // Collecting would sort, which takes more code than inserting.
                let mut map = Map::new();
                map.extend(object.iter().map(|(name, value)| (name.to_string(), value.to_value())));
                Value::Object(map)
            }
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
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        for text in ["9007199254740993", "18446744073709551615", "-1", "0.1", "1e300"] {
            let json: Json<'_> = serde_json::from_str(text).unwrap();
            assert_eq!(json.to_value(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn number_out_of_range_is_refused() {
        assert!(serde_json::from_str::<Json<'_>>("1e400").is_err());
    }

    #[test]
    fn values_below_the_limit_are_cut() {
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
