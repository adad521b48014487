//! Experiments: what they are defined by, whether in a feature's rule or in code.

mod allocation;
mod definition;
mod division;
mod echo;
mod field;
mod filter;
mod hash_attribute;
mod inline;
mod legacy;
mod lists;
mod meta;
mod pool;
mod prerequisite;
mod read;
mod sticky;
mod texts;

pub(crate) use allocation::Allocation;
pub use definition::{ExperimentDefinition, ExperimentStatus, VariationMeta};
pub(crate) use division::Division;
pub(crate) use echo::{Echo, SharedText};
pub(crate) use field::Field;
pub use filter::Filter;
pub(crate) use hash_attribute::{DEFAULT_HASH_ATTRIBUTE, HashAttribute};
pub use inline::{Experiment, ExperimentError, NoVariations};
pub(crate) use legacy::ExperimentOverride;
pub(crate) use pool::Pools;
pub(crate) use prerequisite::{ParentCondition, ParentFeature, ParentValue, Parents};
pub(crate) use read::{Links, Reader, text_of};
