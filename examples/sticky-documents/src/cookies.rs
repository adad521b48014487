//! Documents in the cookies of a browser.

use growthbook::Client;
use growthbook::sticky::{CookieError, CookieOptions, read_cookies, set_cookie};

/// Returns the value of a flag, and the `Set-Cookie` headers with which the user keeps it.
pub fn checkout(
    client: &Client,
    cookie_header: &str,
    user_id: &str,
) -> Result<(String, Vec<String>), CookieError> {
    let gb = client.for_user_with_sticky(user_id, read_cookies([cookie_header]));
    let checkout = gb.feature_value("checkout", String::from("old"));
    let options = CookieOptions::new().secure(true);
    let changed = gb.take_changed_sticky_buckets();
    let headers = changed.iter().map(|document| set_cookie(document, &options));
    Ok((checkout, headers.collect::<Result<_, _>>()?))
}
