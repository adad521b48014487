//! GrowthBook feature flags and experiments, evaluated locally from a JSON payload.
//!
//! This crate is the pure part of a GrowthBook SDK: it takes a payload and evaluates features. It
//! does **not** use a network, a clock, threads, files, the environment, logs or global state. It
//! only needs `alloc`, so it runs on servers, edge workers and microcontrollers. The crate
//! `growthbook` adds a client.
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
//! A malformed rule is left out with a [`Warning`]. The rest of the payload stays in use.
//!
//! # Modules in reading order
//!
//! Imports between modules never form a cycle. A module mostly imports modules above it.
//!
//! | module | subject |
//! |---|---|
//! | `limits` | every limit, and the effect of exceeding it |
//! | `json` | JSON values with their order; reading them with `serde_json` |
//! | `bucket` | the hash; ranges and namespaces |
//! | `wire` | the JSON of a payload: rules, experiments, groups, bandits, member by member |
//! | `payload` | [`Payload`]: its sections, decrypted; the differences between two payloads |
//! | `attributes` | a user's attributes, and the view of a value during evaluation |
//! | `pattern` | JavaScript's regular expressions |
//! | `url` | page URLs, and the patterns that target them |
//! | `condition` | conditions and saved groups: the tree, its parser, its operators |
//! | `experiment` | definitions of experiments, read from JSON or declared in code |
//! | `bandit` | contextual bandits |
//! | `result`, `trace` | results; the steps of an evaluation |
//! | `auto` | auto experiments: redirects and visual changes |
//! | `snapshot` | [`Snapshot`]: features and rules, compiled and linked |
//! | `compile` | the conversion of a payload into a snapshot |
//! | `observe`, `explain` | observers of evaluations; explanations of evaluations |
//! | `user`, `sticky` | the user, global settings; sticky bucket documents |
//! | `eval` | [`Evaluator`]: rules, experiments and prerequisites for one user |
//! | `reduce` | smaller payloads for a browser |
//! | `remote_eval` | the server's side of remote evaluation |
//! | `cache` | the traits for caches of payloads |
//! | `event`, `plugin` | events and their owned records; the trait for plugins that receive them |
//!
//! Small leaves: `budget` (the steps of an evaluation), `tag` (short names that are compared often),
//! `hash_value` (the value that is hashed), `value` (a feature's value), `value_error`, `feature_key` and
//! `feature_index` (the lookup of a feature), `compiled` (a definition with its text), `memory` (the
//! memory of a definition), `escaped` (text in a line), `sorting` (a sort of few
//! bytes), `exclusion`, `warning`, `secure`.
//!
//! # Cargo features
//!
//! | feature | default | adds | cost |
//! |---|---|---|---|
//! | `derive` | no | `#[derive(AttributeSource)]` | crates `syn`, `quote`, `proc-macro2`, at build time |
//! | `encryption` | yes | [`DecryptionKey`] and payloads with encrypted sections | crates `aes`, `cbc`, `base64` |
//! | `explain` | yes | [`Evaluator::explain`] | code |
//! | `reduce` | yes | [`reduce`]: reduced payloads, pruned conditions | code |
//! | `regex` | yes | regular expressions; patterns of plain text need no feature | crate `regex` |
//! | `regex-perf` | with `std` | faster regular expressions | code and memory |
//! | `secure-attributes` | yes | [`secure_attribute`](secure::secure_attribute) | crate `sha2` |
//! | `std` | yes | faster substring search in regular expressions | needs `std` |
//! | `url` | yes | URL targeting and redirects; query-string overrides need no feature | crate `url`, with 28 others |
//!
//! A feature never changes a result, **with one exception: without `regex`, `url` or `encryption`, an
//! evaluation that needs the part fails closed**. The user does not pass the condition, is not
//! targeted, and is not redirected, also if the test is negated. A [`Warning`] of the snapshot names
//! the feature to switch on. The page [`core_alone`] has the sizes.

#![no_std]
#![cfg_attr(
    not(all(feature = "reduce", feature = "regex")),
    allow(dead_code, reason = "only pruning and regular expressions use some helpers")
)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod attributes;
pub mod auto;
pub mod bandit;
mod bucket;
mod budget;
pub mod cache;
mod compile;
mod compiled;
pub mod condition;
#[doc = include_str!("../docs/core-alone.md")]
pub mod core_alone {}
mod escaped;
mod eval;
pub mod event;
mod exclusion;
pub mod experiment;
#[cfg(feature = "explain")]
pub mod explain;
mod feature_index;
mod feature_key;
mod hash_value;
mod json;
pub mod limits;
mod memory;
pub mod observe;
mod pattern;
mod payload;
pub mod plugin;
#[cfg(feature = "reduce")]
pub mod reduce;
pub mod remote_eval;
pub mod result;
#[cfg(feature = "secure-attributes")]
pub mod secure;
mod snapshot;
mod sorting;
pub mod sticky;
mod tag;
mod trace;
pub mod url;
mod user;
mod value;
mod value_error;
pub mod warning;
mod wire;

pub use attributes::{AttributeRef, AttributeSource, AttributeValue, Attributes};
pub use cache::PayloadSource;
pub use eval::{Evaluator, FeatureResults, RecordingEvaluator};
pub use exclusion::Exclusion;
pub use experiment::{Experiment, ExperimentDefinition};
pub use feature_key::{FeatureKey, FeatureName};
/// Derives [`AttributeSource`](trait@AttributeSource) for a struct of the application.
#[cfg(feature = "derive")]
pub use growthbook_derive::CoreAttributeSource as AttributeSource;
pub use hash_value::HashValue;
#[cfg(feature = "encryption")]
pub use payload::DecryptionKey;
pub use payload::{Payload, PayloadChange, PayloadError};
pub use result::{Assignment, ExperimentResult, FeatureResult, FeatureResultSource};
pub use snapshot::Snapshot;
pub use user::{GlobalContext, IntoUser, UserContext};
pub use value_error::ValueError;
pub use warning::Warning;

/// The arithmetic of bucketing: hashes, ranges and namespaces.
pub mod bucketing {
    pub use crate::bucket::{
        BucketRange, Namespace, bucket_ranges, choose_variation, equal_weights, hash, in_namespace,
    };
}

/// Decryption of single texts.
/// [`Payload::from_encrypted_json`](crate::Payload::from_encrypted_json) decrypts whole payloads.
#[cfg(feature = "encryption")]
pub mod encryption {
    pub use crate::payload::{DecryptError, DecryptionKey, decrypt};
}
