//! Structs: JSON as OpenFeature's structs, and types of the application as structs.

use core::fmt;
use std::error::Error;

use growthbook::result::read_value;
use open_feature::{StructValue, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as JsonValue};

/// The most levels of lists and objects in a struct.
pub const MAX_STRUCT_DEPTH: usize = 128;

/// A flag's struct as a type of the application.
///
/// A whole number is an integer, even if the flag has `17.0`. serde buffers the content of untagged
/// enums and of flattened structs. There, such a number is not an integer.
///
/// ```
/// # use growthbook_openfeature::{GrowthBookProvider, Json};
/// # use open_feature::OpenFeature;
/// #[derive(serde::Deserialize)]
/// struct Limits { rps: u32 }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), growthbook::PayloadError> {
/// # let client = growthbook::Client::from_json(
/// #     r#"{"features": {"limits": {"defaultValue": {"rps": 50}}}}"#)?;
/// # let mut api = OpenFeature::singleton_mut().await;
/// # api.set_provider(GrowthBookProvider::new(client)).await;
/// # let flags = api.create_client();
/// let limits = flags.get_struct_value::<Json<Limits>>("limits", None, None).await;
/// let limits = limits.map(|Json(limits)| limits).unwrap_or(Limits { rps: 10 });
/// assert_eq!(limits.rps, 50);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json<T>(pub T);

/// Reads the struct. Fails when a field is missing or has another type.
impl<T: DeserializeOwned> TryFrom<StructValue> for Json<T> {
    type Error = serde_json::Error;

    fn try_from(value: StructValue) -> Result<Self, Self::Error> {
        read_value(&struct_to_json(&value)).map(Json)
    }
}

/// Why a value has no form as a struct.
#[derive(Debug)]
#[non_exhaustive]
pub enum StructError {
    /// The value is not an object.
    NotAnObject,
    /// A list contains null. OpenFeature has no null, and without it the others would move.
    NullInList,
    /// The value has more than [`MAX_STRUCT_DEPTH`] levels.
    TooDeep,
    /// A number is beyond the range of a double.
    NumberTooLarge,
    /// The value has no form as JSON.
    Json(serde_json::Error),
}

impl fmt::Display for StructError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            StructError::NotAnObject => "the value is not an object",
            StructError::NullInList => "a list contains null, which OpenFeature does not have",
            StructError::TooDeep => "the value has more than 128 levels",
            StructError::NumberTooLarge => "a number is beyond the range of a double",
            StructError::Json(_) => "the value has no form as JSON",
        })
    }
}

impl Error for StructError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            StructError::Json(error) => Some(error),
            _ => None,
        }
    }
}

/// Returns a JSON object as a struct.
///
/// - A number of the range of `i64` that is written as an integer stays exact. Any other number is
///   a float: the nearest double, as in JavaScript.
/// - A member that is null is left out, because OpenFeature has no null.
///
/// # Errors
///
/// When the value is not an object, or has a part without a form in OpenFeature.
pub fn struct_from_json(value: &JsonValue) -> Result<StructValue, StructError> {
    match from_json(value, MAX_STRUCT_DEPTH)? {
        Some(Value::Struct(value)) => Ok(value),
        _ => Err(StructError::NotAnObject),
    }
}

/// Returns a value of the application as a struct, see [`struct_from_json`].
///
/// # Errors
///
/// When the value is not serialized as an object, or has a part without a form in OpenFeature.
pub fn to_struct(value: &(impl Serialize + ?Sized)) -> Result<StructValue, StructError> {
    struct_from_json(&serde_json::to_value(value).map_err(StructError::Json)?)
}

/// Returns a struct as a JSON object. A float that is not finite becomes null, and so do parts below
/// [`MAX_STRUCT_DEPTH`] levels.
pub fn struct_to_json(value: &StructValue) -> JsonValue {
    object(value, MAX_STRUCT_DEPTH)
}

/// Returns a value as JSON, see [`struct_to_json`].
pub(crate) fn value_to_json(value: &Value) -> JsonValue {
    to_json(value, MAX_STRUCT_DEPTH)
}

/// Returns `None` for null.
fn from_json(value: &JsonValue, depth: usize) -> Result<Option<Value>, StructError> {
    Ok(Some(match value {
        JsonValue::Null => return Ok(None),
        JsonValue::Bool(value) => Value::Bool(*value),
        JsonValue::Number(number) => from_number(number)?,
        JsonValue::String(text) => Value::String(text.clone()),
        JsonValue::Array(items) => {
            let depth = depth.checked_sub(1).ok_or(StructError::TooDeep)?;
            let items =
                items.iter().map(|item| from_json(item, depth)?.ok_or(StructError::NullInList));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        JsonValue::Object(members) => {
            let depth = depth.checked_sub(1).ok_or(StructError::TooDeep)?;
            let mut value = StructValue::default();
            for (name, member) in members {
                if let Some(member) = from_json(member, depth)? {
                    value.add_field(name, member);
                }
            }
            Value::Struct(value)
        }
    }))
}

fn from_number(number: &Number) -> Result<Value, StructError> {
    if let Some(integer) = number.as_i64() {
        return Ok(Value::Int(integer));
    }
    let float = number.as_f64().filter(|float| float.is_finite());
    float.map(Value::Float).ok_or(StructError::NumberTooLarge)
}

fn to_json(value: &Value, depth: usize) -> JsonValue {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => match depth.checked_sub(1) {
            Some(depth) => items.iter().map(|item| to_json(item, depth)).collect(),
            None => JsonValue::Null,
        },
        Value::Struct(value) => object(value, depth),
    }
}

fn object(value: &StructValue, depth: usize) -> JsonValue {
    let Some(depth) = depth.checked_sub(1) else { return JsonValue::Null };
    let members = value.fields.iter();
    let members = members.map(|(name, member)| (name.clone(), to_json(member, depth)));
    JsonValue::Object(members.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_the_same_after_both_conversions() {
        for value in [
            json!({}),
            json!({"a": {"b": [{"c": []}, [true, "x"], {}]}, "": "ß\u{0}"}),
            json!({"least": i64::MIN, "most": i64::MAX, "exact": 9_007_199_254_740_993_i64}),
            json!({"whole": 17.0, "half": 0.5, "tiny": 5e-324, "large": f64::MAX, "zero": -0.0}),
        ] {
            assert_eq!(struct_to_json(&struct_from_json(&value).unwrap()), value);
        }
    }

    #[test]
    fn number_without_an_exact_form_is_the_nearest_double() {
        let value = struct_from_json(&json!({"n": u64::MAX, "whole": 17.0})).unwrap();
        assert_eq!(value.fields["n"], Value::Float(18_446_744_073_709_551_616.0));
        assert_eq!(value.fields["whole"], Value::Float(17.0));
    }

    #[test]
    fn null_member_is_left_out() {
        let value = struct_from_json(&json!({"a": null, "b": {"c": null}})).unwrap();
        assert_eq!(struct_to_json(&value), json!({"b": {}}));
    }

    #[test]
    fn value_without_a_form_is_an_error() {
        let mut deep = json!(1);
        for _ in 0..MAX_STRUCT_DEPTH {
            deep = json!({ "k": deep });
        }
        assert!(struct_from_json(&deep).is_ok());
        for (value, expected) in [
            (json!([1]), "the value is not an object"),
            (json!(null), "the value is not an object"),
            (json!({"a": [1, null]}), "a list contains null, which OpenFeature does not have"),
            (json!({ "k": deep }), "the value has more than 128 levels"),
            (json!({ "k": [deep] }), "the value has more than 128 levels"),
        ] {
            assert_eq!(struct_from_json(&value).unwrap_err().to_string(), expected);
        }
        let no_json = std::collections::BTreeMap::from([([1], 2)]);
        assert!(matches!(to_struct(&no_json), Err(StructError::Json(_))));
    }

    #[test]
    fn deep_struct_and_infinite_float_become_null() {
        let mut value = StructValue::default().with_field("n", f64::INFINITY);
        assert_eq!(struct_to_json(&value), json!({"n": null}));
        for _ in 0..1_000 {
            value = StructValue::default().with_field("k", Value::Struct(value));
        }
        let text = struct_to_json(&value).to_string();
        assert_eq!(text.matches('{').count(), MAX_STRUCT_DEPTH);
        assert!(text.contains("null"));
    }

    #[test]
    fn types_of_the_application_keep_their_values() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Banner {
            title: String,
            counts: Vec<u8>,
            ratio: f64,
            link: Option<String>,
            inner: Option<Box<Banner>>,
        }
        let inner = Banner {
            title: "in".into(),
            counts: vec![],
            ratio: 1.0,
            link: Some("x".into()),
            inner: None,
        };
        let banner = Banner {
            title: "out".into(),
            counts: vec![1, 255],
            ratio: 0.1,
            link: None,
            inner: Some(Box::new(inner)),
        };
        let Json(read) = Json::<Banner>::try_from(to_struct(&banner).unwrap()).unwrap();
        assert_eq!(read, banner);
        // A whole float is read as an integer, a missing field as an error.
        let counts = json!({"title": "", "counts": [3.0], "ratio": 2});
        let Json(read) = Json::<Banner>::try_from(struct_from_json(&counts).unwrap()).unwrap();
        assert_eq!((read.counts, read.ratio), (vec![3], 2.0));
        assert!(Json::<Banner>::try_from(StructValue::default()).is_err());
    }
}
