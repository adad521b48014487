//! The boundary between refreshing and evaluation.

use std::sync::Arc;

use growthbook_core::{PayloadChange, PayloadError, PayloadSource};

use crate::error::FetchError;

/// Takes payloads into use. [`LivePayload`](crate::LivePayload) is a ready one.
///
/// The contract:
/// - Calls come from several threads, one at a time. They may take as long as reading a payload
///   takes; the next refresh waits.
/// - A payload that is older than the one in use ([`is_older`](crate::is_older)) is not used, unless
///   the one in use is dated in the future.
/// - After an error the payload in use stays, and the same document may be offered again.
pub trait PayloadSink: Send + Sync {
    /// Reads a document, decrypts it if necessary, and takes it into use.
    ///
    /// # Errors
    ///
    /// When the document is not a payload.
    fn offer(&self, document: &str, source: PayloadSource) -> Result<Offered, PayloadError>;

    /// Takes a document into use even if it is older: the server keeps sending it. Default:
    /// [`offer`](Self::offer), which may refuse it.
    ///
    /// # Errors
    ///
    /// When the document is not a payload.
    fn offer_older(&self, document: &str, source: PayloadSource) -> Result<Offered, PayloadError> {
        self.offer(document, source)
    }

    /// Whether the payload in use is dated in the future. Default: no.
    fn is_from_future(&self) -> bool {
        false
    }

    /// Notifies the application that a payload offered before has changed features. Called under
    /// no lock, so that it may call back.
    fn changed(&self, change: PayloadChange) {
        let _ = change;
    }

    /// Notifies the application that a refresh has failed: a fetch, or a streamed payload that
    /// cannot be used. Called under no lock, so that it may call back.
    fn refresh_failed(&self, error: &FetchError) {
        let _ = error;
    }
}

/// What a sink did with an offered payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Offered {
    /// The payload is in use now.
    Applied {
        /// What [`PayloadSink::changed`] is called with.
        change: PayloadChange,
    },
    /// The payload is older than the one in use, which stays.
    Older,
}

impl<S: PayloadSink + ?Sized> PayloadSink for Arc<S> {
    fn offer(&self, document: &str, source: PayloadSource) -> Result<Offered, PayloadError> {
        S::offer(self, document, source)
    }

    fn offer_older(&self, document: &str, source: PayloadSource) -> Result<Offered, PayloadError> {
        S::offer_older(self, document, source)
    }

    fn is_from_future(&self) -> bool {
        S::is_from_future(self)
    }

    fn changed(&self, change: PayloadChange) {
        S::changed(self, change);
    }

    fn refresh_failed(&self, error: &FetchError) {
        S::refresh_failed(self, error);
    }
}
