//! Looks up the attribute by which rollouts and experiments identify a user.

use super::evaluator::Evaluator;
use crate::experiment::HashAttribute;
use crate::hash_value::HashValue;
use crate::tag::Name;

impl<'a> Evaluator<'a> {
    /// Returns a fallback attribute with its value, unless the user lacks it too.
    #[inline(never)]
    pub(super) fn hash_fallback<'e>(&self, fallback: &'e str) -> Option<(&'e str, HashValue<'a>)> {
        let value = self.hash_value(fallback);
        (value != HashValue::Missing).then_some((fallback, value))
    }

    /// Returns the value of a hash attribute. Booleans, arrays, objects, 0, "" and null count as
    /// missing.
    #[inline]
    pub(super) fn hash_value_of(&self, attribute: &HashAttribute) -> HashValue<'a> {
        self.attributes.hash_value(attribute.name())
    }

    /// Returns the value of the hash attribute of this name.
    pub(super) fn hash_value(&self, attribute: &str) -> HashValue<'a> {
        self.attributes.hash_value(Name::new(attribute))
    }
}
