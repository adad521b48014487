//! The differences between two payloads, and the reuse of an older payload's sections.

use alloc::string::String;
use alloc::vec::Vec;

use super::Payload;
use super::document;
use super::section::{Entries, Section};
use crate::wire::SectionName;

/// The differences between two payloads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadChange {
    /// The keys of the features that were added, changed or removed: first those of the newer
    /// payload in its order, then the removed ones.
    pub features: Vec<String>,
    /// Whether saved groups, bandits or auto experiments differ. Features that refer to them may
    /// have other values without being listed.
    pub other_sections: bool,
}

impl PayloadChange {
    /// Whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.features.is_empty() && !self.other_sections
    }
}

impl Payload {
    /// Returns the differences from an older payload. It compares the text of definitions: one with
    /// its members in another order counts as changed.
    pub fn changes_since(&self, older: &Payload) -> PayloadChange {
        PayloadChange {
            features: self.features.changed_keys(&older.features),
            other_sections: self.experiments != older.experiments
                || self.saved_groups != older.saved_groups
                || self.contextual_bandits != older.contextual_bandits,
        }
    }

    /// Prepares the payload to replace an older one. If it could not decrypt a section, it takes
    /// over the older section, so that a wrong key does not remove good definitions. It shares the
    /// memory of equal entries.
    #[must_use]
    pub fn replacing(mut self, older: &Payload) -> Self {
        self.features.share_with(&older.features);
        let experiments = take_over(&mut self.experiments, &older.experiments);
        let groups = replace_entries(&mut self.saved_groups, &older.saved_groups);
        let bandits = replace_entries(&mut self.contextual_bandits, &older.contextual_bandits);
        for (section, is_taken_over) in [
            (SectionName::Experiments, experiments),
            (SectionName::SavedGroups, groups),
            (SectionName::ContextualBandits, bandits),
        ] {
            if is_taken_over {
                document::replace_encrypted(&mut self.layout, section);
            }
        }
        self
    }
}

/// Takes over the older section if this one could not be decrypted. Returns whether it did.
fn take_over<T: Clone>(section: &mut Section<T>, older: &Section<T>) -> bool {
    let takes_over = matches!(
        (&*section, older),
        (Section::Unreadable, Section::Present(_) | Section::Malformed(_))
    );
    if takes_over {
        section.clone_from(older);
    }
    takes_over
}

fn replace_entries(section: &mut Section<Entries>, older: &Section<Entries>) -> bool {
    if let (Section::Present(entries), Section::Present(older)) = (&mut *section, older) {
        entries.share_with(older);
    }
    take_over(section, older)
}

#[cfg(feature = "reduce")]
#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::reduce::{ReduceOptions, reduce_payload};

    fn payload(text: &str) -> Payload {
        Payload::from_json(text).unwrap()
    }

    #[test]
    fn added_changed_and_removed_features_are_found() {
        let older = payload(r#"{"features": {"same": {"a": 1}, "gone": {}, "other": {"a": 1}}}"#);
        let newer = payload(r#"{"features":{"new": {}, "other": {"a": 2}, "same": {"a": 1}}}"#);
        let change = newer.changes_since(&older);
        assert_eq!(change.features, ["new", "other", "gone"]);
        assert!(!change.other_sections);
        assert!(newer.changes_since(&newer).is_empty());
    }

    #[test]
    fn other_sections_are_separate_from_features() {
        let older = payload(r#"{"features": {}, "savedGroups": {"g": [1]}}"#);
        for newer in [r#"{"features": {}, "savedGroups": {"g": [2]}}"#, r#"{"features": {}}"#] {
            let change = payload(newer).changes_since(&older);
            assert_eq!((change.features, change.other_sections), (vec![], true));
        }
    }

    #[test]
    fn unreadable_section_is_taken_over() {
        let older = payload(r#"{"features": {}, "savedGroups": {"g": [1]}, "experiments": []}"#);
        let newer = r#"{"features": {"a": {}}, "encryptedSavedGroups": "YQ==.YQ=="}"#;
        let newer = payload(newer).replacing(&older);
        assert!(newer.saved_groups == older.saved_groups && newer.saved_groups != Section::Absent);
        assert!(matches!(newer.experiments, Section::Absent));
    }

    #[test]
    fn section_that_is_taken_over_is_written_once() {
        let older = payload(concat!(
            r#"{"features": {}, "savedGroups": {"g": [1]}, "experiments": [],"#,
            r#" "contextualBandits": {}}"#
        ));
        let newer = payload(concat!(
            r#"{"savedGroups": {}, "encryptedSavedGroups": "YQ==.YQ==","#,
            r#" "encryptedExperiments": "YQ==.YQ==", "encryptedContextualBandits": "YQ==.YQ==","#,
            r#" "features": {"a": {"rules": [{"condition": {"x": {"$inGroup": "g"}}}]}}}"#
        ));
        let newer = newer.replacing(&older);
        assert_eq!(
            newer.to_json_string(),
            concat!(
                r#"{"savedGroups":{"g":[1]},"experiments":[],"contextualBandits":{},"#,
                r#""features":{"a":{"rules": [{"condition": {"x": {"$inGroup": "g"}}}]}}}"#
            )
        );
        let reduced = reduce_payload(&newer, &ReduceOptions::new()).to_json_string();
        assert!(!reduced.contains("encrypted"), "{reduced}");
        assert_eq!(reduced.matches(r#""savedGroups":{"g":[1]}"#).count(), 1, "{reduced}");
        // Without an older section, it stays encrypted.
        let alone = payload(r#"{"features": {}, "encryptedSavedGroups": "YQ==.YQ=="}"#);
        let alone = alone.replacing(&Payload::empty()).to_json_string();
        assert_eq!(alone, r#"{"features":{},"encryptedSavedGroups":"YQ==.YQ=="}"#);
    }
}
