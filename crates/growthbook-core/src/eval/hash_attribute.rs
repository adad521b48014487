//! The attribute that identifies a user to rollouts and experiments.

use super::evaluator::Evaluator;
use crate::experiment::HashAttribute;
use crate::hash_value::HashValue;
use crate::tag::Name;

impl<'a> Evaluator<'a> {
    /// A fallback with its value, unless the user lacks it too.
    #[inline(never)]
    pub(super) fn hash_fallback<'e>(&self, fallback: &'e str) -> Option<(&'e str, HashValue<'a>)> {
        let value = self.hash_value(fallback);
        (value != HashValue::Missing).then_some((fallback, value))
    }

    /// The value of a hash attribute. Booleans, arrays, objects, 0, "" and null count as missing.
    #[inline]
    pub(super) fn hash_value_of(&self, attribute: &HashAttribute) -> HashValue<'a> {
        self.attributes.hash_value(attribute.name())
    }

    /// The same, by the attribute's name.
    pub(super) fn hash_value(&self, attribute: &str) -> HashValue<'a> {
        self.attributes.hash_value(Name::new(attribute))
    }
}
