//! The page's URL: query-string overrides, URL targeting and redirects.

mod page;
mod redirect;
mod target;

pub(crate) use page::PageUrl;
pub use page::query_string_override;
pub(crate) use redirect::{may_redirect, merge_query_strings};
pub(crate) use target::UrlTargets;
pub use target::{UrlTarget, UrlTargetType};
