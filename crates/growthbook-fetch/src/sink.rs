//! Who uses the payloads: the boundary between refreshing and evaluation.

use growthbook_core::{PayloadChange, PayloadError, PayloadSource};

/// Takes payloads into use.
///
/// The contract:
/// - Calls come from several threads, one at a time. They may take as long as reading a payload
///   takes; the next refresh waits.
/// - A payload that is older than the one in use ([`is_older`](crate::is_older)) is not used.
/// - After an error the payload in use stays, and the same document may be offered again.
pub trait PayloadSink: Send + Sync {
    /// Offers a document: to be read, decrypted and used.
    ///
    /// # Errors
    ///
    /// When it is no payload.
    fn offer(&self, document: &str, source: PayloadSource) -> Result<Verdict, PayloadError>;

    /// A payload offered before was taken into use: time to tell whoever wants to know. Called
    /// under no lock; may call back.
    fn changed(&self, change: PayloadChange) {
        let _ = change;
    }
}

/// What became of a payload.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// It is in use now.
    Used(PayloadChange),
    /// It is older than the one in use, which stays.
    Older,
}
