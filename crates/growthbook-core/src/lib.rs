//! GrowthBook feature flags and experiments, evaluated locally from a JSON payload.
//!
//! This crate is the pure part of a GrowthBook SDK: payload in, answers out. It has **no** network,
//! no clock, no threads, no files, no environment, no logging and no global state; it needs
//! `alloc` and nothing else, and runs on servers, edge workers and microcontrollers alike. The
//! crate `growthbook` puts a client around it.
//!
//! ```
//! use growthbook_core::{Payload, UserContext};
//!
//! let payload = Payload::from_json(r#"{"features": {
//!     "checkout": {
//!         "defaultValue": "old",
//!         "rules": [
//!             {"condition": {"country": "US"}, "coverage": 0.5, "force": "new"}
//!         ]
//!     }
//! }}"#)?;
//! let snapshot = payload.compile();
//! let user = UserContext::new("user-2").attribute("country", "US");
//! let gb = snapshot.for_user(&user);
//! assert_eq!(gb.feature_value("checkout", "fallback"), "new");
//! assert_eq!(gb.eval_feature("checkout").source.as_str(), "force");
//! # Ok::<(), growthbook_core::PayloadError>(())
//! ```
//!
//! The way of a flag: [`Payload`] finds the sections of what the API sent and opens encrypted
//! ones; [`Payload::compile`] makes an immutable [`Snapshot`] of it, with everything parsed
//! and linked; an [`Evaluator`] walks that for one [`UserContext`]. One broken rule costs
//! one [`Warning`], never the payload.
//!
//! # Cargo features
//!
//! | feature | default | what it adds | cost |
//! |---|---|---|---|
//! | `encryption` | yes | [`DecryptionKey`] and payloads with encrypted sections | crates `aes`, `cbc`, `base64` |
//! | `secure-attributes` | yes | [`secure_attribute`] | crate `sha2` |
//! | `std` | yes | faster substring search in regular expressions | needs `std` |
//!
//! No feature changes an answer.

#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod attributes;
mod auto;
mod bandit;
mod bucket;
mod cache;
mod compile;
mod condition;
mod eval;
mod exclusion;
mod experiment;
mod explain;
mod feature_key;
mod feature_table;
mod hash_value;
mod json;
mod limits;
mod observe;
mod payload;
mod reduce;
mod result;
#[cfg(feature = "secure-attributes")]
mod secure;
mod snapshot;
mod sticky;
mod tag;
mod trace;
mod url;
mod user;
mod value;
mod warning;

pub use attributes::{AttributeList, AttributeRef, AttributeSource, AttributeValue, Attributes};
pub use auto::{
    AutoExperiment, AutoExperimentChange, AutoExperimentOptions, AutoExperimentResult, ChangeType,
};
pub use bandit::ContextualBandit;
pub use bucket::{
    BucketRange, Namespace, bucket_ranges, choose_variation, equal_weights, hash, in_namespace,
};
pub use cache::{
    CacheChanged, CacheWatch, CachedPayload, FetchLease, LeaseOutcome, PayloadCache,
    PayloadCacheError, PayloadKey, PayloadSource, UnixMillis,
};
pub use condition::{Condition, ConditionError};
pub use eval::{Evaluator, FeatureResults, StickyEvaluator};
pub use exclusion::Exclusion;
pub use experiment::{
    Experiment, ExperimentDefinition, ExperimentError, ExperimentStatus, Filter, NoVariations,
    VariationMeta,
};
pub use explain::{Explanation, RuleTrace};
pub use feature_key::{FeatureKey, FeatureName};
pub use hash_value::HashValue;
pub use json::Number;
pub use limits::MAX_PREREQUISITE_DEPTH;
pub use observe::{Exposure, Observer};
#[cfg(feature = "encryption")]
pub use payload::{DecryptError, DecryptionKey, decrypt};
pub use payload::{Payload, PayloadChange, PayloadError};
pub use reduce::{
    PayloadFilters, Prerequisites, Pruned, ReduceOptions, prune_condition, reduce_payload,
};
pub use result::{
    Assignment, ExperimentResult, FeatureExperiment, FeatureResult, FeatureResultSource,
};
#[cfg(feature = "secure-attributes")]
pub use secure::{secure_attribute, secure_attributes};
pub use snapshot::Snapshot;
pub use sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
pub use trace::{
    AssignmentTrace, BucketTrace, ClauseOutcome, ClauseTrace, PrerequisiteTrace, RuleVerdict,
};
pub use url::{UrlTarget, UrlTargetType, query_string_override};
pub use user::{GlobalContext, UserContext};
pub use warning::{Location, Warning, WarningKind};
