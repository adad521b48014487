//! The page's address: query-string overrides and URL targeting.

mod page;
mod redirect;
mod target;

pub(crate) use page::PageUrl;
pub use page::query_string_override;
pub(crate) use redirect::{may_redirect, merge_query_strings};
pub(crate) use target::UrlTargets;
pub use target::{UrlTarget, UrlTargetType};
