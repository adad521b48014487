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
//! | `secure-attributes` | yes | [`secure_attribute`](secure::secure_attribute) | crate `sha2` |
//! | `std` | yes | faster substring search in regular expressions | needs `std` |
//!
//! No feature changes an answer.

#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod attributes;
pub mod auto;
pub mod bandit;
mod bucket;
pub mod cache;
mod compile;
mod compiled;
pub mod condition;
mod eval;
mod exclusion;
pub mod experiment;
pub mod explain;
mod feature_index;
mod feature_key;
mod hash_value;
mod json;
pub mod limits;
pub mod observe;
mod pattern;
mod payload;
pub mod reduce;
pub mod result;
#[cfg(feature = "secure-attributes")]
pub mod secure;
mod snapshot;
pub mod sticky;
mod tag;
mod trace;
pub mod url;
mod user;
mod value;
pub mod warning;
mod wire;

pub use attributes::{AttributeRef, AttributeSource, AttributeValue, Attributes};
pub use cache::PayloadSource;
pub use eval::{Evaluator, FeatureResults, RecordingEvaluator};
pub use exclusion::Exclusion;
pub use experiment::{Experiment, ExperimentDefinition};
pub use feature_key::{FeatureKey, FeatureName};
pub use hash_value::HashValue;
#[cfg(feature = "encryption")]
pub use payload::DecryptionKey;
pub use payload::{Payload, PayloadChange, PayloadError};
pub use result::{Assignment, ExperimentResult, FeatureResult, FeatureResultSource};
pub use snapshot::Snapshot;
pub use user::{GlobalContext, UserContext};
pub use warning::Warning;

/// The arithmetic of bucketing: hashes, ranges, namespaces.
pub mod bucketing {
    pub use crate::bucket::{
        BucketRange, Namespace, bucket_ranges, choose_variation, equal_weights, hash, in_namespace,
    };
}

/// Decrypting by hand what [`Payload::from_encrypted_json`](crate::Payload::from_encrypted_json)
/// decrypts by itself.
#[cfg(feature = "encryption")]
pub mod encryption {
    pub use crate::payload::{DecryptError, DecryptionKey, decrypt};
}
