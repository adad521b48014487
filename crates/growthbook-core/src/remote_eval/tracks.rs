//! The exposures that a remote client reports for a feature.

use alloc::{format, string::String, vec::Vec};

use hashbrown::HashMap;
use serde::Serialize;

use super::list;
use crate::event::ResultWithValue;
use crate::json::{Json, Object};
use crate::observe::{Exposure, Observer};
use crate::result::{FeatureExperiment, FeatureResult, FeatureResultSource};

/// Collects the exposures of a feature and of its prerequisites, as JSON text. A repeated exposure
/// keeps its first place and its last text.
#[derive(Default)]
pub(super) struct Tracks {
    tracks: Vec<String>,
    /// The position of each exposure's text.
    places: HashMap<Identity, usize>,
}

/// Exposures with the same identity are repetitions.
#[derive(PartialEq, Eq, Hash)]
struct Identity {
    hash_attribute: String,
    hash_value: String,
    experiment: String,
    variation: usize,
}

impl Tracks {
    /// Takes the exposures so far, as a JSON list. The text is empty if there is nothing to track.
    ///
    /// A forced variation is not an exposure. If it decided the feature's value and there are no
    /// exposures, it is the only item.
    pub(super) fn take(&mut self, result: &FeatureResult<'_>) -> String {
        if !self.tracks.is_empty() {
            self.places.clear();
            return list(self.tracks.drain(..));
        }
        match (&result.experiment, &result.experiment_result) {
            (Some(experiment), Some(assigned))
                if result.source == FeatureResultSource::Experiment =>
            {
                track(experiment, assigned, assigned.variation_id)
                    .map_or(String::new(), |track| list([track].into_iter()))
            }
            _ => String::new(),
        }
    }
}

impl Observer for Tracks {
    fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
        let Exposure { experiment, result, value } = *exposure;
        let identity = Identity {
            hash_attribute: result.hash_attribute.into(),
            hash_value: result.hash_value.to_text().into(),
            experiment: experiment.key().into(),
            variation: result.variation_id,
        };
        let assigned = ResultWithValue { value, result };
        let track = track(&exposure.reported_experiment(), &assigned, result.variation_id);
        if let Some(track) = track {
            let place = *self.places.entry(identity).or_insert(self.tracks.len());
            match self.tracks.get_mut(place) {
                Some(earlier) => *earlier = track,
                None => self.tracks.push(track),
            }
        }
    }

    fn wants_feature_usage(&self) -> bool {
        false
    }
}

/// Returns an item of `tracks`.
fn track(
    experiment: &FeatureExperiment<'_>,
    result: &impl Serialize,
    variation: usize,
) -> Option<String> {
    let experiment = scrubbed(experiment, variation)?;
    let result = serde_json::to_string(result).ok()?;
    Some(format!(r#"{{"experiment":{experiment},"result":{result}}}"#))
}

/// Returns the JSON of an experiment without its condition and the values of the other variations.
/// `None` if the experiment cannot be read.
pub(super) fn scrubbed(experiment: &impl Serialize, variation: usize) -> Option<String> {
    let text = serde_json::to_string(experiment).ok()?;
    let Json::Object(mut experiment) = Json::parse(&text)? else {
        return None;
    };
    experiment.remove("condition");
    if let Some(Json::Array(variations)) = experiment.get_mut("variations") {
        let others = variations.iter_mut().enumerate().filter(|(index, _)| *index != variation);
        for (_, other) in others {
            *other = Json::Object(Object::default());
        }
    }
    Some(Json::Object(experiment).to_text())
}
