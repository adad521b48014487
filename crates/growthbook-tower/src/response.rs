//! The headers that a response gets: cookies, and the log for devtools.

use growthbook::sticky::set_cookie;
use growthbook_support::Level;
use http::header::{HeaderName, SET_COOKIE};

use crate::debug_event;
use crate::request_scope::RequestScope;

/// Returns the headers to add to the response of a request.
pub(crate) fn headers(scope: &RequestScope) -> Vec<(HeaderName, String)> {
    let mut headers = sticky_cookies(scope);
    if let (Some(cookie), Some(id)) = (&scope.settings().id_cookie, scope.cookie_id())
        && scope.persists_id()
    {
        headers.push((SET_COOKIE, cookie.set_cookie(id)));
    }
    headers.extend(debug_event::header(scope));
    headers
}

fn sticky_cookies(scope: &RequestScope) -> Vec<(HeaderName, String)> {
    let Some(options) = &scope.settings().sticky_cookies else { return Vec::new() };
    let changed = scope.take_changed_sticky_buckets();
    let cookies = changed.iter().filter_map(|document| {
        set_cookie(document, options)
            .inspect_err(|error| growthbook_support::log!(Level::Warn, "{error}"))
            .ok()
    });
    cookies.map(|cookie| (SET_COOKIE, cookie)).collect()
}
