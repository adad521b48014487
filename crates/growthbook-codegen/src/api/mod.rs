//! The flags of GrowthBook's REST API.

mod error;
mod host;
mod request;

use std::fmt;
use std::time::Duration;

use serde_json::Value;

pub use error::ApiError;
pub use growthbook_net::{ConnectionConfigError, ConnectionOptions};
use request::Requests;

use crate::flag::Flags;
use crate::read::entry;

/// The host of GrowthBook's cloud.
pub const DEFAULT_HOST: &str = "https://api.growthbook.io";

/// How long reading all pages may take, with all retries.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The largest reply, in bytes after decompression.
pub const MAX_PAGE_BYTES: u64 = 32 * 1024 * 1024;

/// The most pages that are read.
pub const MAX_PAGES: usize = 1_000;

/// The features that one request asks for. GrowthBook sends at most 100.
const PAGE: u64 = 100;

/// The list of features, and the same in older versions of GrowthBook.
const PATHS: [&str; 2] = ["v2/features", "v1/features"];

/// Reads flags from GrowthBook's REST API: `GET /api/v2/features`, page by page.
///
/// A server that does not have version 2 is asked for version 1. A reply 429, 502, 503 or 504 is
/// retried, after the time that the server asks for. Neither errors nor log records show the token.
///
/// ```no_run
/// use growthbook_codegen::{Generator, api::RestApi};
///
/// let token = std::env::var("GROWTHBOOK_API_TOKEN").unwrap_or_default();
/// let flags = RestApi::new(token).fetch()?;
/// println!("{}", Generator::new().generate(&flags).as_str());
/// # Ok::<(), growthbook_codegen::api::ApiError>(())
/// ```
#[derive(Clone)]
pub struct RestApi {
    host: String,
    token: String,
    project: Option<String>,
    timeout: Duration,
    connection: ConnectionOptions,
}

impl RestApi {
    /// Takes a secret key or a personal access token. The right to read features is enough.
    pub fn new(token: impl Into<String>) -> Self {
        RestApi {
            host: DEFAULT_HOST.to_owned(),
            token: token.into(),
            project: None,
            timeout: DEFAULT_TIMEOUT,
            connection: ConnectionOptions::new().proxy_from_environment(),
        }
    }

    /// Sets the host of the API: `https://growthbook.example.com`. Default: [`DEFAULT_HOST`].
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Reads only the features of the project with this id. Default: those of all projects.
    #[must_use]
    pub fn project(mut self, id: impl Into<String>) -> Self {
        self.project = Some(id.into());
        self
    }

    /// Sets how long reading all pages may take. Default: [`DEFAULT_TIMEOUT`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the proxy and the certificates. Default: the proxies of the environment, and Mozilla's
    /// certificates.
    #[must_use]
    pub fn connection(mut self, options: ConnectionOptions) -> Self {
        self.connection = options;
        self
    }

    /// Reads all features. This blocks.
    ///
    /// # Errors
    ///
    /// The server refuses the token, cannot be reached, or sends something else than features.
    pub fn fetch(&self) -> Result<Flags, ApiError> {
        let requests = Requests::new(&self.token, self.timeout, &self.connection)?;
        let mut path = PATHS[0];
        let (mut flags, mut offset) = (Flags::default(), 0);
        for _ in 0..MAX_PAGES {
            let reply = match requests.get(&self.address(path, offset)?) {
                Err(ApiError::NotFound) if offset == 0 && path == PATHS[0] => {
                    path = PATHS[1];
                    requests.get(&self.address(path, offset)?)?
                }
                reply => reply?,
            };
            let page: Value = serde_json::from_slice(&reply).map_err(|_| ApiError::NotJson)?;
            let entries = page.get("features").and_then(Value::as_array);
            let entries = entries.ok_or(ApiError::NoFeatures)?;
            entries.iter().for_each(|item| entry::add(&mut flags, item));
            match next_offset(&page, offset, entries.len() as u64)? {
                Some(next) => offset = next,
                None => return Ok(flags),
            }
        }
        Err(ApiError::TooManyPages)
    }

    fn address(&self, path: &str, offset: u64) -> Result<url::Url, ApiError> {
        let mut address = host::address(&self.host, path)?;
        let mut query = address.query_pairs_mut();
        query.append_pair("limit", &PAGE.to_string());
        query.append_pair("offset", &offset.to_string());
        if let Some(project) = &self.project {
            query.append_pair("projectId", project);
        }
        drop(query);
        Ok(address)
    }
}

/// Returns the offset of the next page. `None` if this page is the last one.
///
/// # Errors
///
/// There are more pages, but the next one does not follow this one.
fn next_offset(page: &Value, offset: u64, count: u64) -> Result<Option<u64>, ApiError> {
    let has_more = match page.get("hasMore").and_then(Value::as_bool) {
        Some(has_more) => has_more,
        None => page.get("total").and_then(Value::as_u64).is_some_and(|all| offset + count < all),
    };
    if !has_more {
        return Ok(None);
    }
    let next = page.get("nextOffset").and_then(Value::as_u64).unwrap_or(offset + count);
    if next > offset { Ok(Some(next)) } else { Err(ApiError::Incomplete) }
}

impl fmt::Debug for RestApi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RestApi").field("project", &self.project).finish_non_exhaustive()
    }
}
