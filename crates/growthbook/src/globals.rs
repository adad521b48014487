//! Settings that hold for every user, which can change while the client runs.

use std::sync::Arc;

use growthbook_core::{Attributes, GlobalContext};
use serde_json::Value;

use crate::client::Client;

/// Settings that hold for every user. Scopes that were made before a change keep the old ones.
impl Client {
    /// Returns everything that holds for every user.
    pub fn globals(&self) -> Arc<GlobalContext> {
        self.live().load().data().globals.clone()
    }

    /// Replaces everything that holds for every user.
    pub fn set_globals(&self, globals: GlobalContext) {
        let globals = Arc::new(globals);
        self.live().set_data(|state| state.with_globals(globals.clone()));
    }

    /// Returns the attributes of every user who lacks them.
    pub fn attributes(&self) -> Attributes {
        self.globals().global_attributes().clone()
    }

    /// Sets the attributes of every user who lacks them.
    pub fn set_attributes(&self, attributes: impl Into<Attributes>) {
        let attributes = attributes.into();
        self.change_globals(|globals| globals.attributes(attributes.clone()));
    }

    /// Returns the address of every user who has none; empty if it is not set.
    pub fn url(&self) -> String {
        self.globals().page_url().to_owned()
    }

    /// Sets the address of every user who has none.
    pub fn set_url(&self, url: &str) {
        self.change_globals(|globals| globals.url(url));
    }

    /// Whether experiments run.
    pub fn is_enabled(&self) -> bool {
        self.globals().is_enabled()
    }

    /// Sets whether experiments run.
    pub fn set_enabled(&self, enabled: bool) {
        self.change_globals(|globals| globals.enabled(enabled));
    }

    /// Whether QA mode is on.
    pub fn is_qa_mode(&self) -> bool {
        self.globals().is_qa_mode()
    }

    /// Sets QA mode.
    pub fn set_qa_mode(&self, qa_mode: bool) {
        self.change_globals(|globals| globals.qa_mode(qa_mode));
    }

    /// Whether every user is left out of experiments without a forced variation.
    pub fn skips_all_experiments(&self) -> bool {
        self.globals().skips_all_experiments()
    }

    /// Sets whether every user is left out of experiments without a forced variation.
    pub fn set_skip_all_experiments(&self, skip: bool) {
        self.change_globals(|globals| globals.skip_all_experiments(skip));
    }

    /// Returns the variations forced for every user, by experiment key.
    pub fn forced_variations(&self) -> Vec<(String, i64)> {
        self.globals().iter_forced_variations().map(|(key, index)| (key.into(), index)).collect()
    }

    /// Replaces the variations forced for every user.
    pub fn set_forced_variations<K: Into<Box<str>>>(
        &self,
        variations: impl IntoIterator<Item = (K, i64)>,
    ) {
        let variations: Vec<(Box<str>, i64)> =
            variations.into_iter().map(|(key, index)| (key.into(), index)).collect();
        self.change_globals(|globals| globals.forced_variations(variations.iter().cloned()));
    }

    /// Returns the feature values forced for every user, by feature key.
    pub fn forced_features(&self) -> Vec<(String, Value)> {
        self.globals()
            .iter_forced_features()
            .map(|(key, value)| (key.into(), value.clone()))
            .collect()
    }

    /// Replaces the feature values forced for every user.
    pub fn set_forced_features<K: Into<Box<str>>>(
        &self,
        values: impl IntoIterator<Item = (K, Value)>,
    ) {
        let values: Vec<(Box<str>, Value)> =
            values.into_iter().map(|(key, value)| (key.into(), value)).collect();
        self.change_globals(|globals| globals.forced_features(values.iter().cloned()));
    }

    /// Changes everything that holds for every user in one step: no other change is lost. If another
    /// thread makes a change at the same time, the function is called again.
    ///
    /// ```
    /// let client = growthbook::Client::embedded().build()?;
    /// client.change_globals(|globals| globals.forced_feature("dark-mode", true));
    /// assert!(client.for_user("user-1").is_on("dark-mode"));
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    pub fn change_globals(&self, change: impl Fn(GlobalContext) -> GlobalContext) {
        self.live().set_data(|state| {
            state.with_globals(Arc::new(change(GlobalContext::clone(&state.globals))))
        });
    }
}
