//! The document of a payload: its members and their order.

use alloc::{borrow::Cow, boxed::Box, string::String, sync::Arc, vec::Vec};

use super::Payload;
use super::read::{Document, Part};
use super::section::{Entries, Section, quoted};
use crate::wire::SectionName;

/// A member of the document.
#[derive(Clone)]
pub(super) enum Member {
    Section(SectionName),
    Other { name: Box<str>, text: Box<str> },
}

/// Returns the layout of a document with features only.
pub(super) fn features_only() -> Vec<Member> {
    [Member::Section(SectionName::Features)].into()
}

/// Returns the layout of a document. An unreadable section keeps its encrypted text, since another
/// reader may have the key.
pub(super) fn layout(
    document: &Document<'_>,
    is_unreadable: impl Fn(SectionName) -> bool,
) -> Vec<Member> {
    let mut layout = Vec::with_capacity(document.0.len());
    for (name, part) in &document.0 {
        match (SectionName::of_member(name), part) {
            (Some(section), _) if !is_unreadable(section) => place(&mut layout, section),
            (Some(section), _) if name == section.plain() => {}
            (_, Part::Text(text)) => {
                layout.push(Member::Other { name: name.as_ref().into(), text: (*text).into() });
            }
            (_, Part::Entries(_)) => {}
        }
    }
    layout
}

/// Adds a section at the end, unless it has a place.
fn place(layout: &mut Vec<Member>, section: SectionName) {
    let is_there = |member: &Member| matches!(member, Member::Section(name) if *name == section);
    if !layout.iter().any(is_there) {
        layout.push(Member::Section(section));
    }
}

/// Puts a section in the place of its encrypted text.
pub(super) fn replace_encrypted(layout: &mut [Member], section: SectionName) {
    for member in layout {
        if matches!(member, Member::Other { name, .. } if **name == *section.encrypted()) {
            *member = Member::Section(section);
        }
    }
}

/// The sections for a payload.
pub(crate) struct Sections {
    pub(crate) features: Entries,
    pub(crate) experiments: Section<Arc<str>>,
    pub(crate) saved_groups: Section<Entries>,
    pub(crate) contextual_bandits: Section<Entries>,
}

impl Payload {
    /// Returns the payload as a JSON document. The sections are decrypted, and every other member
    /// is unchanged. A section that could not be decrypted stays encrypted.
    pub fn to_json_string(&self) -> String {
        object_text(self.layout.iter().filter_map(|member| match member {
            Member::Section(section) => {
                Some((Cow::Owned(quoted(section.plain())), self.section_text(*section)?))
            }
            Member::Other { name, text } => {
                Some((Cow::Owned(quoted(name)), Cow::Borrowed(text.as_ref())))
            }
        }))
    }

    fn section_text(&self, section: SectionName) -> Option<Cow<'_, str>> {
        let entries = match section {
            SectionName::Features => return Some(self.features.to_text().into()),
            SectionName::Experiments => {
                return match &self.experiments {
                    Section::Present(text) => Some(Cow::Borrowed(text)),
                    _ => None,
                };
            }
            SectionName::SavedGroups => &self.saved_groups,
            SectionName::ContextualBandits => &self.contextual_bandits,
        };
        match entries {
            Section::Present(entries) => Some(entries.to_text().into()),
            Section::Malformed(text) => Some(Cow::Borrowed(text)),
            Section::Absent | Section::Unreadable => None,
        }
    }

    /// Copies the document with other sections. New sections come last.
    pub(crate) fn with_sections(&self, sections: Sections) -> Self {
        let mut payload = Payload {
            features: sections.features,
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

/// Writes an object. Its members are JSON text, and their names are in quotes.
pub(super) fn object_text<'a, T: AsRef<str>>(
    members: impl Iterator<Item = (Cow<'a, str>, T)>,
) -> String {
    let mut text = String::from("{");
    for (name, value) in members {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&name);
        text.push(':');
        text.push_str(value.as_ref());
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_is_written_as_read() {
        let document = concat!(
            r#"{"status":200,"features":{"a":{"defaultValue":1e400}},"dateUpdated":null,"#,
            r#""extra":{"b":12345678901234567890123,"a":"\ud800"},"experiments":[ ]}"#
        );
        let payload = Payload::from_json(document).unwrap();
        assert_eq!(payload.to_json_string(), document);
    }

    #[test]
    fn unreadable_section_stays_encrypted() {
        let document = r#"{"savedGroups":{},"features":{},"encryptedSavedGroups":"YQ==.YQ=="}"#;
        let payload = Payload::from_json(document).unwrap();
        assert_eq!(
            payload.to_json_string(),
            r#"{"features":{},"encryptedSavedGroups":"YQ==.YQ=="}"#
        );
    }

    #[test]
    fn payload_of_parts_is_a_document() {
        let features = serde_json::json!({"a": {"defaultValue": 1}});
        let groups = serde_json::json!({"g": [1]});
        let payload = Payload::from_parts(&features, Some(&groups)).unwrap();
        let expected = r#"{"features":{"a":{"defaultValue":1}},"savedGroups":{"g":[1]}}"#;
        assert_eq!(payload.to_json_string(), expected);
    }

    #[cfg(feature = "encryption")]
    #[test]
    fn decrypted_section_is_written_decrypted() {
        let key = crate::DecryptionKey::from_base64("Zvwv/+uhpFDznZ6SX28Yjg==").unwrap();
        let text = concat!(
            r#"{"features":{},"encryptedFeatures":"m5ylFM6ndyOJA2OPadubkw==."#,
            r#"Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj"}"#
        );
        let payload = Payload::from_encrypted_json(text, &key).unwrap();
        assert_eq!(payload.to_json_string(), r#"{"features":{"feature":{"defaultValue":true}}}"#);
    }
}
