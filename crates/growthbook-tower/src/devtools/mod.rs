//! The back end of GrowthBook's devtools: its settings, the values that a developer chooses in the
//! browser, and a log of evaluations.

mod recorder;
mod state;

use std::sync::atomic::AtomicBool;

pub(crate) use recorder::Recorder;
pub use state::MAX_DEVTOOLS_STATE_BYTES;

use crate::cookies::Cookies;
use crate::head::RequestHead;
use crate::hook::{Hook, Question};
use state::DevtoolsState;

/// The settings of GrowthBook's devtools, a browser extension.
///
/// The extension chooses attributes, feature values and variations, in the query parameter or cookie
/// `_gbdebug`. It shows the evaluations that the response reports. Neither a decryption key nor an
/// attribute that is not [shown](crate::Options::show_attributes) reaches the browser.
///
/// ```
/// use growthbook_tower::{Devtools, Options};
/// use http::request::Parts;
///
/// struct Staff;
///
/// let devtools = Devtools::new("https://cdn.growthbook.io", "sdk-abc123")
///     .source("shop")
///     .allow(|request: &Parts| request.extensions.get::<Staff>().is_some());
/// let options = Options::new().devtools(devtools);
/// ```
pub struct Devtools<R> {
    pub(crate) settings: DevtoolsSettings,
    pub(crate) allow: Option<Question<R>>,
}

/// The settings that the extension shows.
pub(crate) struct DevtoolsSettings {
    pub(crate) api_host: String,
    pub(crate) client_key: String,
    pub(crate) source: Option<String>,
}

impl<R> Devtools<R> {
    /// Creates settings for every request. The extension shows the host and the client key.
    pub fn new(api_host: impl Into<String>, client_key: impl Into<String>) -> Self {
        let settings = DevtoolsSettings {
            api_host: api_host.into(),
            client_key: client_key.into(),
            source: None,
        };
        Devtools { settings, allow: None }
    }

    /// Sets the name of the service, which the extension shows beside each evaluation. Default: none.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.settings.source = Some(source.into());
        self
    }

    /// Sets a closure that decides which requests have devtools. Default: all.
    #[must_use]
    pub fn allow(mut self, allow: impl Fn(&R) -> bool + Send + Sync + 'static) -> Self {
        self.allow = Some(Hook::new("Devtools::allow", Box::new(allow)));
        self
    }
}

/// The devtools of one request.
pub(crate) struct DevtoolsSession {
    pub(crate) state: DevtoolsState,
    pub(crate) recorder: Recorder,
    /// Whether the page has the log as a script, and so the response does not need the header.
    pub(crate) has_script: AtomicBool,
}

impl DevtoolsSession {
    /// Reads what the developer has chosen, and begins a log.
    pub(crate) fn of(head: &impl RequestHead, cookies: &Cookies<'_>) -> Self {
        let state = DevtoolsState::of(head, cookies);
        DevtoolsSession { state, recorder: Recorder::default(), has_script: AtomicBool::new(false) }
    }
}
