//! The attribute that identifies a user to rollouts and experiments.

use super::Evaluator;
use crate::json::{Json, Number};
use crate::result::HashValue;

impl<'a> Evaluator<'a> {
    /// The attribute to hash and its value: the fallback's where the user lacks the first.
    #[inline]
    pub(super) fn hash_attribute<'e>(
        &self,
        attribute: &'e str,
        fallback: Option<&'e str>,
    ) -> (&'e str, HashValue<'a>) {
        let value = self.hash_value(attribute);
        if let (HashValue::Missing, Some(fallback)) = (value, fallback) {
            let fallback_value = self.hash_value(fallback);
            if fallback_value != HashValue::Missing {
                return (fallback, fallback_value);
            }
        }
        (attribute, value)
    }

    /// The value of a hash attribute. Booleans, arrays, objects, 0, "" and null count as missing.
    #[inline]
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
