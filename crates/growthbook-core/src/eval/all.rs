//! Every feature at once.

use alloc::vec::Vec;

use serde::{Serialize, Serializer};

use super::Evaluator;
use crate::observe::Observer;
use crate::result::FeatureResult;

/// The answers for all features of a snapshot, in its order. Serializes as an object by key.
#[derive(Clone, Debug)]
pub struct FeatureResults<'a>(Vec<(&'a str, FeatureResult<'a>)>);

impl<'a> FeatureResults<'a> {
    /// Every feature with its answer.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a str, &FeatureResult<'a>)> {
        self.0.iter().map(|(key, result)| (*key, result))
    }

    /// The answer for a feature; `None` when the snapshot does not have it.
    pub fn get(&self, key: &str) -> Option<&FeatureResult<'a>> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, result)| result)
    }

    /// How many features there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for FeatureResults<'a> {
    type Item = (&'a str, FeatureResult<'a>);
    type IntoIter = alloc::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for FeatureResults<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'a> Evaluator<'a> {
    /// Evaluates every feature, for handing all answers on: to a browser, a log, a support page.
    pub fn evaluate_all(&self) -> FeatureResults<'a> {
        self.evaluate_all_observed(&mut ())
    }

    /// Evaluates every feature and shows an observer what happens.
    pub fn evaluate_all_observed<O: Observer>(&self, observer: &mut O) -> FeatureResults<'a> {
        let keys = self.snapshot.feature_keys();
        FeatureResults(keys.map(|key| (key, self.eval_feature_observed(key, observer))).collect())
    }
}
