//! What differs between two payloads.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::document::{self, SectionName};
use super::{Payload, Section, members};

/// What differs between two payloads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadChange {
    /// The keys of the features that were added, removed or defined anew: the newer payload's in
    /// its order, then the removed ones.
    pub features: Vec<String>,
    /// Whether other parts differ: saved groups, bandits, auto experiments. Features that refer
    /// to them may have other values without being listed.
    pub other_sections: bool,
}

impl PayloadChange {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.features.is_empty() && !self.other_sections
    }
}

impl Payload {
    /// What differs from an older payload, by the text of the definitions: one that was written
    /// differently, say with its members in another order, counts as changed.
    pub fn changes_since(&self, older: &Payload) -> PayloadChange {
        PayloadChange {
            features: changed_members(&older.features, &self.features),
            other_sections: [
                (&self.experiments, &older.experiments),
                (&self.saved_groups, &older.saved_groups),
                (&self.contextual_bandits, &older.contextual_bandits),
            ]
            .into_iter()
            .any(|(newer, older)| !newer.has_same_text(older)),
        }
    }

    /// The same payload, with the older one's section in place of each that could not be
    /// decrypted: what was good is not lost to a key that does not fit any more. That is what it
    /// is written with as well, in clear, in place of the encrypted text.
    #[must_use]
    pub fn with_unreadable_sections_of(mut self, older: &Payload) -> Self {
        for (name, section, older) in [
            (SectionName::Experiments, &mut self.experiments, &older.experiments),
            (SectionName::SavedGroups, &mut self.saved_groups, &older.saved_groups),
            (
                SectionName::ContextualBandits,
                &mut self.contextual_bandits,
                &older.contextual_bandits,
            ),
        ] {
            if let (Section::Unreadable, Section::Present(_)) = (&*section, older) {
                *section = older.clone();
                document::replace_encrypted(&mut self.layout, name);
            }
        }
        self
    }
}

impl Section {
    fn has_same_text(&self, other: &Section) -> bool {
        match (self, other) {
            (Section::Present(text), Section::Present(other)) => text == other,
            (Section::Absent, Section::Absent) | (Section::Unreadable, Section::Unreadable) => true,
            _ => false,
        }
    }
}

/// The names of the members that differ between two objects.
fn changed_members(older: &str, newer: &str) -> Vec<String> {
    if older == newer {
        return Vec::new();
    }
    let (Some(older), Some(newer)) = (members(older), members(newer)) else {
        return Vec::new();
    };
    let mut left: HashMap<&Cow<'_, str>, &str> =
        older.named.iter().map(|(name, value)| (name, *value)).collect();
    let mut changed: Vec<String> = Vec::new();
    for (name, value) in &newer.named {
        if left.remove(name) != Some(*value) {
            changed.push(name.as_ref().into());
        }
    }
    let removed = older.named.iter().filter(|(name, _)| left.contains_key(name));
    changed.extend(removed.map(|(name, _)| String::from(name.as_ref())));
    changed
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::reduce::{ReduceOptions, reduce_payload};

    fn payload(text: &str) -> Payload {
        Payload::from_json(text).unwrap()
    }

    #[test]
    fn added_removed_and_redefined_features_are_found() {
        let older = payload(r#"{"features": {"same": {"a": 1}, "gone": {}, "other": {"a": 1}}}"#);
        let newer = payload(r#"{"features":{"new": {}, "other": {"a": 2}, "same": {"a": 1}}}"#);
        let change = newer.changes_since(&older);
        assert_eq!(change.features, ["new", "other", "gone"]);
        assert!(!change.other_sections);
        assert!(newer.changes_since(&newer).is_empty());
    }

    #[test]
    fn other_sections_are_told_apart_from_features() {
        let older = payload(r#"{"features": {}, "savedGroups": {"g": [1]}}"#);
        for newer in [r#"{"features": {}, "savedGroups": {"g": [2]}}"#, r#"{"features": {}}"#] {
            let change = payload(newer).changes_since(&older);
            assert_eq!((change.features, change.other_sections), (vec![], true));
        }
    }

    #[test]
    fn a_section_that_cannot_be_read_is_taken_from_the_older_payload() {
        let older = payload(r#"{"features": {}, "savedGroups": {"g": [1]}, "experiments": []}"#);
        let newer = r#"{"features": {"a": {}}, "encryptedSavedGroups": "YQ==.YQ=="}"#;
        let newer = payload(newer).with_unreadable_sections_of(&older);
        assert!(
            matches!(&newer.saved_groups, Section::Present(text) if **text == *r#"{"g": [1]}"#)
        );
        assert!(matches!(newer.experiments, Section::Absent));
    }

    #[test]
    fn what_is_taken_from_the_older_payload_is_written_once() {
        let older = payload(concat!(
            r#"{"features": {}, "savedGroups": {"g": [1]}, "experiments": [],"#,
            r#" "contextualBandits": {}}"#
        ));
        let newer = payload(concat!(
            r#"{"savedGroups": {}, "encryptedSavedGroups": "YQ==.YQ==","#,
            r#" "encryptedExperiments": "YQ==.YQ==", "encryptedContextualBandits": "YQ==.YQ==","#,
            r#" "features": {"a": {"rules": [{"condition": {"x": {"$inGroup": "g"}}}]}}}"#
        ));
        let newer = newer.with_unreadable_sections_of(&older);
        assert_eq!(
            newer.to_json_string(),
            concat!(
                r#"{"savedGroups":{"g": [1]},"experiments":[],"contextualBandits":{},"#,
                r#""features":{"a": {"rules": [{"condition": {"x": {"$inGroup": "g"}}}]}}}"#
            )
        );
        let reduced = reduce_payload(&newer, &ReduceOptions::new()).to_json_string();
        assert!(!reduced.contains("encrypted"), "{reduced}");
        assert_eq!(reduced.matches(r#""savedGroups":{"g":[1]}"#).count(), 1, "{reduced}");
        // Nothing to replace it by.
        let alone = payload(r#"{"features": {}, "encryptedSavedGroups": "YQ==.YQ=="}"#);
        let alone = alone.with_unreadable_sections_of(&Payload::empty()).to_json_string();
        assert_eq!(alone, r#"{"features":{},"encryptedSavedGroups":"YQ==.YQ=="}"#);
    }
}
