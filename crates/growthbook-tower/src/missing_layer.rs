//! The error of an extractor without a layer.

use std::error::Error;
use std::fmt;

use growthbook_support::Level;

/// A handler takes a [`RequestScope`](crate::RequestScope), but its route has no layer that makes
/// one. The response is an internal server error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingLayer {}

impl MissingLayer {
    /// Makes the error, and logs it.
    pub(crate) fn new() -> Self {
        let error = MissingLayer {};
        growthbook_support::log!(Level::Error, "{error}");
        error
    }
}

impl fmt::Display for MissingLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "the request has no GrowthBook scope: add the layer or middleware to its route",
        )
    }
}

impl Error for MissingLayer {}
