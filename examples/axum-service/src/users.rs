//! The users of requests.

use axum::extract::Query;
use axum::http::request::Parts;
use growthbook::UserContext;
use growthbook::sticky::CookieOptions;
use growthbook_tower::Options;
use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Parameters {
    user: Option<String>,
    country: Option<String>,
}

/// Returns the options of the layer.
///
/// A user has the attributes of the request and an id in a cookie. The parameter `?user=` or the
/// header `x-user-id` replaces the id. The parameter `?country=` or the header `x-country` sets the
/// country. A real service takes both from its session.
pub fn options() -> Options<Parts> {
    Options::new().user(with_session).sticky_cookies(CookieOptions::new())
}

fn with_session(request: &Parts, mut user: UserContext) -> UserContext {
    let parameters = Query::<Parameters>::try_from_uri(&request.uri);
    let Parameters { user: id, country } = parameters.map(|it| it.0).unwrap_or_default();
    let header = |name| Some(request.headers.get(name)?.to_str().ok()?.to_owned());
    if let Some(id) = id.or_else(|| header("x-user-id")) {
        user = user.attribute("id", id);
    }
    if let Some(country) = country.or_else(|| header("x-country")) {
        user = user.attribute("country", country);
    }
    user
}
