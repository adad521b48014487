//! A GrowthBook provider for [OpenFeature](https://openfeature.dev), the vendor-neutral API for
//! feature flags.
//!
//! A [`GrowthBookProvider`] answers the evaluations of an OpenFeature client with a
//! [`growthbook::Client`]: locally, in process.
//!
//! ```
//! use growthbook::Client;
//! use growthbook_openfeature::GrowthBookProvider;
//! use open_feature::{EvaluationContext, OpenFeature};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), growthbook::PayloadError> {
//! let client = Client::from_json(r#"{"features": {"new-checkout": {
//!     "defaultValue": false,
//!     "rules": [{"id": "us", "condition": {"country": "US"}, "force": true}]
//! }}}"#)?;
//! let mut api = OpenFeature::singleton_mut().await;
//! api.set_provider(GrowthBookProvider::new(client)).await;
//!
//! let flags = api.create_client();
//! let user = EvaluationContext::default()
//!     .with_targeting_key("user-123")
//!     .with_custom_field("country", "US");
//! assert!(flags.get_bool_value("new-checkout", Some(&user), None).await.unwrap_or(false));
//! # Ok(())
//! # }
//! ```
//!
//! The page [`guide`] says how results, errors, attributes and the status are translated.
//!
//! What this crate refuses to do:
//!
//! - It does not decide: every answer is the client's.
//! - It does not convert types: a flag with the text `"true"` is not a boolean.
//! - It never panics, and an evaluation that fails is an `EvaluationError`.
//! - It never writes attribute values to errors or logs.
//!
//! # Layout
//!
//! The source, in reading order:
//!
//! | module | what it does |
//! |---|---|
//! | `provider` | [`GrowthBookProvider`]: its options, evaluations, events, and start |
//! | `context` | an evaluation context as a GrowthBook user |
//! | `date` | dates as texts |
//! | `resolution` | a GrowthBook result as OpenFeature's details or error |
//! | `targeting_key` | whether an answer depends on a missing targeting key |
//! | `structs` | JSON as OpenFeature's structs, and types of the application as structs |
//! | `readiness` | waits for the payload without a timer of the executor |

mod context;
mod date;
mod provider;
mod readiness;
mod resolution;
mod structs;
mod targeting_key;

/// How GrowthBook and OpenFeature fit together.
#[doc = include_str!("../docs/openfeature.md")]
pub mod guide {}

pub use context::{DEFAULT_TARGETING_ATTRIBUTE, context_value};
pub use provider::{DEFAULT_READY_TIMEOUT, GrowthBookProvider, PROVIDER_NAME};
pub use structs::{
    Json, MAX_STRUCT_DEPTH, StructError, struct_from_json, struct_to_json, to_struct,
};
