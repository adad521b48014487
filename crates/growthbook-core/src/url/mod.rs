//! The page's address: query-string overrides and URL targeting.

mod page;
mod target;

pub(crate) use page::PageUrl;
pub use page::query_string_override;
pub(crate) use target::UrlTargets;
pub use target::{UrlTarget, UrlTargetType};
