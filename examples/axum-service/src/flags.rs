//! The flags of a request's user.

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use growthbook::{Client, UserContext, UserScope};
use serde::Deserialize;

/// The flags of the request's user. A handler gets them as an argument.
///
/// The user is `?user=` or the header `x-user-id`. The country is `?country=` or the header
/// `x-country`. A real service takes both from its session.
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
            .map_err(|_| (StatusCode::BAD_REQUEST, "the query is malformed\n"))?;
        let header = |name| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
        let id = parameters.user.or_else(|| header("x-user-id")).ok_or((
            StatusCode::BAD_REQUEST,
            "the user is missing: add ?user=... or the header x-user-id\n",
        ))?;
        let mut user = UserContext::new(id);
        if let Some(country) = parameters.country.or_else(|| header("x-country")) {
            user = user.attribute("country", country);
        }
        // This does not block, and evaluation does not either, because the client has no sticky
        // bucket store. With a store, load the documents first and call `for_user_with_sticky`.
        Ok(Flags(client.for_user(user)))
    }
}
