//! The redirects of a build without the Cargo feature `url`: no page may redirect.

use alloc::string::String;

/// Returns the target unchanged.
pub(crate) fn merge_query_strings(_: &str, redirect: &str) -> String {
    redirect.into()
}

/// Returns false.
pub(crate) fn may_redirect<'a>(_: &str, _: impl Iterator<Item = &'a str>, _: bool) -> bool {
    false
}
