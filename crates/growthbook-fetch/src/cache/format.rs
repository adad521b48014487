//! The format of a cache file: a header of a fixed size, the server's tag, and the document as the
//! server sent it.
//!
//! | at | bytes | what, integers in little-endian |
//! |---|---|---|
//! | 0 | 16 | `growthbook cache` |
//! | 16 | 4 | the version of this format |
//! | 20 | 4 | flags: 1 if there is a tag, 2 if the server offers to stream changes |
//! | 24 | 8 | the length of the tag in bytes |
//! | 32 | 16 | the time: milliseconds since the Unix epoch, and the same inverted |
//! | 48 | 32 | the SHA-256 of version, flags, length, the key's hash, tag and document |
//! | 80 | | the tag, and the document to the end of the file |
//!
//! Only the time is rewritten in place, when the server confirms the payload. It has a check of its
//! own: a time that is read half written counts as long ago. It is in the file's content for two
//! reasons. A process that may write a file may not be allowed to set its modification time, and
//! copying a file changes that time.

use std::fmt;

use growthbook_core::cache::{CachedPayload, PayloadKey, UnixMillis};
use sha2::{Digest, Sha256};

/// The largest file that is written or read. A larger payload is a mistake.
pub(super) const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;

/// The position of [`encode_time`] in the file.
pub(super) const TIME_OFFSET: u64 = 32;

/// The first bytes of each file that this version reads. Other files are not rewritten in place.
pub(super) const PREAMBLE: [u8; 20] = {
    let mut preamble = *b"growthbook cache\0\0\0\0";
    let (_, version) = preamble.split_at_mut(16);
    version.copy_from_slice(&VERSION.to_le_bytes());
    preamble
};

/// The hash that a file is named after. It does not reveal the host or the client key.
#[derive(Clone, Copy)]
pub(super) struct KeyHash([u8; 32]);

impl KeyHash {
    pub(super) fn new(key: &PayloadKey) -> Self {
        // The length separates the host from the client key.
        let length = key.api_host().len() as u64;
        let hash = Sha256::new()
            .chain_update(length.to_le_bytes())
            .chain_update(key.api_host())
            .chain_update(key.client_key());
        KeyHash(hash.finalize().into())
    }
}

/// In lower-case hexadecimal.
impl fmt::Display for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Encodes the part of the file before the document. `None` if the file would be larger than
/// [`MAX_FILE_BYTES`].
pub(super) fn encode_head(key: &KeyHash, payload: &CachedPayload) -> Option<Vec<u8>> {
    let etag = payload.etag.as_deref().unwrap_or_default();
    if HEADER_BYTES + etag.len() + payload.document.len() > MAX_FILE_BYTES {
        return None;
    }
    let has_etag = if payload.etag.is_some() { HAS_ETAG } else { 0 };
    let streaming = if payload.streaming { STREAMING } else { 0 };
    let flags = (has_etag | streaming).to_le_bytes();
    let etag_length = (etag.len() as u64).to_le_bytes();
    let time = encode_time(payload.fetched_at);
    let body = [etag.as_bytes(), payload.document.as_bytes()];
    let checksum = checksum(key, flags, etag_length, &body);
    Some([&PREAMBLE[..], &flags, &etag_length, &time, &checksum, etag.as_bytes()].concat())
}

/// Encodes the time for [`TIME_OFFSET`].
pub(super) fn encode_time(time: UnixMillis) -> [u8; 16] {
    (u128::from(time) | u128::from(!time) << 64).to_le_bytes()
}

/// Decodes the payload in a file.
///
/// # Errors
///
/// When the file differs in any bit from the one that was written for this key.
pub(super) fn decode(key: &KeyHash, file: &[u8]) -> Result<CachedPayload, Corrupt> {
    if file.len() > MAX_FILE_BYTES {
        return Err(Corrupt::TooLarge);
    }
    let (preamble, rest) = file.split_first_chunk::<20>().ok_or(Corrupt::Truncated)?;
    if *preamble != PREAMBLE {
        let named = preamble.starts_with(NAME);
        return Err(if named { Corrupt::OtherVersion } else { Corrupt::NotAPayload });
    }
    let (flags, rest) = rest.split_first_chunk::<4>().ok_or(Corrupt::Truncated)?;
    let (etag_length, rest) = rest.split_first_chunk::<8>().ok_or(Corrupt::Truncated)?;
    let (time, rest) = rest.split_first_chunk::<16>().ok_or(Corrupt::Truncated)?;
    let (expected, body) = rest.split_first_chunk::<32>().ok_or(Corrupt::Truncated)?;
    if checksum(key, *flags, *etag_length, &[body]) != *expected {
        return Err(Corrupt::Checksum);
    }
    let flags = u32::from_le_bytes(*flags);
    let (etag, document) = usize::try_from(u64::from_le_bytes(*etag_length))
        .ok()
        .and_then(|length| body.split_at_checked(length))
        .ok_or(Corrupt::Truncated)?;
    let etag = text(etag)?;
    Ok(CachedPayload {
        document: text(document)?.into(),
        etag: (flags & HAS_ETAG != 0).then(|| etag.into()),
        streaming: flags & STREAMING != 0,
        fetched_at: decode_time(*time).unwrap_or(LONG_AGO),
    })
}

/// Why a file is ignored. The text has nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Corrupt {
    Truncated,
    TooLarge,
    NotAPayload,
    OtherVersion,
    Checksum,
    NotUtf8,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Corrupt::Truncated => "it is cut off",
            Corrupt::TooLarge => "it is too large",
            Corrupt::NotAPayload => "it is not a payload",
            Corrupt::OtherVersion => "another version wrote it",
            Corrupt::Checksum => "its checksum is wrong",
            Corrupt::NotUtf8 => "it is not in UTF-8",
        })
    }
}

const NAME: &[u8] = b"growthbook cache";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 80;
const HAS_ETAG: u32 = 1;
const STREAMING: u32 = 2;
const LONG_AGO: UnixMillis = 0;

/// Returns the checksum of a file. `body` is the tag and the document. The key is a part of it, so
/// that a file that was renamed is ignored.
fn checksum(key: &KeyHash, flags: [u8; 4], etag_length: [u8; 8], body: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new()
        .chain_update(VERSION.to_le_bytes())
        .chain_update(flags)
        .chain_update(etag_length)
        .chain_update(key.0);
    for part in body {
        hash.update(part);
    }
    hash.finalize().into()
}

fn decode_time(bytes: [u8; 16]) -> Option<UnixMillis> {
    let both = u128::from_le_bytes(bytes);
    // The casts keep the lower half.
    let (time, inverted) = (both as u64, (both >> 64) as u64);
    (time == !inverted).then_some(time)
}

fn text(bytes: &[u8]) -> Result<&str, Corrupt> {
    str::from_utf8(bytes).map_err(|_| Corrupt::NotUtf8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn format_is_stable() {
        let payload = CachedPayload {
            document: "{}".into(),
            etag: Some("W/\"1\"".into()),
            streaming: true,
            fetched_at: 0x0102_0304,
        };
        let key = KeyHash::new(&PayloadKey::new("https://cdn.growthbook.io", "sdk-key"));
        let file = encode(&key, &payload);
        assert_eq!(file[..24], *b"growthbook cache\x01\0\0\0\x03\0\0\0");
        assert_eq!(file[24..32], 5_u64.to_le_bytes());
        assert_eq!(file[32..40], 0x0102_0304_u64.to_le_bytes());
        assert_eq!(file[40..48], 0xffff_ffff_fefd_fcfb_u64.to_le_bytes());
        assert_eq!(file[80..], *b"W/\"1\"{}");
        // From Python's hashlib.
        assert_eq!(
            key.to_string(),
            "837d34c45a78e0c672d2b280933ff93a74ab92839793a0139900460dd557d88b"
        );
        let checksum: String = file[48..80].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(checksum, "dea80758d0ab737bb54b7f45d9c1b68aa07c8f1b0ff49eda94d89b5f800804e0");
    }

    #[test]
    fn host_and_key_are_separate() {
        let one = KeyHash::new(&PayloadKey::new("ab", "c"));
        let other = KeyHash::new(&PayloadKey::new("a", "bc"));
        assert_ne!(one.0, other.0);
    }

    #[test]
    fn empty_tag_differs_from_no_tag() {
        let key = KeyHash::new(&PayloadKey::new("", ""));
        for etag in [None, Some(""), Some("x")] {
            let payload = CachedPayload {
                document: "".into(),
                etag: etag.map(Into::into),
                streaming: false,
                fetched_at: 0,
            };
            assert_eq!(decode(&key, &encode(&key, &payload)), Ok(payload));
        }
    }

    #[test]
    fn half_written_time_counts_as_long_ago() {
        let old = encode_time(0x1111_1111_1111_1111);
        let new = encode_time(0x2222_2222_2222_2222);
        for written in 1..16 {
            let mut torn = old;
            torn[..written].copy_from_slice(&new[..written]);
            assert_eq!(decode_time(torn), None, "{written}");
        }
    }

    proptest! {
        #[test]
        fn payload_survives_the_round_trip(
            host: String,
            client_key: String,
            document: String,
            etag: Option<String>,
            streaming: bool,
            fetched_at: u64,
        ) {
            let key = KeyHash::new(&PayloadKey::new(host, client_key));
            let payload = CachedPayload {
                document: document.into(),
                etag: etag.map(Into::into),
                streaming,
                fetched_at,
            };
            prop_assert_eq!(decode(&key, &encode(&key, &payload)), Ok(payload));
        }

        #[test]
        fn other_bytes_are_corrupt(rest: Vec<u8>, has_preamble: bool) {
            let key = KeyHash::new(&PayloadKey::new("", ""));
            let preamble = if has_preamble { &PREAMBLE[..] } else { &[] };
            prop_assert!(decode(&key, &[preamble, &rest].concat()).is_err());
        }
    }

    fn encode(key: &KeyHash, payload: &CachedPayload) -> Vec<u8> {
        [&encode_head(key, payload).unwrap(), payload.document.as_bytes()].concat()
    }
}
