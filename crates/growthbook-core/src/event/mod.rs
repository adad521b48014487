//! Events: a user saw a variation, a feature was evaluated, or the application logged something.
//!
//! Each kind has two types. The view borrows from the evaluation and costs nothing:
//! [`ExperimentViewed`], [`FeatureUsage`], [`CustomEvent`]. The record is an owned copy for a queue:
//! [`ExperimentViewedRecord`], [`FeatureUsageRecord`], [`CustomEventRecord`]. [`FeatureResultRecord`] is
//! an owned result. Records serialize with
//! the member names of GrowthBook's JavaScript SDK.

mod assignment;
mod custom;
mod exposure;
mod problem;
mod read;
mod result;
mod usage;
mod user;

pub use assignment::{AssignmentRecord, ContextualBanditRecord};
pub use custom::{CustomEvent, CustomEventRecord};
pub(crate) use exposure::ResultWithValue;
pub use exposure::{EXPERIMENT_VIEWED, ExperimentViewed, ExperimentViewedRecord};
pub use problem::{FlagProblem, FlagProblemKind};
pub(crate) use read::Track;
pub use result::{FeatureExperimentRecord, FeatureResultRecord};
pub use usage::{FEATURE_EVALUATED, FeatureUsage, FeatureUsageRecord};
pub use user::{EventUser, EventUserRecord};
