//! An evaluation context as a GrowthBook user.

use std::any::Any;
use std::sync::Arc;

use growthbook::{AttributeValue, Attributes, UserContext};
use growthbook_support::contain;
use open_feature::{
    EvaluationContext, EvaluationContextFieldValue as Field, EvaluationError, EvaluationErrorCode,
    StructValue, Value,
};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::date::to_iso_text;
use crate::structs::{struct_to_json, value_to_json};

/// The attribute that gets the targeting key.
pub const DEFAULT_TARGETING_ATTRIBUTE: &str = "id";

/// Returns a field of an evaluation context with this value: a list, an object, or anything else that
/// serde can serialize.
///
/// ```
/// # use growthbook_openfeature::context_value;
/// # use open_feature::EvaluationContext;
/// let user = EvaluationContext::default()
///     .with_targeting_key("user-123")
///     .with_custom_field("tags", context_value(&["beta", "staff"])?);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// When the value has no JSON form. For example, JSON has no maps whose keys are lists.
pub fn context_value(value: &(impl Serialize + ?Sized)) -> Result<Field, serde_json::Error> {
    AttributeValue::from_serialize(value).map(Field::new_struct)
}

/// Reads a struct of a context as an attribute. Returns `None` for a struct of another type.
type StructReader = fn(&dyn Any) -> Option<Result<AttributeValue, Problem>>;

/// Makes users of evaluation contexts.
#[derive(Clone)]
pub(crate) struct ContextReader {
    pub(crate) targeting_attribute: Arc<str>,
    struct_readers: Vec<StructReader>,
}

impl Default for ContextReader {
    fn default() -> Self {
        let targeting_attribute = DEFAULT_TARGETING_ATTRIBUTE.into();
        ContextReader { targeting_attribute, struct_readers: Vec::new() }
    }
}

impl ContextReader {
    /// Lets fields have values of a type of the application.
    pub(crate) fn add_type<T: Serialize + 'static>(&mut self) {
        self.struct_readers.push(read_as::<T>);
    }

    /// Returns the user with all fields as attributes.
    ///
    /// # Errors
    ///
    /// When a struct cannot be read.
    pub(crate) fn user(&self, context: &EvaluationContext) -> Result<UserContext, EvaluationError> {
        let mut user = UserContext::default();
        for (name, field) in &context.custom_fields {
            let value = self.attribute(field).map_err(|problem| problem.into_error(name))?;
            user = user.attribute(name, value);
        }
        // An empty key does not identify a user, so it does not replace a field.
        if let Some(key) = context.targeting_key.as_deref().filter(|key| !key.is_empty()) {
            user = user.attribute(&self.targeting_attribute, key);
        }
        Ok(user)
    }

    fn attribute(&self, field: &Field) -> Result<AttributeValue, Problem> {
        Ok(match field {
            Field::Bool(value) => (*value).into(),
            Field::Int(value) => (*value).into(),
            Field::Float(value) => (*value).into(),
            Field::String(text) => text.as_str().into(),
            Field::DateTime(date) => to_iso_text(*date).into(),
            Field::Struct(value) => self.struct_attribute(value.as_ref())?,
        })
    }

    fn struct_attribute(&self, value: &dyn Any) -> Result<AttributeValue, Problem> {
        if let Some(known) = known_struct(value) {
            return Ok(known);
        }
        let mut readers = self.struct_readers.iter();
        readers.find_map(|read| read(value)).unwrap_or(Err(Problem::UnknownType))
    }
}

/// Why a field is not an attribute.
#[derive(Clone, Copy)]
enum Problem {
    UnknownType,
    NoJson,
    Panicked,
}

impl Problem {
    fn into_error(self, field: &str) -> EvaluationError {
        let problem = match self {
            Problem::UnknownType => {
                "is a struct of an unknown type: name the type with \
                 `GrowthBookProvider::context_type`, or make the field with `context_value`"
            }
            Problem::NoJson => "has no JSON form: change how its type is serialized",
            Problem::Panicked => "panicked while it was serialized",
        };
        EvaluationError::builder()
            .code(EvaluationErrorCode::InvalidContext)
            .message(format!("the field {field:?} of the evaluation context {problem}"))
            .build()
    }
}

fn read_as<T: Serialize + 'static>(value: &dyn Any) -> Option<Result<AttributeValue, Problem>> {
    let value = value.downcast_ref::<T>()?;
    // `Serialize` is code of the application, which may panic.
    Some(match contain(|| AttributeValue::from_serialize(value)) {
        Ok(serialized) => serialized.map_err(|_| Problem::NoJson),
        Err(_) => Err(Problem::Panicked),
    })
}

/// Returns the attribute of a struct whose type needs no name.
fn known_struct(value: &dyn Any) -> Option<AttributeValue> {
    macro_rules! known {
        ($($name:ident: $type:ty => $attribute:expr),+ $(,)?) => {
            $(if let Some($name) = value.downcast_ref::<$type>() {
                return Some($attribute);
            })+
        };
    }
    known! {
        value: AttributeValue => value.clone(),
        members: Attributes => members.clone().into(),
        json: Json => json.into(),
        members: Map<String, Json> => members.clone().into(),
        value: StructValue => struct_to_json(value).into(),
        value: Value => value_to_json(value).into(),
        texts: Vec<String> => texts.into(),
        texts: Vec<&'static str> => texts.into(),
        numbers: Vec<i64> => numbers.into(),
        numbers: Vec<f64> => numbers.into(),
    }
    None
}
