//! Auto experiments: the payload's own experiments on pages, which belong to no feature.
//!
//! Their changes are data: a redirect for the server to send, or visual changes for the page.

use alloc::{boxed::Box, collections::BTreeSet, string::String};
use core::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::experiment::ExperimentDefinition;
use crate::json::Json;
use crate::result::ExperimentResult;
use crate::url::UrlTargets;
use crate::value::FeatureValue;

/// An entry of the payload's section `experiments`.
pub struct AutoExperiment {
    pub(crate) definition: ExperimentDefinition,
    pub(crate) variations: Box<[FeatureValue]>,
    pub(crate) change_type: ChangeType,
    pub(crate) change_id: Option<Box<str>>,
    pub(crate) manual: bool,
    pub(crate) persist_query_string: bool,
}

/// The kind of change that an auto experiment's variations make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeType {
    /// They redirect to another URL.
    Redirect,
    /// They change how the page looks: styles, scripts, DOM mutations.
    Visual,
    /// This SDK does not know the change. Such an experiment does not run.
    Unknown,
}

impl ChangeType {
    /// Returns the type of these variations. A redirect needs URL patterns, and a variation with a
    /// target.
    pub(crate) fn of(variations: &[FeatureValue], url_patterns: Option<&UrlTargets>) -> Self {
        let some = |test: &dyn Fn(&FeatureValue) -> bool| variations.iter().any(test);
        if url_patterns.is_some() && some(&|variation| variation.member("urlRedirect").is_some()) {
            ChangeType::Redirect
        } else if some(&|variation| {
            let mutations = variation.member("domMutations");
            mutations.is_some_and(|mutations| !matches!(mutations, Json::Null))
                || variation.member("js").is_some()
                || variation.member("css").is_some()
        }) {
            ChangeType::Visual
        } else {
            ChangeType::Unknown
        }
    }
}

impl AutoExperiment {
    /// Returns who takes part, and how variations are assigned.
    pub fn definition(&self) -> &ExperimentDefinition {
        &self.definition
    }

    /// Returns the kind of change that its variations make.
    pub fn change_type(&self) -> ChangeType {
        self.change_type
    }

    /// Returns the id of the change, by which it can be
    /// [blocked](AutoExperimentOptions::blocked_change_ids).
    pub fn change_id(&self) -> Option<&str> {
        self.change_id.as_deref()
    }

    /// Whether it runs only when it is triggered.
    pub fn is_manual(&self) -> bool {
        self.manual
    }

    /// Whether a variation runs a script.
    pub(crate) fn injects_js(&self) -> bool {
        let mut scripts = self.variations.iter().filter_map(|it| it.member("js")?.as_str());
        scripts.any(|js| !js.is_empty())
    }

    /// Returns the targets of the variations that redirect.
    pub(crate) fn redirects(&self) -> impl Iterator<Item = &str> {
        let targets = self.variations.iter().filter_map(|it| it.member("urlRedirect")?.as_str());
        targets.filter(|url| !url.is_empty())
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

/// Returns the URL that a variation redirects to.
pub(crate) fn redirect_of(variation: &Value) -> Option<&str> {
    variation.get("urlRedirect")?.as_str().filter(|url| !url.is_empty())
}

/// The auto experiments that may run. By default all may, except manual ones.
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
    /// Allows everything but manual experiments.
    pub fn new() -> Self {
        AutoExperimentOptions::default()
    }

    /// Sets the ids of changes to leave out, because they were made already or are not wanted.
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

/// An auto experiment that the user takes part in, and its change.
#[derive(Debug)]
#[non_exhaustive]
pub struct AutoExperimentResult<'a> {
    /// The experiment.
    pub experiment: &'a AutoExperiment,
    /// How the user was assigned, and the variation's value.
    pub result: ExperimentResult<'a, Value>,
    /// The change to make.
    pub change: AutoExperimentChange<'a>,
}

/// The change that an auto experiment makes for a user.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum AutoExperimentChange<'a> {
    /// None: the variation is the original, or the page is already the redirect's target.
    None,
    /// Redirect the user to another URL.
    Redirect {
        /// The variation's target.
        url_redirect: &'a str,
        /// The target with the page's query string added, if the experiment asks for that.
        url_with_params: String,
    },
    /// Change how the page looks: an object of `css`, `js` and `domMutations`.
    Visual(&'a Value),
}

/// Prints everything but the query string of the user's page.
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
