//! The reader of a payload. It finds the sections, and decrypts them if necessary.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::document::{self, Member};
use super::error::SectionError;
use super::section::{Entries, Section};
use super::{Payload, PayloadError};
use crate::json::{Key, members, property_order};
use crate::warning::{Location, Warning};
use crate::wire::{DATE_UPDATED, SectionName};

/// The members of a payload's document.
pub(super) struct Document<'a>(pub(super) Vec<(Cow<'a, str>, Part<'a>)>);

/// The value of a document's member.
pub(super) enum Part<'a> {
    Text(&'a str),
    /// The members of an object that is a section.
    Entries(Vec<(Cow<'a, str>, &'a str)>),
}

impl Payload {
    /// Reads a payload. `decrypt` decrypts the text of a section.
    pub(super) fn read(
        bytes: &[u8],
        decrypt: impl Fn(&str) -> Result<String, SectionError>,
    ) -> Result<Self, PayloadError> {
        let text = core::str::from_utf8(bytes).map_err(|_| PayloadError::NotUtf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut document = Document::read(text)?;
        // If a section is present in both forms, the encrypted form counts.
        let features = match document.decrypted(SectionName::Features, &decrypt)? {
            Some(text) => entries_of(&text),
            None => document.take_entries(SectionName::Features),
        };
        let features = match features {
            Section::Present(features) => features,
            Section::Absent => return Err(PayloadError::MissingFeatures),
            _ => return Err(PayloadError::FeaturesNotAnObject),
        };
        let mut warnings = Vec::new();
        let mut unreadable = |name: SectionName, error: SectionError| {
            let location = Location::Section(name.plain());
            warnings.push(Warning { location, kind: error.into() });
        };
        let experiments = match document.decrypted(SectionName::Experiments, &decrypt) {
            Ok(Some(text)) => Section::Present((*text).into()),
            Ok(None) => document
                .text(SectionName::Experiments.plain())
                .map_or(Section::Absent, |text| Section::Present(text.into())),
            Err(error) => {
                unreadable(SectionName::Experiments, error);
                Section::Unreadable
            }
        };
        let mut entries = |name: SectionName| match document.decrypted(name, &decrypt) {
            Ok(Some(text)) => entries_of(&text),
            Ok(None) => document.take_entries(name),
            Err(error) => {
                unreadable(name, error);
                Section::Unreadable
            }
        };
        let saved_groups = entries(SectionName::SavedGroups);
        let contextual_bandits = entries(SectionName::ContextualBandits);
        let date_updated = document.text(DATE_UPDATED);
        let date_updated = date_updated.and_then(|text| serde_json::from_str(text).ok());
        let layout: Vec<Member> = document::layout(&document, |name| match name {
            SectionName::Features => false,
            SectionName::Experiments => matches!(experiments, Section::Unreadable),
            SectionName::SavedGroups => matches!(saved_groups, Section::Unreadable),
            SectionName::ContextualBandits => matches!(contextual_bandits, Section::Unreadable),
        });
        Ok(Payload {
            features,
            experiments,
            saved_groups,
            contextual_bandits,
            layout,
            date_updated,
            warnings,
        })
    }
}

/// Finds the entries of a section in its text.
fn entries_of(text: &str) -> Section<Entries> {
    match Entries::read(text) {
        Ok(entries) => Section::Present(entries),
        Err(_) => Section::Malformed(text.into()),
    }
}

impl<'a> Document<'a> {
    /// Finds the members of a document, and the entries of its sections, in one pass. A document
    /// with an invalid key, or with a section of the wrong type, takes two passes.
    fn read(text: &'a str) -> Result<Self, PayloadError> {
        if let Ok(document) = serde_json::from_str(text) {
            return Ok(document);
        }
        let members = members(text).map_err(|error| PayloadError::of_syntax(&error))?;
        let named = members.named.into_iter();
        Ok(Document(named.map(|(name, text)| (name, Part::Text(text))).collect()))
    }

    fn part(&mut self, name: &str) -> Option<&mut Part<'a>> {
        self.0.iter_mut().find(|(member, _)| member == name).map(|(_, part)| part)
    }

    /// Returns the text of a member, unless it is missing or null. Sections with entries do not
    /// have text.
    fn text(&mut self, name: &str) -> Option<&'a str> {
        match self.part(name)? {
            Part::Text(text) => Some(*text).filter(|text| *text != "null"),
            Part::Entries(_) => None,
        }
    }

    /// Decrypts a section. `None` if it is not encrypted.
    fn decrypted(
        &mut self,
        name: SectionName,
        decrypt: impl Fn(&str) -> Result<String, SectionError>,
    ) -> Result<Option<String>, SectionError> {
        let Some(encrypted) = self.text(name.encrypted()).filter(|text| *text != r#""""#) else {
            return Ok(None);
        };
        let encrypted: String =
            serde_json::from_str(encrypted).map_err(|_| SectionError::NotText)?;
        let text = decrypt(&encrypted)?;
        let value: &RawValue = serde_json::from_str(&text).map_err(|_| SectionError::NotJson)?;
        Ok(Some(value.get().into()))
    }

    /// Takes the entries of a section that is not encrypted.
    fn take_entries(&mut self, name: SectionName) -> Section<Entries> {
        match self.part(name.plain()) {
            None => Section::Absent,
            Some(Part::Entries(entries)) => {
                Section::Present(Entries::named(core::mem::take(entries)))
            }
            Some(Part::Text("null")) => Section::Absent,
            Some(Part::Text(text)) => entries_of(text),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Document<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DocumentVisitor;
        impl<'de> Visitor<'de> for DocumentVisitor {
            type Value = Document<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a payload")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(name)) = map.next_key()? {
                    let part = if has_entries(&name) {
                        let entries: Option<SectionEntries<'de>> = map.next_value()?;
                        entries.map_or(Part::Text("null"), |entries| Part::Entries(entries.0))
                    } else {
                        Part::Text(map.next_value::<&'de RawValue>()?.get())
                    };
                    members.push((name, part));
                }
                Ok(Document(property_order(members)))
            }
        }
        deserializer.deserialize_map(DocumentVisitor)
    }
}

fn has_entries(member: &str) -> bool {
    [SectionName::Features, SectionName::SavedGroups, SectionName::ContextualBandits]
        .into_iter()
        .any(|section| member == section.plain())
}

/// The entries of a section whose keys are valid.
struct SectionEntries<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for SectionEntries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = SectionEntries<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    entries.push((key, value.get()));
                }
                Ok(SectionEntries(property_order(entries)))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}
