//! Deferred tracking calls: exposures of one process that another one reports, such as a browser.

use growthbook_core::event::ExperimentViewedRecord;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Exposures that another process reports, in the format of the JavaScript SDK.
///
/// ```
/// use growthbook::Client;
/// use growthbook::tracking::DeferredCalls;
///
/// let client = Client::from_json(r#"{"features": {"checkout": {"rules": [
///     {"key": "checkout-test", "variations": ["old", "new"]}
/// ]}}}"#)?;
/// let gb = client.for_user("user-1").recording();
/// gb.is_on("checkout");
///
/// // The browser passes it to `growthbook.setDeferredTrackingCalls`.
/// let json = gb.take_deferred_calls().to_json();
///
/// // And the other way round: report what a browser has recorded.
/// client.fire_deferred_calls(&DeferredCalls::from_json(&json)?);
/// # assert!(gb.take_deferred_calls().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct DeferredCalls(Vec<ExperimentViewedRecord>);

impl DeferredCalls {
    /// Reads the calls that this SDK or another one has recorded. An item that is not a tracking
    /// call is left out, as in the JavaScript SDK.
    ///
    /// # Errors
    ///
    /// When the text is not a JSON list.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let items: Vec<Value> = serde_json::from_str(text)?;
        let calls = items.into_iter().filter_map(|it| ExperimentViewedRecord::deserialize(it).ok());
        Ok(calls.collect())
    }

    /// Writes the calls as a JSON list.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "[]".into())
    }

    /// Iterates over the calls.
    pub fn iter(&self) -> impl Iterator<Item = &ExperimentViewedRecord> {
        self.0.iter()
    }

    /// Whether there are no calls.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of calls.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<ExperimentViewedRecord> for DeferredCalls {
    fn from_iter<I: IntoIterator<Item = ExperimentViewedRecord>>(calls: I) -> Self {
        DeferredCalls(calls.into_iter().collect())
    }
}
