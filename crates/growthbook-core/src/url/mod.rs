//! The page's URL: query-string overrides, URL targeting and redirects.

mod page;
#[cfg(feature = "url")]
mod parsed;
mod query;
#[cfg(feature = "url")]
mod redirect;
#[cfg(not(feature = "url"))]
#[path = "left_out.rs"]
mod redirect;
#[cfg(feature = "url")]
mod simple;
mod target;

pub(crate) use page::PageUrl;
pub use page::query_string_override;
pub(crate) use redirect::{may_redirect, merge_query_strings};
pub(crate) use target::UrlTargets;
pub use target::{UrlTarget, UrlTargetType};
