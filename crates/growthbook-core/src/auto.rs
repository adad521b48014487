//! Auto experiments: the payload's own list of experiments on pages, without a feature around them.
//! What they change is data here: a redirect to answer with, or visual changes to hand to the page.

use alloc::{boxed::Box, collections::BTreeSet, string::String};
use core::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::experiment::ExperimentDefinition;
use crate::result::ExperimentResult;
use crate::url::UrlTargets;
use crate::value::FeatureValue;

/// An experiment of the payload's `experiments`.
pub struct AutoExperiment {
    pub(crate) definition: ExperimentDefinition,
    pub(crate) variations: Box<[FeatureValue]>,
    pub(crate) change_type: ChangeType,
    pub(crate) change_id: Option<Box<str>>,
    pub(crate) manual: bool,
    pub(crate) persist_query_string: bool,
}

/// What the variations of an auto experiment change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeType {
    /// Where the page is.
    Redirect,
    /// How the page looks: styles, scripts, DOM mutations.
    Visual,
    /// Something this SDK does not know. Such an experiment does not run.
    Unknown,
}

impl ChangeType {
    /// A redirect needs URL patterns, and a variation that says where to.
    pub(crate) fn of(variations: &[FeatureValue], url_patterns: Option<&UrlTargets>) -> Self {
        let some = |test: &dyn Fn(&Value) -> bool| variations.iter().any(|it| test(it.value()));
        if url_patterns.is_some() && some(&|variation| variation.get("urlRedirect").is_some()) {
            ChangeType::Redirect
        } else if some(&|variation| {
            variation.get("domMutations").is_some_and(|mutations| !mutations.is_null())
                || variation.get("js").is_some()
                || variation.get("css").is_some()
        }) {
            ChangeType::Visual
        } else {
            ChangeType::Unknown
        }
    }
}

impl AutoExperiment {
    /// Who takes part, and how variations are assigned.
    pub fn definition(&self) -> &ExperimentDefinition {
        &self.definition
    }

    /// What its variations change.
    pub fn change_type(&self) -> ChangeType {
        self.change_type
    }

    /// The id of the change, by which it can be blocked once it was made.
    pub fn change_id(&self) -> Option<&str> {
        self.change_id.as_deref()
    }

    /// Whether it runs only when it is triggered.
    pub fn is_manual(&self) -> bool {
        self.manual
    }

    /// Whether a variation runs a script.
    pub(crate) fn injects_js(&self) -> bool {
        let mut scripts = self.variations.iter().filter_map(|it| it.value().get("js")?.as_str());
        scripts.any(|js| !js.is_empty())
    }

    /// Where each variation redirects to, if it does.
    pub(crate) fn redirects(&self) -> impl Iterator<Item = &str> {
        self.variations.iter().filter_map(|variation| redirect_of(variation.value()))
    }
}

impl fmt::Debug for AutoExperiment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AutoExperiment")
            .field("definition", &self.definition)
            .field("change_type", &self.change_type)
            .finish_non_exhaustive()
    }
}

/// Where a variation redirects to.
pub(crate) fn redirect_of(variation: &Value) -> Option<&str> {
    variation.get("urlRedirect")?.as_str().filter(|url| !url.is_empty())
}

/// Which auto experiments may run. By default all but manual ones may.
#[derive(Clone, Debug, Default)]
pub struct AutoExperimentOptions {
    pub(crate) blocked_change_ids: BTreeSet<Box<str>>,
    pub(crate) triggered: BTreeSet<Box<str>>,
    pub(crate) disable_visual: bool,
    pub(crate) disable_js_injection: bool,
    pub(crate) disable_redirects: bool,
    pub(crate) disable_cross_origin_redirects: bool,
}

impl AutoExperimentOptions {
    /// Everything but manual experiments.
    pub fn new() -> Self {
        AutoExperimentOptions::default()
    }

    /// Leaves out changes that were made already, or are not wanted.
    #[must_use]
    pub fn blocked_change_ids<I: Into<Box<str>>>(
        mut self,
        ids: impl IntoIterator<Item = I>,
    ) -> Self {
        self.blocked_change_ids = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Runs this manual experiment as well, by key.
    #[must_use]
    pub fn trigger(mut self, key: impl Into<Box<str>>) -> Self {
        self.triggered.insert(key.into());
        self
    }

    /// Leaves out visual changes.
    #[must_use]
    pub fn disable_visual_experiments(mut self, disable: bool) -> Self {
        self.disable_visual = disable;
        self
    }

    /// Leaves out visual changes with scripts.
    #[must_use]
    pub fn disable_js_injection(mut self, disable: bool) -> Self {
        self.disable_js_injection = disable;
        self
    }

    /// Leaves out redirects.
    #[must_use]
    pub fn disable_url_redirect_experiments(mut self, disable: bool) -> Self {
        self.disable_redirects = disable;
        self
    }

    /// Leaves out redirects to another host or protocol.
    #[must_use]
    pub fn disable_cross_origin_url_redirect_experiments(mut self, disable: bool) -> Self {
        self.disable_cross_origin_redirects = disable;
        self
    }
}

/// An auto experiment the user takes part in, and what it changes for them.
#[derive(Debug)]
#[non_exhaustive]
pub struct AutoExperimentResult<'a> {
    /// The experiment.
    pub experiment: &'a AutoExperiment,
    /// How the user was assigned, and the variation's value.
    pub result: ExperimentResult<'a, Value>,
    /// What to do about it.
    pub change: AutoExperimentChange<'a>,
}

/// What an auto experiment changes for a user.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum AutoExperimentChange<'a> {
    /// Nothing: the original, or the page is where the redirect leads already.
    None,
    /// Send the user elsewhere.
    Redirect {
        /// Where the variation says.
        url_redirect: &'a str,
        /// The same with the query string of the page carried over, if the experiment wants that.
        url_with_params: String,
    },
    /// Change how the page looks: an object of `css`, `js` and `domMutations`.
    Visual(&'a Value),
}

/// Everything but the query string of the user's page.
impl fmt::Debug for AutoExperimentChange<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AutoExperimentChange::None => formatter.write_str("None"),
            AutoExperimentChange::Redirect { url_redirect, .. } => formatter
                .debug_struct("Redirect")
                .field("url_redirect", url_redirect)
                .finish_non_exhaustive(),
            AutoExperimentChange::Visual(change) => {
                formatter.debug_tuple("Visual").field(change).finish()
            }
        }
    }
}

impl Serialize for AutoExperimentResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("key", self.experiment.definition.key())?;
        if let Some(id) = self.experiment.change_id() {
            map.serialize_entry("changeId", id)?;
        }
        map.serialize_entry("result", &self.result)?;
        match &self.change {
            AutoExperimentChange::None => {}
            AutoExperimentChange::Redirect { url_redirect, url_with_params } => {
                map.serialize_entry("urlRedirect", url_redirect)?;
                map.serialize_entry("urlWithParams", url_with_params)?;
            }
            AutoExperimentChange::Visual(changes) => map.serialize_entry("changes", changes)?,
        }
        map.end()
    }
}
