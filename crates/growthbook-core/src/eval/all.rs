//! The results of all features.

use alloc::vec::Vec;

use serde::{Serialize, Serializer};

use super::evaluator::Evaluator;
use crate::result::FeatureResult;
use crate::snapshot::Snapshot;

/// The results of all features of a snapshot, in its order. Serializes as an object by feature key.
#[derive(Clone, Debug)]
pub struct FeatureResults<'a> {
    /// Finds a feature's position by its key.
    snapshot: &'a Snapshot,
    /// One entry for each feature, in the snapshot's order.
    results: Vec<(&'a str, FeatureResult<'a>)>,
}

impl<'a> FeatureResults<'a> {
    pub(super) fn of_all(
        snapshot: &'a Snapshot,
        mut evaluate: impl FnMut(&'a str) -> FeatureResult<'a>,
    ) -> Self {
        let results = snapshot.feature_keys().map(|key| (key, evaluate(key))).collect();
        FeatureResults { snapshot, results }
    }

    /// Returns every feature's key and result.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a str, &FeatureResult<'a>)> {
        self.results.iter().map(|(key, result)| (*key, result))
    }

    /// Returns a feature's result; `None` when the snapshot has no such feature. Takes constant
    /// time.
    pub fn get(&self, key: &str) -> Option<&FeatureResult<'a>> {
        let index = self.snapshot.find(key, None)?;
        self.results.get(usize::try_from(index.0).ok()?).map(|(_, result)| result)
    }

    /// Returns the number of features.
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether the snapshot has no features.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }
}

impl<'a> IntoIterator for FeatureResults<'a> {
    type Item = (&'a str, FeatureResult<'a>);
    type IntoIter = alloc::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.results.into_iter()
    }
}

impl Serialize for FeatureResults<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'a> Evaluator<'a> {
    /// Evaluates every feature, for a caller that hands all results on: to a browser, a log, or a
    /// support page.
    pub fn evaluate_all(&self) -> FeatureResults<'a> {
        FeatureResults::of_all(self.snapshot, |key| self.eval_feature(key))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;
    use crate::{Payload, UserContext};

    #[test]
    fn results_are_found_by_key() {
        let keys = ["c", "a", "b"];
        let features: Vec<String> =
            keys.iter().map(|key| format!(r#""{key}":{{"defaultValue":"{key}"}}"#)).collect();
        let payload = format!(r#"{{"features":{{{}}}}}"#, features.join(","));
        let snapshot = Payload::from_json(payload).unwrap().compile();
        let user = UserContext::default();
        let results = snapshot.for_user(&user).evaluate_all();
        assert!(results.iter().map(|(key, _)| key).eq(keys));
        for key in keys {
            assert_eq!(results.get(key).unwrap().value(), key);
        }
        assert!(results.get("d").is_none());
    }
}
