//! A user scope: evaluation for one user on one payload.

use core::fmt;
use std::sync::Arc;

use growthbook_core::auto::{AutoExperimentOptions, AutoExperimentResult};
use growthbook_core::condition::Condition;
use growthbook_core::explain::Explanation;
use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBuckets};
use growthbook_core::{
    AttributeSource, Evaluator, Experiment, ExperimentDefinition, ExperimentResult, FeatureName,
    FeatureResult, FeatureResultSource, FeatureResults, Payload, PayloadSource, RecordingEvaluator,
    Snapshot, UserContext, ValueError,
};
use growthbook_fetch::Pinned;
use growthbook_support::{Level, contain};
use serde::Deserialize;

use crate::flag_problems;
use crate::observer::ScopeObserver;
use crate::scope_buckets::ScopeBuckets;
use crate::scope_events::ScopeEvents;
use crate::scope_source::ScopeSource;
use crate::state::State;

/// Evaluates for one user on the payload that was in use when the scope was made. Its answers agree
/// with one another, whatever happens to the client meanwhile.
///
/// A scope is cheap: make one for each request. Answers borrow from it. `'s` is the lifetime of an
/// [`AttributeSource`]; without one a scope is a `UserScope<'static>`.
///
/// A clone has its own copy of the user. It shares the payload, plugins, sticky bucket documents, the
/// memory of what was reported, and the [record](UserScope::recording).
#[derive(Clone)]
pub struct UserScope<'s> {
    pub(crate) pinned: Pinned<State>,
    pub(crate) user: UserContext,
    /// Searched before the user's attributes.
    pub(crate) source: ScopeSource<'s>,
    /// `None` without sticky bucketing.
    pub(crate) sticky: Option<Arc<ScopeBuckets>>,
    /// `None` without plugins of its own, and if the scope need not remember what it has reported.
    pub(crate) events: Option<Arc<ScopeEvents>>,
    /// Whether evaluations have effects: on callbacks, or on sticky bucket documents.
    pub(crate) has_effects: bool,
}

impl UserScope<'_> {
    /// Looks for attributes in `source` first, then among the user's own and the global ones.
    /// Callbacks receive a user with the attributes that the source
    /// [shows](AttributeSource::visit).
    ///
    /// A panic of the source is logged, and that evaluation is repeated without the source.
    ///
    /// With a [sticky bucket store](crate::ClientBuilder::sticky_bucket_store), this call loads the
    /// documents of the source's user, which may block.
    #[must_use]
    pub fn with_source<'t>(self, source: &'t dyn AttributeSource) -> UserScope<'t> {
        let UserScope { pinned, user, sticky, events, has_effects, .. } = self;
        let source = ScopeSource::Plain(source);
        let scope = UserScope { pinned, user, source, sticky, events, has_effects };
        scope.load_sticky_buckets();
        scope
    }

    /// Evaluates a feature: value, source, rule and experiment. An unknown feature has the value
    /// null and the source `UnknownFeature`.
    pub fn eval_feature(&self, key: &(impl FeatureName + ?Sized)) -> FeatureResult<'_> {
        let result = if self.is_silent() {
            self.evaluate(|evaluator| evaluator.eval_feature(key))
        } else {
            self.recorded_result(key)
        };
        if result.source == FeatureResultSource::UnknownFeature {
            self.report_unknown(key.key());
        }
        result
    }

    /// Whether a feature's value is truthy in JavaScript's sense: not null, false, 0 or "".
    #[inline]
    pub fn is_on(&self, key: &(impl FeatureName + ?Sized)) -> bool {
        // An option is returned in a register, unlike a result with its error.
        let is_on = if self.is_silent() {
            self.evaluate(|evaluator| evaluator.try_is_on(key).ok())
        } else {
            self.recorded_is_on(key)
        };
        is_on.unwrap_or_else(|| {
            self.report_unknown(key.key());
            false
        })
    }

    /// The opposite of [`is_on`](UserScope::is_on).
    pub fn is_off(&self, key: &(impl FeatureName + ?Sized)) -> bool {
        !self.is_on(key)
    }

    /// A feature's value as the fallback's type: a boolean, number, `&str`, `String`, or anything
    /// that implements `serde::Deserialize`. The fallback when the feature is unknown, has no
    /// value, or one of another type. A whole number is an integer, even if the payload has `17.0`.
    ///
    /// ```
    /// # let client = growthbook::Client::from_json(r#"{"features": {
    /// #     "limits": {"defaultValue": {"rps": 50}}, "color": {"defaultValue": "green"}
    /// # }}"#)?;
    /// #[derive(serde::Deserialize)]
    /// struct Limits { rps: u32 }
    ///
    /// let gb = client.for_user("user-1");
    /// assert_eq!(gb.feature_value("color", "blue"), "green");
    /// assert_eq!(gb.feature_value("limits", Limits { rps: 10 }).rps, 50);
    /// assert_eq!(gb.feature_value("color", 7), 7);
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    pub fn feature_value<'a, T: Deserialize<'a>>(
        &'a self,
        key: &(impl FeatureName + ?Sized),
        fallback: T,
    ) -> T {
        let outcome = if self.is_silent() {
            if let Some(value) = self.evaluate(|evaluator| evaluator.try_feature_value(key).ok()) {
                return value;
            }
            // Evaluates again, to know why: an error in each result would slow down those without.
            self.evaluate(|evaluator| evaluator.try_feature_value::<T>(key))
        } else {
            self.recorded_feature_value(key)
        };
        outcome.unwrap_or_else(|error| {
            self.report_problem(key.key(), error, core::any::type_name::<T>());
            fallback
        })
    }

    /// Runs an inline experiment.
    ///
    /// ```
    /// use growthbook::{Client, Experiment};
    ///
    /// let client = Client::from_json(r#"{"features": {}}"#)?;
    /// let experiment = Experiment::new("cta-text", ["Buy", "Order now"]);
    /// let gb = client.for_user("user-1");
    /// let shown = gb.run(&experiment);
    /// assert_eq!(*shown.value, "Order now");
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    pub fn run<'a, T>(&'a self, experiment: &'a Experiment<T>) -> ExperimentResult<'a, T> {
        if let Some(sticky) = &self.sticky {
            let keys = self.evaluate(|evaluator| evaluator.sticky_keys_of(experiment));
            sticky.load(self.state().effects.sticky_store.as_deref(), keys);
        }
        if self.is_silent() {
            return self.evaluate(|evaluator| evaluator.run(experiment));
        }
        let result = self.record(|evaluator| evaluator.run(experiment));
        growthbook_support::log!(
            Level::Debug,
            "experiment {:?}: variation {} (in experiment: {})",
            experiment.definition().key(),
            result.variation_id,
            result.in_experiment,
        );
        result
    }

    /// Evaluates a feature and explains the result: every rule in order, and its outcome. No callback
    /// is notified, and no sticky assignment is made.
    ///
    /// The explanation has attribute values: show it only to people who may see the user's data.
    ///
    /// ```
    /// let client = growthbook::Client::from_json(r#"{"features": {"new-checkout": {
    ///     "defaultValue": false,
    ///     "rules": [{"id": "fr_us", "condition": {"country": "US"}, "force": true}]
    /// }}}"#)?;
    /// let user = growthbook::UserContext::new("user-1").attribute("country", "FR");
    /// let explanation = client.for_user(user).explain("new-checkout");
    /// assert_eq!(explanation.to_string(), r#"
    /// new-checkout = false (defaultValue)
    ///   rule 0 (fr_us): skipped, the condition failed
    ///     country must be "US", but it is "FR""#.trim_start());
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    pub fn explain(&self, key: &(impl FeatureName + ?Sized)) -> Explanation {
        self.evaluate(|evaluator| match self.sticky_buckets() {
            Some(mut copy) => evaluator.sticky(&mut copy).explain(key),
            None => evaluator.explain(key),
        })
    }

    /// Evaluates every feature, for a caller that hands all results on: to a browser, a log, or a
    /// support page.
    ///
    /// Users keep their sticky assignments. No callback is notified and no assignment is stored,
    /// since no user has seen a variation yet.
    pub fn evaluate_all(&self) -> FeatureResults<'_> {
        self.evaluate(|evaluator| match self.sticky_buckets() {
            Some(mut copy) => evaluator.sticky(&mut copy).evaluate_all(),
            None => evaluator.evaluate_all(),
        })
    }

    /// Runs the payload's auto experiments on the user's address, in their order: every one the
    /// user takes part in, up to and including the first that redirects.
    pub fn run_auto_experiments(
        &self,
        options: &AutoExperimentOptions,
    ) -> Vec<AutoExperimentResult<'_>> {
        if self.is_silent() {
            return self.evaluate(|evaluator| evaluator.run_auto_experiments(options));
        }
        self.record(|evaluator| evaluator.run_auto_experiments(options))
    }

    /// Whether the user passes a condition, with the payload's saved groups.
    pub fn eval_condition(&self, condition: &Condition) -> bool {
        self.evaluate(|evaluator| evaluator.eval_condition(condition))
    }

    /// Returns a copy of the user's current sticky bucket documents; `None` without sticky bucketing.
    /// To save the changed ones, use
    /// [`take_changed_sticky_buckets`](UserScope::take_changed_sticky_buckets).
    pub fn sticky_buckets(&self) -> Option<StickyBuckets> {
        self.sticky.as_ref().map(|sticky| sticky.snapshot())
    }

    /// Returns the documents that evaluations of this scope changed since the last call, each once.
    /// An application that keeps the documents itself saves them: in cookies, or asynchronously.
    ///
    /// Each document has all assignments of its key. A document that the client's store could not
    /// load is left out: saving it could replace assignments that were not read.
    ///
    /// ```
    /// use growthbook::Client;
    /// use growthbook::sticky::StickyBuckets;
    ///
    /// let client = Client::from_json(r#"{"features": {"checkout": {"rules": [
    ///     {"key": "checkout-test", "variations": ["old", "new"]}
    /// ]}}}"#)?;
    /// let gb = client.for_user_with_sticky("user-1", StickyBuckets::new());
    /// gb.is_on("checkout");
    /// let changed = gb.take_changed_sticky_buckets();
    /// assert_eq!(changed[0].key().to_string(), "id||user-1");
    /// assert!(gb.take_changed_sticky_buckets().is_empty());
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    pub fn take_changed_sticky_buckets(&self) -> Vec<StickyBucketDocument> {
        self.sticky.as_ref().map(|sticky| sticky.take_changed()).unwrap_or_default()
    }

    /// Returns the keys of all documents that evaluating this user's features may need, for an
    /// application that loads them.
    pub fn sticky_keys(&self) -> Vec<StickyBucketKey> {
        self.evaluate(|evaluator| evaluator.sticky_keys())
    }

    /// Returns the index of the variation that the user's sticky bucket documents have for an
    /// experiment. Does not evaluate or assign.
    pub fn sticky_assignment(&self, experiment: &ExperimentDefinition) -> Option<usize> {
        let buckets = self.sticky.as_ref()?.snapshot();
        self.evaluate(|evaluator| evaluator.sticky_assignment(experiment, &buckets))
    }

    /// Returns the user.
    pub fn user(&self) -> &UserContext {
        &self.user
    }

    /// Returns where the payload of the scope came from. `None` if the client had no payload when the
    /// scope was made: then every feature is unknown.
    pub fn payload_source(&self) -> Option<PayloadSource> {
        self.pinned.source()
    }

    /// Returns the payload of the scope as it was read, for example to
    /// [reduce](crate::reduce::reduce_payload) it for a browser.
    pub fn payload(&self) -> &Payload {
        self.pinned.payload()
    }

    /// Returns the compiled payload of the scope.
    pub fn snapshot(&self) -> &Snapshot {
        self.pinned.snapshot()
    }
}

impl<'s> UserScope<'s> {
    /// Returns a scope with these documents. Without them, a store's documents are loaded later.
    pub(crate) fn new(
        pinned: Pinned<State>,
        (user, source): (UserContext, Option<&'s dyn AttributeSource>),
        buckets: Option<StickyBuckets>,
    ) -> Self {
        let from_store =
            || pinned.data().effects.sticky_store.as_ref().map(|_| StickyBuckets::new());
        let buckets = buckets.or_else(from_store);
        let sticky = buckets.map(|buckets| Arc::new(ScopeBuckets::new(buckets)));
        let events = pinned.data().remembers_per_scope().then(Arc::default);
        let has_effects = pinned.data().has_listeners || sticky.is_some();
        UserScope { pinned, user, source: source.into(), sticky, events, has_effects }
    }
}

impl UserScope<'_> {
    /// Returns the scope's own events, if it has any.
    pub(crate) fn events(&self) -> Option<&ScopeEvents> {
        self.events.as_deref()
    }

    /// Returns the scope's own events, to change them. From now on, evaluations have effects.
    pub(crate) fn events_mut(&mut self) -> &mut ScopeEvents {
        self.has_effects = true;
        Arc::make_mut(self.events.get_or_insert_default())
    }

    #[inline]
    pub(crate) fn source(&self) -> Option<&dyn AttributeSource> {
        self.source.get()
    }

    pub(crate) fn load_sticky_buckets(&self) {
        if let Some(sticky) = &self.sticky {
            sticky.load(self.state().effects.sticky_store.as_deref(), self.sticky_keys());
        }
    }

    #[inline]
    pub(crate) fn state(&self) -> &State {
        self.pinned.data()
    }

    /// Returns an evaluator without the source.
    #[inline]
    fn own_evaluator(&self) -> Evaluator<'_> {
        self.pinned.snapshot().for_user_with(&self.state().globals, &self.user)
    }

    /// Evaluates. If the source panics, evaluates again without it.
    #[inline]
    fn evaluate<'a, R>(&'a self, evaluate: impl Fn(Evaluator<'a>) -> R) -> R {
        self.evaluate_with(|evaluator, _| evaluate(evaluator))
    }

    /// The same, for a function that also needs the source. Without a source it costs nothing.
    #[inline]
    fn evaluate_with<'a, R>(
        &'a self,
        evaluate: impl Fn(Evaluator<'a>, Option<&'a dyn AttributeSource>) -> R,
    ) -> R {
        match &self.source {
            ScopeSource::None => evaluate(self.own_evaluator(), None),
            source => self.evaluate_source(source, evaluate),
        }
    }

    /// Evaluates with a source. This is out of line, so that evaluation without one is inlined.
    #[inline(never)]
    fn evaluate_source<'a, R>(
        &'a self,
        source: &'a ScopeSource<'_>,
        evaluate: impl Fn(Evaluator<'a>, Option<&'a dyn AttributeSource>) -> R,
    ) -> R {
        let Some(source) = source.get() else {
            return evaluate(self.own_evaluator(), None);
        };
        let evaluator = self.own_evaluator().with_source(source);
        contain(|| evaluate(evaluator, Some(source))).unwrap_or_else(|_| {
            growthbook_support::log!(
                Level::Error,
                "the attribute source panicked, and the evaluation is repeated without it",
            );
            evaluate(self.own_evaluator(), None)
        })
    }

    /// Whether evaluations neither have effects nor are logged.
    #[inline]
    fn is_silent(&self) -> bool {
        !self.has_effects && !is_logged()
    }

    /// Evaluates with all effects: notifies the callbacks, and stores new sticky assignments.
    fn record<'a, R>(
        &'a self,
        evaluate: impl Fn(&mut RecordingEvaluator<'a, '_, ScopeObserver<'a>>) -> R,
    ) -> R {
        let effects = &self.state().effects;
        self.evaluate_with(|evaluator, source| {
            let observer = ScopeObserver::new(self.state(), &self.user, source, self.events())
                .on_payload(self.pinned.payload());
            let mut evaluator = evaluator.observed(observer);
            match &self.sticky {
                Some(sticky) => sticky.evaluate(effects.sticky_store.as_deref(), |buckets| {
                    evaluate(&mut evaluator.sticky(buckets))
                }),
                None => evaluate(&mut evaluator),
            }
        })
    }

    /// Evaluates with all effects, and logs the result.
    fn recorded_result(&self, key: &(impl FeatureName + ?Sized)) -> FeatureResult<'_> {
        let result = self.record(|evaluator| evaluator.eval_feature(key));
        growthbook_support::log!(
            Level::Debug,
            "feature {:?}: {} (rule {:?})",
            key.key(),
            result.source,
            result.rule_id,
        );
        result
    }

    #[inline(never)]
    fn recorded_is_on(&self, key: &(impl FeatureName + ?Sized)) -> Option<bool> {
        if !is_logged() {
            return self.record(|evaluator| evaluator.try_is_on(key).ok());
        }
        // The log shows the whole result.
        let result = self.recorded_result(key);
        match result.source {
            FeatureResultSource::UnknownFeature => None,
            _ => Some(result.on),
        }
    }

    #[inline(never)]
    fn recorded_feature_value<'a, T: Deserialize<'a>>(
        &'a self,
        key: &(impl FeatureName + ?Sized),
    ) -> Result<T, ValueError<'a>> {
        if !is_logged() {
            return self.record(|evaluator| evaluator.try_feature_value(key));
        }
        // The log shows the whole result.
        self.recorded_result(key).try_value()
    }

    /// Reports an unknown flag.
    #[cold]
    #[inline(never)]
    fn report_unknown(&self, key: &str) {
        // An unknown flag has no value, so its type does not matter.
        self.report_problem(key, ValueError::UnknownFeature, "");
    }

    /// Reports that a flag has no value of the type that the code asked for.
    #[cold]
    #[inline(never)]
    fn report_problem(&self, key: &str, error: ValueError<'_>, expected: &'static str) {
        let of_scope = self.events().map(|events| &events.listeners);
        flag_problems::report(&self.pinned, of_scope, key, error, expected);
    }
}

impl fmt::Debug for UserScope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UserScope")
            .field("user", &self.user)
            .field("snapshot", self.pinned.snapshot())
            .finish_non_exhaustive()
    }
}

/// Whether the log shows how features are evaluated.
#[inline]
fn is_logged() -> bool {
    growthbook_support::is_logged(Level::Debug)
}
