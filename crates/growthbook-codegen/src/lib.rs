//! Typed Rust functions for GrowthBook feature flags.
//!
//! From a payload, a file of features or GrowthBook's REST API, this crate generates a Rust module:
//! an extension trait of the client's `UserScope`, with a function for each flag. A misspelt flag or
//! a fallback of another type then does not compile.
//!
//! ```
//! use growthbook_codegen::{Flags, Generator};
//!
//! let flags = Flags::from_json(r#"{"features": {
//!     "new-checkout": {"defaultValue": false},
//!     "button-color": {"defaultValue": "blue", "rules": [{"variations": ["blue", "green"]}]}
//! }}"#)?;
//! let module = Generator::new().embed_defaults(true).generate(&flags);
//! assert!(module.as_str().contains("fn new_checkout(&self) -> bool"));
//! assert!(module.as_str().contains("fn button_color(&self) -> ButtonColor"));
//! # Ok::<(), growthbook_codegen::Error>(())
//! ```
//!
//! It does not watch a server. A module is as new as the document that it was generated from, and
//! evaluation always uses the client's payload. [`Module::check`] finds a module that is out of date.
//! The page [`guide`] shows build scripts, checked-in modules, and the types of values.
//!
//! # Layout
//!
//! The source, in reading order:
//!
//! | module | what it does |
//! |---|---|
//! | `flag` | what is known of a flag |
//! | `read` | reads flags from JSON |
//! | [`api`] | reads flags from the REST API |
//! | `names` | Rust names for any text |
//! | `value_type`, `type_names` | the type of a flag's values; the names inside it |
//! | `plan` | the functions and types of a module |
//! | `json_text`, `doc_text`, `literal` | values as JSON; text in comments; values as expressions |
//! | `render` | the text of a module |
//! | `generator` | options, and the result |
//! | `difference` | what is out of date in a module |
//! | `build_script` | files: for build scripts and the command |
//! | [`references`] | the flags that code asks for |
//! | `error` | why there is no module |
//!
//! The command is in `src/bin`.
//!
//! # Cargo features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `api` | no | [`api::RestApi`]; adds `ureq` and `rustls` |
//! | `references` | no | [`references`]; adds `syn` |
//! | `cli` | no | the command `growthbook-codegen`, with all of the above; adds `lexopt` |

#[cfg(feature = "api")]
pub mod api;
mod build_script;
mod difference;
mod doc_text;
mod error;
mod flag;
mod generator;
#[doc = include_str!("../docs/guide.md")]
pub mod guide {}
mod json_text;
mod literal;
mod names;
mod plan;
mod read;
#[cfg(feature = "references")]
pub mod references;
mod render;
mod type_names;
mod value_type;

pub use build_script::DECRYPTION_KEY_VARIABLE;
pub use difference::Difference;
pub use error::Error;
pub use flag::{Flag, Flags, Warning};
pub use generator::{DEFAULT_TRAIT_NAME, Generator, Module};
pub use growthbook_core::encryption::DecryptionKey;
