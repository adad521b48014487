//! The attribute that identifies a user to rollouts and experiments.

use super::Evaluator;
use crate::json::{Json, Number};
use crate::result::HashValue;

impl<'a> Evaluator<'a> {
    /// The value of a hash attribute. Booleans, arrays, objects, 0, "" and null count as missing.
    pub(super) fn hash_value(&self, attribute: &str) -> HashValue<'a> {
        let user = self.user.attributes().get(attribute);
        let value = user.or_else(|| self.globals?.global_attributes().get(attribute));
        match value.map(|value| value.json()) {
            Some(Json::String(text)) if !text.is_empty() => HashValue::String(text),
            Some(Json::Number(number)) if is_hashable(*number) => HashValue::Number(*number),
            _ => HashValue::Missing,
        }
    }
}

fn is_hashable(number: Number) -> bool {
    number.as_f64() != 0.0
}
