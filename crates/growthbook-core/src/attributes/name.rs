//! The name of an attribute in a set.

use smol_str::SmolStr;

use crate::tag::{Name, Tag};

/// The name of an attribute. A short one takes no other memory than its tag.
#[derive(Clone)]
pub(super) struct OwnName {
    /// The bytes of the tag, from which the text of a short name is borrowed.
    tag: [u8; 8],
    /// The text of a name that does not fit in its tag; empty for a short one.
    long: SmolStr,
}

impl OwnName {
    #[inline]
    pub(super) fn new(name: Name<'_>) -> Self {
        let long = if name.tag.is_whole_text() { SmolStr::default() } else { name.text.into() };
        OwnName { tag: name.tag.to_bytes(), long }
    }

    #[inline]
    pub(super) fn tag(&self) -> Tag {
        Tag::from_bytes(self.tag)
    }

    /// Whether this is the same name. Most names differ in their tags.
    #[inline]
    pub(super) fn is(&self, name: Name<'_>) -> bool {
        self.tag() == name.tag && (name.tag.is_whole_text() || self.long == name.text)
    }

    pub(super) fn as_str(&self) -> &str {
        let length = self.tag().capped_length();
        match self.tag.get(..length) {
            Some(text) if self.tag().is_whole_text() => {
                core::str::from_utf8(text).unwrap_or_default()
            }
            _ => &self.long,
        }
    }

    pub(super) fn into_text(self) -> SmolStr {
        if self.long.is_empty() { self.as_str().into() } else { self.long }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn names_of_all_lengths_keep_their_text() {
        let text = format!("ä{}", "1234567890".repeat(30));
        for length in (0..text.len()).filter(|length| text.is_char_boundary(*length)) {
            let name = Name::new(&text[..length]);
            let own = OwnName::new(name);
            assert!(own.is(name) && !own.is(Name::new(&text)), "{length}");
            assert_eq!((own.as_str(), &*own.clone().into_text()), (name.text, name.text));
        }
    }
}
