//! The port to a store of sticky bucket documents.

use alloc::boxed::Box;
use core::fmt;

use super::{StickyBucketDocument, StickyBucketKey, StickyBuckets};

/// Stores sticky bucket documents.
///
/// The contract:
/// - Both methods may block. The client calls them before and after an evaluation, never during
///   one, and holds no lock then.
/// - Both may fail or panic. The client does not retry. It logs the first failure and the first
///   success after it.
/// - If loading fails, the user is assigned by hash again. Nothing is saved for the user in that
///   scope, since that could replace documents that were not read. If saving fails, the document is
///   lost.
/// - The store need not cache: documents are loaded once for each user scope.
/// - Several threads may call it at the same time. If two save a document of the same key, the last
///   one wins, unless the store merges them.
pub trait StickyBucketStore: Send + Sync {
    /// Loads the documents of these keys. A document that is missing or corrupt is left out.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError>;

    /// Saves a whole document. It replaces the one with the same key.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be written.
    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError>;
}

/// Stores nothing: assignments are kept as long as their user scope.
impl StickyBucketStore for () {
    fn get_all(&self, _keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        Ok(StickyBuckets::new())
    }

    fn save(&self, _document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        Ok(())
    }
}

/// A store failed. `Display` has the text of the store's own error, and `source` returns it.
pub struct StickyBucketStoreError(Box<dyn core::error::Error + Send + Sync>);

impl StickyBucketStoreError {
    /// Wraps a store's own error. It must not print attribute values or passwords.
    pub fn new(error: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        StickyBucketStoreError(error.into())
    }
}

impl fmt::Debug for StickyBucketStoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("StickyBucketStoreError").field(&self.0).finish()
    }
}

impl fmt::Display for StickyBucketStoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the sticky bucket store failed: {}", self.0)
    }
}

impl core::error::Error for StickyBucketStoreError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&*self.0)
    }
}
