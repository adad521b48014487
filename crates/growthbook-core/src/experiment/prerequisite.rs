//! Prerequisites: features whose values decide about others.

use alloc::boxed::Box;
use core::ops::{Deref, DerefMut};
use core::slice;

use crate::condition::Clauses;
use crate::feature_table::FeatureTable;
use crate::snapshot::FeatureIndex;

/// A prerequisite: a feature whose value must meet a condition.
#[derive(Clone, Debug)]
pub(crate) struct ParentCondition {
    pub(crate) feature: ParentFeature,
    pub(crate) value: ParentValue,
    /// Whether a failure leaves the whole feature without a value.
    pub(crate) gate: bool,
}

/// The prerequisites of a rule. Of those that have any most have one, which stands in place.
#[derive(Clone, Debug)]
pub(crate) enum Parents {
    One(ParentCondition),
    Any(Box<[ParentCondition]>),
}

impl From<Box<[ParentCondition]>> for Parents {
    fn from(parents: Box<[ParentCondition]>) -> Self {
        match <Box<[_; 1]>>::try_from(parents) {
            Ok(one) => {
                let [parent] = *one;
                Parents::One(parent)
            }
            Err(parents) => Parents::Any(parents),
        }
    }
}

impl Deref for Parents {
    type Target = [ParentCondition];

    #[inline]
    fn deref(&self) -> &[ParentCondition] {
        match self {
            Parents::One(parent) => slice::from_ref(parent),
            Parents::Any(parents) => parents,
        }
    }
}

impl DerefMut for Parents {
    fn deref_mut(&mut self) -> &mut [ParentCondition] {
        match self {
            Parents::One(parent) => slice::from_mut(parent),
            Parents::Any(parents) => parents,
        }
    }
}

/// What a prerequisite's value must be.
#[derive(Clone, Debug)]
pub(crate) enum ParentValue {
    Any,
    /// True or false, as nearly always.
    Is(bool),
    Meets(Clauses),
}

impl From<Option<Clauses>> for ParentValue {
    fn from(condition: Option<Clauses>) -> Self {
        match condition {
            None => ParentValue::Any,
            Some(condition) => match condition.expected_value() {
                Some(expected) => ParentValue::Is(expected),
                None => ParentValue::Meets(condition),
            },
        }
    }
}

impl ParentCondition {
    /// A prerequisite that is never met, for one that could not be read.
    pub(crate) fn unreadable(gate: bool) -> Self {
        ParentCondition { feature: ParentFeature::Never, value: ParentValue::Any, gate }
    }
}

impl ParentFeature {
    /// Links a feature by key to the one of the payload, if there is one.
    pub(crate) fn link(&mut self, features: &FeatureTable) {
        if let ParentFeature::Named(key) = self
            && let Some(index) = features.find(key)
        {
            *self = ParentFeature::Linked(index);
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum ParentFeature {
    /// A feature of the same payload.
    Linked(FeatureIndex),
    /// No feature there could be: its value is null, as that of any unknown feature.
    Unknown,
    /// A prerequisite that could not be read: it is never met.
    Never,
    /// A feature by key: of an inline experiment, or one the payload lacks.
    Named(Box<str>),
}
