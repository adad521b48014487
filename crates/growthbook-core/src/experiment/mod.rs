//! Experiments: what they are defined by, whether in a feature's rule or in code.

mod definition;
mod inline;
mod legacy;
mod read;

pub(crate) use definition::{
    DEFAULT_HASH_ATTRIBUTE, Echo, ParentCondition, ParentFeature, Rollout,
};
pub use definition::{ExperimentDefinition, ExperimentStatus, Filter, VariationMeta};
pub use inline::{Experiment, NoVariations};
pub(crate) use legacy::ExperimentOverride;
pub(crate) use read::{Links, Reader};
