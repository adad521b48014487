//! Text that is decoded from bytes, in pieces.

use std::mem;
use std::str;

/// The memory that a text keeps when it is cleared.
pub(super) const KEPT_BYTES: usize = 64 * 1024;

/// Text decoded from UTF-8 piece by piece, up to a length.
///
/// Invalid UTF-8 is replaced as in the WHATWG Encoding standard: each longest beginning of a
/// character becomes one U+FFFD, and so does every other byte.
pub(super) struct Text {
    decoded: String,
    /// The beginning of a character whose other bytes have not arrived.
    begun: Vec<u8>,
    max_bytes: usize,
}

/// The text is longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

impl Text {
    pub(super) fn new(max_bytes: usize) -> Self {
        Text { decoded: String::new(), begun: Vec::new(), max_bytes }
    }

    pub(super) fn set_max_bytes(&mut self, max_bytes: usize) {
        self.max_bytes = max_bytes;
    }

    /// Returns the text so far, without a character that is not complete.
    pub(super) fn as_str(&self) -> &str {
        &self.decoded
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let mut rest = self.complete_character(bytes)?;
        loop {
            let error = match str::from_utf8(rest) {
                Ok(text) => return self.append(text),
                Err(error) => error,
            };
            let (valid, invalid) = rest.split_at(error.valid_up_to());
            self.append(str::from_utf8(valid).unwrap_or_default())?;
            let Some(length) = error.error_len() else {
                self.begun.extend_from_slice(invalid);
                return Ok(());
            };
            self.append(REPLACEMENT)?;
            rest = invalid.get(length..).unwrap_or_default();
        }
    }

    /// Ends the text: a character that is not complete becomes U+FFFD.
    pub(super) fn end(&mut self) -> Result<(), TooLong> {
        if self.begun.is_empty() {
            return Ok(());
        }
        self.begun.clear();
        self.append(REPLACEMENT)
    }

    /// Makes the text empty, and frees the memory of a large one.
    pub(super) fn clear(&mut self) {
        self.decoded.clear();
        self.decoded.shrink_to(KEPT_BYTES);
        self.begun.clear();
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.decoded.capacity() + self.begun.capacity()
    }
}

const REPLACEMENT: &str = "\u{fffd}";

impl Text {
    /// Completes the character that was begun, or replaces it. Returns the other bytes.
    fn complete_character<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], TooLong> {
        let mut rest = bytes;
        while !self.begun.is_empty()
            && let Some((byte, after)) = rest.split_first()
        {
            self.begun.push(*byte);
            match str::from_utf8(&self.begun).map_err(|error| error.error_len()) {
                Err(None) => rest = after,
                Ok(_) => {
                    // Taken out and put back, so that the next character uses the same memory.
                    let mut character = mem::take(&mut self.begun);
                    self.append(str::from_utf8(&character).unwrap_or_default())?;
                    character.clear();
                    self.begun = character;
                    rest = after;
                }
                // This byte does not belong to the character. It is decoded by itself.
                Err(Some(_)) => self.end()?,
            }
        }
        Ok(rest)
    }

    fn append(&mut self, text: &str) -> Result<(), TooLong> {
        let length = self.decoded.len().saturating_add(text.len());
        if length > self.max_bytes {
            return Err(TooLong);
        }
        let capacity = self.decoded.capacity();
        if length > capacity {
            // Doubled, so that a long text is seldom copied, but never beyond the limit.
            let capacity = capacity.saturating_mul(2).max(length).min(self.max_bytes);
            self.decoded.reserve_exact(capacity - self.decoded.len());
        }
        self.decoded.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn decode(pieces: &[&[u8]]) -> String {
        let mut text = Text::new(usize::MAX);
        for piece in pieces {
            text.push(piece).unwrap();
        }
        text.end().unwrap();
        text.as_str().to_owned()
    }

    #[test]
    fn text_ends_at_its_limit() {
        let mut text = Text::new(4);
        assert_eq!(text.push("aé".as_bytes()), Ok(()));
        assert_eq!(text.push(b"b"), Ok(()));
        assert_eq!((text.push(b"b"), text.as_str()), (Err(TooLong), "aéb"));

        // A character counts when it is complete.
        text.clear();
        assert_eq!((text.push(b"ab\xe2\x82"), text.as_str()), (Ok(()), "ab"));
        assert_eq!(text.end(), Err(TooLong));
    }

    proptest! {
        #[test]
        fn decodes_like_the_standard_library(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), select(&b"\xf0\x9f\x80\xe2a"[..])],
                0..24,
            ),
        ) {
            let expected = String::from_utf8_lossy(&bytes);
            prop_assert_eq!(decode(&[&bytes]), &*expected);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(decode(&single), &*expected);
            for split in 0..bytes.len() {
                let (head, tail) = bytes.split_at(split);
                prop_assert_eq!(decode(&[head, tail]), &*expected);
            }
        }
    }
}
