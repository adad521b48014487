//! The derive macro of `growthbook`: an application's own struct is a user, without a copy.
//!
//! Applications use it through the Cargo feature `derive` of `growthbook` or `growthbook-core`, which
//! have their own form of it.
//!
//! ```
//! use growthbook_core::{AttributeSource, Payload};
//!
//! #[derive(AttributeSource)]
//! #[growthbook(rename_all = "camelCase")]
//! struct Session<'r> {
//!     #[growthbook(rename = "id")]
//!     user_id: u64,
//!     country: &'r str,
//!     sign_up_year: Option<u16>,
//!     tags: Vec<String>,
//!     company: Company,
//!     #[growthbook(flatten)]
//!     device: Device,
//!     #[growthbook(skip)]
//!     password: String,
//! }
//!
//! #[derive(AttributeSource)]
//! struct Company { size: u32 }
//!
//! #[derive(AttributeSource)]
//! struct Device { browser: &'static str }
//!
//! let snapshot = Payload::from_json(r#"{"features": {"banner": {"rules": [{
//!     "condition": {"id": 7, "company.size": {"$gt": 10}, "browser": "firefox"},
//!     "force": true
//! }]}}}"#)?.compile();
//! # let password = String::new();
//! let session = Session {
//!     user_id: 7,
//!     country: "DE",
//!     sign_up_year: None,
//!     tags: vec!["beta".into()],
//!     company: Company { size: 25 },
//!     device: Device { browser: "firefox" },
//!     password,
//! };
//! assert!(snapshot.for_source(&session).is_on("banner"));
//! # Ok::<(), growthbook_core::PayloadError>(())
//! ```
//!
//! # Layout
//!
//! The source, in reading order:
//!
//! | module | what it does |
//! |---|---|
//! | `fields` | reads the fields of a struct and their options |
//! | `expand` | writes the implementations |

mod expand;
mod fields;

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_macro_input};

/// Derives `growthbook::AttributeSource` for a struct with named fields. Each field is an attribute
/// of its name.
///
/// A reference to the struct is a user (`client.for_user(&session)`), and an attribute that is an
/// object (a field of another such struct). A field can have any type whose reference converts into
/// an `AttributeRef`: numbers, booleans, texts, lists, `serde_json::Value`, other such structs. A
/// field of type `Option` is missing if it is `None`.
///
/// | option | of | effect |
/// |---|---|---|
/// | `#[growthbook(rename = "id")]` | a field | the attribute has this name |
/// | `#[growthbook(skip)]` | a field | the field is not an attribute, and is not shown to callbacks |
/// | `#[growthbook(flatten)]` | a field | the attributes of this source are attributes of the struct |
/// | `#[growthbook(rename_all = "camelCase")]` | a struct | the names of all fields are changed |
///
/// A field of the struct comes before an attribute of the same name in a flattened one.
#[proc_macro_derive(AttributeSource, attributes(growthbook))]
pub fn derive_attribute_source(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::expand(&input, &quote!(::growthbook))
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives `growthbook_core::AttributeSource`. It is the same macro as [`AttributeSource`], for
/// programs that use `growthbook-core` alone. That crate exports it by the name `AttributeSource`.
#[proc_macro_derive(CoreAttributeSource, attributes(growthbook))]
pub fn derive_core_attribute_source(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::expand(&input, &quote!(::growthbook_core))
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
