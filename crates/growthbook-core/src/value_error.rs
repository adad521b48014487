//! Why a feature does not have a value of the wanted type.

use core::fmt;

use serde_json::Value;

/// Why a feature does not have a value of the wanted type.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ValueError<'a> {
    /// The snapshot does not have the feature, and no value is forced.
    UnknownFeature,
    /// The feature has no value: no rule applies, and there is no default value, for example.
    NoValue,
    /// The value has another type.
    WrongType(&'a Value),
}

impl fmt::Display for ValueError<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueError::UnknownFeature => formatter.write_str(
                "the payload does not have the feature: check its key, and the projects and the \
                 environment of the SDK connection",
            ),
            ValueError::NoValue => formatter.write_str(
                "the feature has no value for this user: give it a default value, or a rule that \
                 applies",
            ),
            ValueError::WrongType(value) => write!(
                formatter,
                "the feature has {}, which is not of the wanted type: ask for another type, or \
                 change the value in GrowthBook",
                json_type(value)
            ),
        }
    }
}

impl core::error::Error for ValueError<'_> {}

/// Returns the JSON type of a value, with an article.
pub(crate) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
