//! Where sticky bucket documents are kept: the boundary between evaluation and storage.

use alloc::boxed::Box;
use core::fmt;

use super::{StickyBucketDocument, StickyBucketKey, StickyBuckets};

/// Keeps sticky bucket documents.
///
/// The contract:
/// - Both methods may block; the caller calls them before and after an evaluation, never within
///   one, and under no lock.
/// - Both may fail. Nobody retries; the log has a line when that begins and one when it ends. A user whose documents cannot be
///   loaded is assigned anew by their hash, and nothing is saved for them in that scope, lest it
///   replace what could not be read. A document that cannot be saved is lost.
/// - The store need not cache: documents are loaded once for each user scope.
/// - It may be called from several threads at once. Of two documents of one key saved at the
///   same time the last wins, unless the store merges them.
pub trait StickyBucketStore: Send + Sync {
    /// Loads the documents of these keys. A document that is missing or corrupt is left out.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError>;

    /// Saves a whole document in place of the one of its key.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError>;
}

/// Keeps nothing: assignments stick within a user scope and are forgotten with it.
impl StickyBucketStore for () {
    fn get_all(&self, _keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        Ok(StickyBuckets::new())
    }

    fn save(&self, _document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        Ok(())
    }
}

/// Why a store failed. Keeps the store's own error as its source.
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
        formatter.write_str("the sticky bucket store failed")
    }
}

impl core::error::Error for StickyBucketStoreError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&*self.0)
    }
}
