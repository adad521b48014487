//! From a request to the flags of its user.

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use growthbook::{Client, UserContext, UserScope};
use serde::Deserialize;

/// The flags of the request's user: an argument of any handler that asks for some.
///
/// The user is `?user=` or the header `x-user-id`, the country `?country=` or `x-country`. A real
/// service takes them from its session.
pub(crate) struct Flags(pub(crate) UserScope<'static>);

#[derive(Deserialize)]
struct Parameters {
    user: Option<String>,
    country: Option<String>,
}

impl FromRequestParts<Client> for Flags {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(
        parts: &mut Parts,
        client: &Client,
    ) -> Result<Self, Self::Rejection> {
        let Query(parameters) = Query::<Parameters>::try_from_uri(&parts.uri)
            .map_err(|_| (StatusCode::BAD_REQUEST, "the query cannot be read\n"))?;
        let header = |name| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
        let id = parameters
            .user
            .or_else(|| header("x-user-id"))
            .ok_or((StatusCode::BAD_REQUEST, "who is asking? ?user=... or x-user-id\n"))?;
        let mut user = UserContext::new(id);
        if let Some(country) = parameters.country.or_else(|| header("x-country")) {
            user = user.attribute("country", country);
        }
        // Never blocks, and nor does evaluating: the client has no sticky bucket store. With one,
        // load the documents first and call `for_user_with_sticky`.
        Ok(Flags(client.for_user(user)))
    }
}
