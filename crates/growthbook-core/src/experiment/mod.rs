//! Experiments: their definitions, from rules of features, from auto experiments, and from code.
//!
//! An experiment outside of a rule is called "an experiment of its own". It has settings that a
//! rule's experiment does not have.

mod allocation;
mod definition;
mod division;
mod echo;
mod filter;
mod hash_attribute;
mod inline;
mod interner;
mod legacy_url;
mod overrides;
mod prerequisite;
mod ranges;
mod read;
mod settings;
mod sticky;

pub(crate) use allocation::Allocation;
pub use definition::{ExperimentDefinition, ExperimentStatus, VariationMeta};
pub(crate) use division::Division;
pub(crate) use echo::Echo;
pub use filter::Filter;
pub(crate) use hash_attribute::{DEFAULT_HASH_ATTRIBUTE, HashAttribute};
pub use inline::{Experiment, ExperimentError, NoVariations};
pub(crate) use interner::Interner;
pub(crate) use overrides::ExperimentOverride;
pub(crate) use prerequisite::{ParentCondition, ParentFeature, ParentValue, Parents};
pub(crate) use read::{DefinitionReader, hash_version};
pub(crate) use settings::{Overridden, Settings};
