//! The extractor for axum.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::missing_layer::MissingLayer;
use crate::request_scope::RequestScope;

/// The scope of the request, as an argument of a handler.
impl<S: Send + Sync> FromRequestParts<S> for RequestScope {
    type Rejection = MissingLayer;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, MissingLayer> {
        parts.extensions.get::<RequestScope>().cloned().ok_or_else(MissingLayer::new)
    }
}

/// An internal server error.
impl IntoResponse for MissingLayer {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}
