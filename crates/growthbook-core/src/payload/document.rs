//! A payload as a document: which members it has, in which order.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::raw::RawMembers;
use super::{Payload, Section};
use crate::json::Json;

/// A top-level member.
#[derive(Clone)]
pub(super) enum Member {
    /// The text is in the payload's field for it.
    Section(SectionName),
    Other {
        name: Box<str>,
        text: Box<str>,
    },
}

/// The sections a payload reads, each a member that may be encrypted under another name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SectionName {
    Features,
    Experiments,
    SavedGroups,
    ContextualBandits,
}

impl SectionName {
    const ALL: [Self; 4] = [
        SectionName::Features,
        SectionName::Experiments,
        SectionName::SavedGroups,
        SectionName::ContextualBandits,
    ];

    pub(super) fn plain(self) -> &'static str {
        match self {
            SectionName::Features => "features",
            SectionName::Experiments => "experiments",
            SectionName::SavedGroups => "savedGroups",
            SectionName::ContextualBandits => "contextualBandits",
        }
    }

    pub(super) fn encrypted(self) -> &'static str {
        match self {
            SectionName::Features => "encryptedFeatures",
            SectionName::Experiments => "encryptedExperiments",
            SectionName::SavedGroups => "encryptedSavedGroups",
            SectionName::ContextualBandits => "encryptedContextualBandits",
        }
    }

    fn of_member(name: &str) -> Option<Self> {
        SectionName::ALL
            .into_iter()
            .find(|section| name == section.plain() || name == section.encrypted())
    }
}

/// The layout of a document that has the features alone.
pub(super) fn features_only() -> Vec<Member> {
    [Member::Section(SectionName::Features)].into()
}

/// The layout of a document. A section that cannot be read stays under its encrypted name: some
/// other reader may have the key.
pub(super) fn layout(
    document: &RawMembers<'_>,
    is_unreadable: impl Fn(SectionName) -> bool,
) -> Vec<Member> {
    let mut layout = Vec::with_capacity(document.named.len());
    for (name, text) in &document.named {
        match SectionName::of_member(name) {
            Some(section) if !is_unreadable(section) => place(&mut layout, section),
            Some(section) if name == section.plain() => {}
            _ => {
                layout.push(Member::Other { name: name.as_ref().into(), text: (*text).into() });
            }
        }
    }
    layout
}

/// Puts a section last, unless it has a place.
fn place(layout: &mut Vec<Member>, section: SectionName) {
    let is_there = |member: &Member| matches!(member, Member::Section(name) if *name == section);
    if !layout.iter().any(is_there) {
        layout.push(Member::Section(section));
    }
}

/// Puts a section in the place of its encrypted text, which nobody could read.
pub(super) fn replace_encrypted(layout: &mut [Member], section: SectionName) {
    for member in layout {
        if matches!(member, Member::Other { name, .. } if **name == *section.encrypted()) {
            *member = Member::Section(section);
        }
    }
}

/// The sections of a payload that reducing it replaces.
pub(crate) struct Sections {
    pub(crate) features: String,
    pub(crate) experiments: Section,
    pub(crate) saved_groups: Section,
    pub(crate) contextual_bandits: Section,
}

impl Payload {
    /// The payload as a JSON document: the sections in clear, also those that came encrypted, and
    /// every other member as it came. A section that could not be opened stays encrypted.
    pub fn to_json_string(&self) -> String {
        object_text(self.layout.iter().filter_map(|member| match member {
            Member::Section(section) => Some((section.plain(), self.section_text(*section)?)),
            Member::Other { name, text } => Some((name.as_ref(), text.as_ref())),
        }))
    }

    fn section_text(&self, section: SectionName) -> Option<&str> {
        let section = match section {
            SectionName::Features => return Some(&self.features),
            SectionName::Experiments => &self.experiments,
            SectionName::SavedGroups => &self.saved_groups,
            SectionName::ContextualBandits => &self.contextual_bandits,
        };
        match section {
            Section::Present(text) => Some(text),
            Section::Absent | Section::Unreadable => None,
        }
    }

    /// The same document with other sections; those it did not have come last.
    pub(crate) fn with_sections(&self, sections: Sections) -> Self {
        let mut payload = Payload {
            features: sections.features.into(),
            experiments: sections.experiments,
            saved_groups: sections.saved_groups,
            contextual_bandits: sections.contextual_bandits,
            ..self.clone()
        };
        for section in SectionName::ALL {
            if payload.section_text(section).is_some() {
                place(&mut payload.layout, section);
            }
        }
        payload
    }
}

/// An object of members that are JSON text already.
pub(crate) fn object_text<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::from("{");
    for (name, value) in members {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&Json::String(name.into()).to_text());
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_written_as_it_came() {
        let document = concat!(
            r#"{"status":200,"features":{"a":{"defaultValue":1e400}},"dateUpdated":null,"#,
            r#""extra":{"b":12345678901234567890123,"a":"\ud800"},"experiments":[ ]}"#
        );
        let payload = Payload::from_json(document).unwrap();
        assert_eq!(payload.to_json_string(), document);
    }

    #[test]
    fn a_section_that_cannot_be_opened_stays_encrypted() {
        let document = r#"{"savedGroups":{},"features":{},"encryptedSavedGroups":"YQ==.YQ=="}"#;
        let payload = Payload::from_json(document).unwrap();
        assert_eq!(
            payload.to_json_string(),
            r#"{"features":{},"encryptedSavedGroups":"YQ==.YQ=="}"#
        );
    }

    #[test]
    fn composed_payloads_are_documents_too() {
        let features = serde_json::json!({"a": {"defaultValue": 1}});
        let groups = serde_json::json!({"g": [1]});
        let payload = Payload::from_parts(&features, Some(&groups)).unwrap();
        let expected = r#"{"features":{"a":{"defaultValue":1}},"savedGroups":{"g":[1]}}"#;
        assert_eq!(payload.to_json_string(), expected);
    }

    #[cfg(feature = "encryption")]
    #[test]
    fn an_opened_section_is_written_in_clear() {
        let key = crate::DecryptionKey::from_base64("Zvwv/+uhpFDznZ6SX28Yjg==").unwrap();
        let text = concat!(
            r#"{"features":{},"encryptedFeatures":"m5ylFM6ndyOJA2OPadubkw==."#,
            r#"Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj"}"#
        );
        let payload = Payload::from_encrypted_json(text, &key).unwrap();
        assert_eq!(payload.to_json_string(), r#"{"features":{"feature":{"defaultValue":true}}}"#);
    }
}
