//! The attribute that identifies a user to rollouts and experiments.

use super::Evaluator;
use crate::experiment::HashAttribute;
use crate::result::HashValue;
use crate::tag::Tag;

impl<'a> Evaluator<'a> {
    /// The attribute to hash and its value: the fallback's where the user lacks the first.
    #[inline]
    pub(super) fn hash_attribute<'e>(
        &self,
        attribute: &'e HashAttribute,
        fallback: Option<&'e str>,
    ) -> (&'e str, HashValue<'a>) {
        let value = self.hash_value_of(attribute);
        if let (Some(fallback), HashValue::Missing) = (fallback, &value) {
            let other = self.hash_value(fallback);
            if other != HashValue::Missing {
                return (fallback, other);
            }
        }
        (attribute, value)
    }

    /// The value of a hash attribute. Booleans, arrays, objects, 0, "" and null count as missing.
    #[inline]
    pub(super) fn hash_value_of(&self, attribute: &HashAttribute) -> HashValue<'a> {
        self.attributes.hash_value(attribute, attribute.tag())
    }

    /// The same, by the attribute's name.
    pub(super) fn hash_value(&self, attribute: &str) -> HashValue<'a> {
        self.attributes.hash_value(attribute, Tag::new(attribute))
    }
}
