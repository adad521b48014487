//! Why the API gave no flags.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use growthbook_net::ConnectionConfigError;

use super::{MAX_PAGE_BYTES, MAX_PAGES};

/// Why the REST API gave no flags. No text has the token or the address.
#[derive(Debug)]
#[non_exhaustive]
pub enum ApiError {
    /// The host is not an address like `https://growthbook.example.com`.
    Host,
    /// The token is empty, or has characters that a header cannot have.
    Token,
    /// The proxy or a certificate cannot be used.
    Options(ConnectionConfigError),
    /// The server refuses the token.
    Refused {
        /// 401 or 403.
        status: u16,
        /// The message of the server, if it sends one.
        message: String,
    },
    /// The server does not have the API.
    NotFound,
    /// The server asks to wait longer than the time limit.
    RateLimited {
        /// How long, if the server says so.
        retry_after: Option<Duration>,
    },
    /// The server replied with another status.
    Status {
        /// The status.
        status: u16,
        /// The message of the server, if it sends one.
        message: String,
    },
    /// Reading all pages took too long.
    Timeout,
    /// A reply has more than [`MAX_PAGE_BYTES`].
    TooLarge,
    /// There are more than [`MAX_PAGES`] pages.
    TooManyPages,
    /// There are more pages, but the server does not say where the next one starts.
    Incomplete,
    /// A reply is not JSON.
    NotJson,
    /// A reply does not have a list of features.
    NoFeatures,
    /// There is no connection, or it broke.
    Connection(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApiError::Host => formatter
                .write_str("the API's host is not an address like https://growthbook.example.com"),
            ApiError::Token => formatter.write_str(
                "the API's token is empty or not valid: create one in GrowthBook, Settings, API \
                 Keys, and set the environment variable GROWTHBOOK_API_TOKEN",
            ),
            ApiError::Options(error) => error.fmt(formatter),
            ApiError::Refused { status, message } => {
                write!(formatter, "the API refused the token (status {status}{})", said(message))?;
                formatter.write_str(": use a token that may read features")
            }
            ApiError::NotFound => formatter.write_str(
                "the server does not have GrowthBook's REST API (status 404): use the host of the \
                 API, which is not that of the app or the CDN",
            ),
            ApiError::RateLimited { retry_after: Some(wait) } => write!(
                formatter,
                "the API allows no more requests for {} seconds (status 429): try again later",
                wait.as_secs()
            ),
            ApiError::RateLimited { retry_after: None } => formatter
                .write_str("the API allows no more requests now (status 429): try again later"),
            ApiError::Status { status, message } => {
                write!(formatter, "the API replied with status {status}{}", said(message))
            }
            ApiError::Timeout => formatter.write_str("the API took too long"),
            ApiError::TooLarge => {
                write!(formatter, "a reply of the API has more than {MAX_PAGE_BYTES} bytes")
            }
            ApiError::TooManyPages => write!(formatter, "the API has more than {MAX_PAGES} pages"),
            ApiError::Incomplete => formatter
                .write_str("the API has more pages, but does not say where the next one starts"),
            ApiError::NotJson => formatter.write_str("a reply of the API is not JSON"),
            ApiError::NoFeatures => {
                formatter.write_str("a reply of the API does not have a list of features")
            }
            ApiError::Connection(error) => write!(formatter, "no connection to the API: {error}"),
        }
    }
}

/// Returns the server's message for a text in parentheses.
fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(", \"{message}\"") }
}

impl From<ConnectionConfigError> for ApiError {
    fn from(error: ConnectionConfigError) -> Self {
        ApiError::Options(error)
    }
}

impl Error for ApiError {}
