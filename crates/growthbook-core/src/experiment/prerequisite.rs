//! Prerequisites: features whose values other features and experiments depend on.

use alloc::boxed::Box;
use core::ops::Deref;
use core::slice;

use crate::condition::Clauses;
use crate::feature_index::FeatureIndex;

/// A prerequisite: a feature whose value must meet a condition.
#[derive(Clone, Debug)]
pub(crate) struct ParentCondition {
    pub(crate) feature: ParentFeature,
    pub(crate) value: ParentValue,
    /// Whether a failure leaves the whole feature without a value.
    pub(crate) gate: bool,
}

/// The prerequisites of a rule. Most rules with prerequisites have one, which is stored in place.
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

/// The test of a prerequisite's value.
#[derive(Clone, Debug)]
pub(crate) enum ParentValue {
    /// Every value passes.
    Any,
    /// True or false: the usual test.
    Is(bool),
    /// Any other condition.
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
    /// Makes a prerequisite in place of an unreadable one. It is never met.
    pub(crate) fn unreadable(gate: bool) -> Self {
        ParentCondition { feature: ParentFeature::Never, value: ParentValue::Any, gate }
    }
}

/// The feature of a prerequisite.
#[derive(Clone, Debug)]
pub(crate) enum ParentFeature {
    /// A key of the same snapshot, with or without a feature.
    Linked(FeatureIndex),
    /// A key, for an experiment of its own.
    Named(Box<str>),
    /// The key is missing. The value is null, as for any unknown feature.
    Unknown,
    /// The prerequisite could not be read. It is never met.
    Never,
}
