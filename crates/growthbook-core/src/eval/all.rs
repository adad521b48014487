//! The results of all features.

use alloc::vec::Vec;

use hashbrown::HashMap;
use serde::{Serialize, Serializer};

use super::evaluator::Evaluator;
use crate::result::FeatureResult;
use crate::snapshot::Snapshot;

/// The results of all features of a snapshot, in its order. Serializes as an object by feature key.
#[derive(Clone, Debug)]
pub struct FeatureResults<'a> {
    results: Vec<(&'a str, FeatureResult<'a>)>,
    /// The position of each feature's result.
    by_key: HashMap<&'a str, usize>,
}

impl<'a> FeatureResults<'a> {
    pub(super) fn of_all(
        snapshot: &'a Snapshot,
        mut evaluate: impl FnMut(&'a str) -> FeatureResult<'a>,
    ) -> Self {
        let results: Vec<_> = snapshot.feature_keys().map(|key| (key, evaluate(key))).collect();
        let by_key = results.iter().enumerate().map(|(index, (key, _))| (*key, index)).collect();
        FeatureResults { results, by_key }
    }

    /// Returns every feature's key and result.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a str, &FeatureResult<'a>)> {
        self.results.iter().map(|(key, result)| (*key, result))
    }

    /// Returns a feature's result; `None` when the snapshot has no such feature. Takes constant
    /// time.
    pub fn get(&self, key: &str) -> Option<&FeatureResult<'a>> {
        self.results.get(*self.by_key.get(key)?).map(|(_, result)| result)
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

    use crate::{Payload, UserContext};

    #[test]
    fn results_are_found_by_key() {
        let rules = |parent: &str| {
            let parent = format!(r#"{{"id": "{parent}", "condition": {{"value": true}}}}"#);
            format!(r#"[{{"parentConditions": [{parent}], "force": 1}}]"#)
        };
        let payload = format!(
            r#"{{"features": {{
                "c": {{"defaultValue": "c", "rules": {}}},
                "a": {{"defaultValue": "a", "rules": {}}},
                "b": {{"defaultValue": "b"}}
            }}}}"#,
            rules("unknown"),
            rules("b"),
        );
        let snapshot = Payload::from_json(payload).unwrap().compile();
        let user = UserContext::default();
        let results = snapshot.for_user(&user).evaluate_all();
        let keys = ["c", "a", "b"];
        assert!(results.iter().map(|(key, _)| key).eq(keys));
        for key in keys {
            assert_eq!(results.get(key).unwrap().value(), key);
        }
        assert!(results.get("unknown").is_none());
        assert!(results.into_iter().map(|(key, _)| key).eq(keys));
    }
}
