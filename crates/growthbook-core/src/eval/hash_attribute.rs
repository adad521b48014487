//! The attribute that identifies a user to rollouts and experiments.

use super::Evaluator;
use crate::result::HashValue;

impl<'a> Evaluator<'a> {
    /// The attribute to hash and its value: the fallback's where the user lacks the first.
    #[inline]
    pub(super) fn hash_attribute<'e>(
        &self,
        attribute: &'e str,
        fallback: Option<&'e str>,
    ) -> (&'e str, HashValue<'a>) {
        match fallback {
            Some(fallback)
                if self.hash_value(attribute) == HashValue::Missing
                    && self.hash_value(fallback) != HashValue::Missing =>
            {
                (fallback, self.hash_value(fallback))
            }
            _ => (attribute, self.hash_value(attribute)),
        }
    }

    /// The value of a hash attribute. Booleans, arrays, objects, 0, "" and null count as missing.
    #[inline]
    pub(super) fn hash_value(&self, attribute: &str) -> HashValue<'a> {
        self.attributes.hash_value(attribute)
    }
}
