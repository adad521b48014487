//! The counters of a queue.

/// The numbers of documents that a [`WriteBehind`](crate::WriteBehind) handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteBehindCounters {
    /// Documents that the store saved.
    pub saved: u64,
    /// Saves that were merged into a queued document.
    pub merged: u64,
    /// Attempts to write that failed. Each retry counts.
    pub failed: u64,
    /// Documents that were given up: because the queue was full, because writing failed for too long,
    /// or at closing.
    pub lost: u64,
    /// Documents that are queued now, or being written.
    pub queued: u64,
}
