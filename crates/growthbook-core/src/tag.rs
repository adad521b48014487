//! Numbers in place of short texts that are compared often: names of attributes, values of small
//! lists.

/// A text's first seven bytes and its length, capped at 255. Up to seven bytes that is the whole
/// text, so that equal tags mean equal texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag(u64);

/// A name with its tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'n> {
    pub(crate) text: &'n str,
    pub(crate) tag: Tag,
}

impl<'n> Name<'n> {
    #[inline]
    pub(crate) const fn new(text: &'n str) -> Self {
        Name { text, tag: Tag::new(text) }
    }
}

/// The greatest length that a tag can hold.
const MAX_LENGTH: usize = 255;

impl Tag {
    /// The number of bytes of a text in its tag.
    const BYTES: usize = 7;

    #[inline]
    pub(crate) const fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let word = match bytes.first_chunk() {
            Some(first) => u64::from_le_bytes(*first) & (u64::MAX >> u8::BITS),
            None => short_word(bytes),
        };
        let length = if bytes.len() < MAX_LENGTH { bytes.len() } else { MAX_LENGTH };
        Tag(word | (length as u64) << (u64::BITS - u8::BITS))
    }

    /// Returns the first seven bytes of the text, filled up with zeros, and the length.
    #[inline]
    pub(crate) const fn to_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    /// The opposite of [`to_bytes`](Tag::to_bytes).
    #[inline]
    pub(crate) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Tag(u64::from_le_bytes(bytes))
    }

    /// Calls `read` with the text. The tag must [be the whole text](Tag::is_whole_text).
    pub(crate) fn with_text<R>(self, read: impl FnOnce(&str) -> R) -> R {
        let bytes = self.0.to_le_bytes();
        let text = bytes.get(..self.capped_length().min(Self::BYTES)).unwrap_or_default();
        read(core::str::from_utf8(text).unwrap_or_default())
    }

    /// Calls `read` with the name. The tag must [be the whole text](Tag::is_whole_text).
    pub(crate) fn with_name<R>(self, read: impl FnOnce(Name<'_>) -> R) -> R {
        self.with_text(|text| read(Name { text, tag: self }))
    }

    /// Returns the text's length in bytes, or 255 if it is longer.
    #[inline]
    pub(crate) fn capped_length(self) -> usize {
        (self.0 >> (u64::BITS - u8::BITS)) as usize
    }

    /// Whether two texts with this tag are equal.
    #[inline]
    pub(crate) fn is_whole_text(self) -> bool {
        self.capped_length() <= Self::BYTES
    }
}

/// Returns up to seven bytes as a number, the first byte lowest. It reads two halves that overlap,
/// since a processor cannot load an odd number of bytes.
#[inline]
const fn short_word(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let shift = (bytes.len() - 4) * 8;
        u32::from_le_bytes(*first) as u64 | (u32::from_le_bytes(*last) as u64) << shift
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let shift = (bytes.len() - 2) * 8;
        u16::from_le_bytes(*first) as u64 | (u16::from_le_bytes(*last) as u64) << shift
    } else {
        match bytes.first() {
            Some(only) => *only as u64,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tag_holds_length_and_first_bytes() {
        let text = "abcdefghij";
        for length in 0..=text.len() {
            let mut bytes = [0; 8];
            let first = &text.as_bytes()[..length.min(7)];
            bytes[..first.len()].copy_from_slice(first);
            bytes[7] = length as u8;
            assert!(Tag::new(&text[..length]) == Tag(u64::from_le_bytes(bytes)), "{length}");
        }
    }

    proptest! {
        #[test]
        fn equal_texts_have_equal_tags(a in "[a-c\0]{0,9}", b in "[a-c\0]{0,9}") {
            let equal = Tag::new(&a) == Tag::new(&b);
            prop_assert!(equal || a != b);
            prop_assert!(!(equal && Tag::new(&a).is_whole_text()) || a == b);
        }
    }
}
