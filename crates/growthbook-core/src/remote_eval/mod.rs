//! Remote evaluation, on the server's side: an untrusted client posts its attributes, and receives
//! values instead of definitions. This is what the GrowthBook Proxy does at `/api/eval`.

mod error;
mod request;
mod tracks;

use alloc::{format, string::String};

use serde_json::Value;

use crate::auto::AutoExperimentOptions;
use crate::eval::{Evaluator, RecordingEvaluator};
use crate::payload::{Entries, Entry, Payload, Section, Sections};
pub use error::RemoteEvalError;
pub use request::RemoteEvalRequest;
use tracks::{Tracks, scrubbed};

impl Evaluator<'_> {
    /// Evaluates every feature for a remote client. The result is a payload for this user: its
    /// features have values instead of rules.
    ///
    /// `payload` must be the one that the snapshot was compiled from. A feature that the snapshot
    /// does not have has the value null.
    ///
    /// - A feature is `{"defaultValue": value}`. If there is something to track, it has one rule
    ///   with the same value, and with `tracks`: the exposures of the feature and of its
    ///   prerequisites, each once. A variation that the request forces is a track too, with
    ///   `hashUsed` false, unless the feature has others.
    /// - The first feature also has the exposures of the auto experiments of the request's URL.
    /// - `experiments` has the auto experiments that the user takes part in. The client runs them
    ///   again.
    /// - An experiment does not have its condition. Its other variations are empty objects.
    /// - A forced feature is answered only if the payload has it. Prerequisites use it in any case.
    /// - All other sections are unchanged, as from the Proxy. So `savedGroups` has the ids of other
    ///   users, and `contextualBandits` has conditions. A connection without saved group references
    ///   sends no groups.
    ///
    /// ```
    /// use growthbook_core::Payload;
    /// use growthbook_core::remote_eval::RemoteEvalRequest;
    ///
    /// let payload = Payload::from_json(r#"{"features": {"checkout": {
    ///     "defaultValue": "old",
    ///     "rules": [{"condition": {"country": "US"}, "force": "new"}]
    /// }}}"#)?;
    /// let snapshot = payload.compile();
    ///
    /// let request = RemoteEvalRequest::from_json(br#"{"attributes": {"country": "US"}}"#)?;
    /// let response = snapshot.for_user(request.user()).remote_eval(&payload);
    /// assert_eq!(
    ///     response.to_json_string(),
    ///     r#"{"features":{"checkout":{"defaultValue":"new"}},"experiments":[]}"#
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remote_eval(&self, payload: &Payload) -> Payload {
        evaluate(self.observed(Tracks::default()), payload)
    }
}

impl RecordingEvaluator<'_, '_, ()> {
    /// Like [`Evaluator::remote_eval`], with the user's sticky bucket documents. Load those of
    /// [`Evaluator::sticky_keys`] before, and save
    /// [`StickyBuckets::take_changed`](crate::sticky::StickyBuckets::take_changed) after.
    pub fn remote_eval(self, payload: &Payload) -> Payload {
        evaluate(self.observed(Tracks::default()), payload)
    }
}

fn evaluate(mut evaluator: RecordingEvaluator<'_, '_, Tracks>, payload: &Payload) -> Payload {
    // The Proxy's SDK runs them when it is made. The first feature carries what they track.
    evaluator.run_auto_experiments(&AutoExperimentOptions::new());
    let features = payload.feature_entries().iter().map(|entry| {
        let result = evaluator.eval_feature(&*entry.key);
        let tracks = evaluator.observer_mut().take(&result);
        Entry { key: entry.key.clone(), text: feature(result.value(), &tracks).into() }
    });
    let features: Entries = features.collect();

    let experiments = evaluator.assign_auto_experiments().into_iter();
    let experiments = experiments
        .filter_map(|(experiment, variation)| scrubbed(experiment.definition(), variation));
    payload.with_sections(Sections {
        features,
        experiments: match payload.experiments_section() {
            Section::Unreadable => Section::Unreadable,
            _ => Section::Present(list(experiments).into()),
        },
        saved_groups: payload.saved_groups_section().clone(),
        contextual_bandits: payload.contextual_bandits_section().clone(),
    })
}

/// Returns the definition of a feature with this value.
fn feature(value: &Value, tracks: &str) -> String {
    if tracks.is_empty() {
        return format!(r#"{{"defaultValue":{value}}}"#);
    }
    format!(r#"{{"defaultValue":{value},"rules":[{{"force":{value},"tracks":{tracks}}}]}}"#)
}

/// Returns the JSON of a list of JSON texts.
fn list(items: impl Iterator<Item = String>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(']');
    text
}
