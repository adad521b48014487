//! The observer of a scope's evaluations. It notifies plugins, and keeps the scope's record.

use growthbook_core::cache::UnixMillis;
use growthbook_core::event::{EventUser, ExperimentViewed, FeatureUsage};
use growthbook_core::observe::{Exposure, Observer};
use growthbook_core::{
    AttributeRef, AttributeSource, FeatureResult, FeatureResultSource, Payload, UserContext,
};
use growthbook_support::Level;

use crate::listeners::Wants;
use crate::scope_events::ScopeEvents;
use crate::seen::UsageDeduplication;
use crate::state::State;

/// Notifies the plugins of a client and of a scope during an evaluation. It holds no lock then, so
/// that they may evaluate.
pub(crate) struct ScopeObserver<'a> {
    state: &'a State,
    user: &'a UserContext,
    source: Option<ContainedSource<'a>>,
    scope: Option<&'a ScopeEvents>,
    /// The payload of the evaluation.
    payload: Option<&'a Payload>,
    /// The time of the events. `None` is now.
    time: Option<UnixMillis>,
    /// The hashes of the features that this evaluation has reported.
    used: Vec<u64>,
}

impl<'a> ScopeObserver<'a> {
    pub(crate) fn new(
        state: &'a State,
        user: &'a UserContext,
        source: Option<&'a dyn AttributeSource>,
        scope: Option<&'a ScopeEvents>,
    ) -> Self {
        let source = source.map(ContainedSource);
        ScopeObserver { state, user, source, scope, payload: None, time: None, used: Vec::new() }
    }

    /// Sets the payload that is evaluated.
    pub(crate) fn on_payload(self, payload: &'a Payload) -> Self {
        ScopeObserver { payload: Some(payload), ..self }
    }

    /// Sets the time of the events. 0 is now.
    pub(crate) fn at(self, time: UnixMillis) -> Self {
        ScopeObserver { time: (time != 0).then_some(time), ..self }
    }

    pub(crate) fn event_user(&self) -> EventUser<'_> {
        let mut user = EventUser::new(self.user).with_globals(&self.state.globals);
        if let Some(source) = &self.source {
            user = user.with_source(source);
        }
        match self.scope.and_then(|scope| scope.extra.as_deref()) {
            Some(extra) => user.with_extra(extra),
            None => user,
        }
    }

    fn viewed<'e>(&'e self, exposure: &Exposure<'e>) -> ExperimentViewed<'e> {
        let time = self.time.unwrap_or_else(|| self.state.effects.now());
        ExperimentViewed::new(exposure, self.event_user(), time)
    }
}

impl Observer for ScopeObserver<'_> {
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        let effects = &self.state.effects;
        let is_deferred = self.scope.is_some_and(|scope| scope.defers_exposures);
        let wants_client = self.state.listeners.wants().exposures && !is_deferred;
        let is_per_scope = effects.exposures.is_per_scope();
        let scope = self.scope.filter(|scope| {
            scope.is_recording || scope.listeners.wants().exposures || is_per_scope
        });
        if !wants_client && scope.is_none() {
            return;
        }
        let identity = effects.identities.of_exposure(exposure);
        let is_first = scope.is_some_and(|scope| scope.is_first_exposure(identity));
        let is_new = wants_client
            && if is_per_scope {
                // A deferred call has no scope. The scope that recorded it has deduplicated it.
                is_first || self.scope.is_none()
            } else {
                effects.exposures.is_new(identity, || effects.now())
            };
        if !is_new && !is_first {
            return;
        }
        let viewed = self.viewed(exposure);
        if is_new {
            let listeners = &self.state.listeners;
            listeners.notify(|it| it.exposures, |plugin| plugin.experiment_viewed(&viewed));
        }
        if let Some(scope) = scope.filter(|_| is_first) {
            scope.listeners.notify(|it| it.exposures, |plugin| plugin.experiment_viewed(&viewed));
            scope.record_exposure(&viewed);
        }
    }

    fn wants_results(&self) -> bool {
        let of_scope = |scope: &ScopeEvents| scope.is_recording || scope.listeners.wants().results;
        self.state.listeners.wants().results || self.scope.is_some_and(of_scope)
    }

    fn experiment_ran(&mut self, result: &Exposure<'_>) {
        let effects = &self.state.effects;
        let identity = effects.identities.of_result(result);
        let outcome = (result.result.in_experiment, result.result.variation_id);
        let is_new = self.state.listeners.wants().results
            && effects.results.get().update(identity, outcome, |before| before != Some(outcome));
        let wants_results = |it: &&ScopeEvents| it.is_recording || it.listeners.wants().results;
        let scope = self.scope.filter(wants_results);
        let is_new_in_scope = scope.is_some_and(|it| it.is_new_result(identity, outcome));
        if !is_new && !is_new_in_scope {
            return;
        }
        let viewed = self.viewed(result);
        if is_new {
            self.state.listeners.notify(|it| it.results, |plugin| plugin.result(&viewed));
        }
        if let Some(scope) = scope.filter(|_| is_new_in_scope) {
            scope.listeners.notify(|it| it.results, |plugin| plugin.result(&viewed));
            scope.record_result(&viewed);
        }
    }

    fn wants_feature_usage(&self) -> bool {
        let of_scope = |scope: &ScopeEvents| scope.listeners.wants().usage;
        self.state.listeners.wants().usage || self.scope.is_some_and(of_scope)
    }

    fn wants_overrides(&self) -> bool {
        let of_scope = |scope: &ScopeEvents| scope.listeners.wants().overrides;
        self.state.listeners.wants().overrides || self.scope.is_some_and(of_scope)
    }

    fn feature_usage(&mut self, key: &str, result: &FeatureResult<'_>) {
        let effects = &self.state.effects;
        let key_hash = effects.identities.of_value(key);
        // A prerequisite that several features share is reported once.
        if self.used.contains(&key_hash) {
            return;
        }
        self.used.push(key_hash);
        if effects.usage_deduplication == UsageDeduplication::PerScope
            && let Some(scope) = self.scope
            && !scope.is_new_usage(key_hash, effects.identities.of_value(result.value()))
        {
            return;
        }
        let date_updated = self.payload.and_then(Payload::date_updated);
        let usage = FeatureUsage::new(key, result, self.event_user(), effects.now())
            .with_date_updated(date_updated);
        let is_override = result.source == FeatureResultSource::Override;
        let wants = |it: Wants| if is_override { it.overrides } else { it.usage };
        let of_scope = self.scope.map(|scope| &scope.listeners);
        for listeners in [Some(&*self.state.listeners), of_scope].into_iter().flatten() {
            listeners.notify(wants, |plugin| plugin.feature_usage(&usage));
        }
    }
}

/// A source whose panics do not reach a plugin. If it panics while it shows its attributes, the
/// plugin gets those that it has shown before.
struct ContainedSource<'a>(&'a dyn AttributeSource);

impl AttributeSource for ContainedSource<'_> {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        contain("AttributeSource::attribute", || self.0.attribute(name)).flatten()
    }

    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        contain("AttributeSource::visit", || self.0.visit(visitor));
    }
}

/// Runs code of the application. If it panics, the panic is logged.
fn contain<R>(name: &str, call: impl FnOnce() -> R) -> Option<R> {
    let outcome = growthbook_support::contain(call).ok();
    if outcome.is_none() {
        growthbook_support::log!(Level::Error, "the callback {name} panicked");
    }
    outcome
}
