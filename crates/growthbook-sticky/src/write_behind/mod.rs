//! A queue for saves, so that no request waits for a store. Read `queue`, then `saver`.

mod counters;
mod options;
mod problem;
mod queue;
mod saver;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};

use growthbook_support::now;

pub use counters::WriteBehindCounters;
pub use options::{
    DEFAULT_WRITE_BEHIND_CAPACITY, DEFAULT_WRITE_BEHIND_DROP_DEADLINE,
    DEFAULT_WRITE_BEHIND_RETRY_FOR, WriteBehindOptions,
};
pub use problem::{FlushTimedOut, WriteProblem};
use saver::Saver;

/// A queue in front of another store. [`save`](StickyBucketStore::save) returns at once. One thread,
/// which starts with the first save, writes the documents to the store.
///
/// - The queue holds each document once: a save merges into the queued document of the same key.
///   The thread writes one document after another, in the order in which they were queued.
/// - The queue is bounded. If it is full, a new document replaces the oldest one, and the loss is
///   reported. A save never waits.
/// - A document that cannot be written goes to the end of the queue. The thread tries again after a
///   pause of 100 ms at first, and up to 5 s after repeated failures. It gives a document up after
///   [`retry_for`](WriteBehindOptions::retry_for).
/// - Reads include the queued documents. If the store cannot be read but all requested documents are
///   queued, the queued ones are returned.
/// - Problems are counted and reported to [`on_problem`](WriteBehindOptions::on_problem). The log
///   (target `growthbook`) has the first failure of a series, and the recovery.
/// - A panic of the store counts as a failure. A panic of the callback is ignored.
/// - On a target without threads, such as `wasm32-unknown-unknown`, a save writes to the store at once.
/// - The child of a `fork()` starts with an empty queue and its own thread. The parent writes the
///   documents that were queued before.
///
/// Clones share the queue. Dropping the last clone writes the queued documents, for at most
/// [`drop_deadline`](WriteBehindOptions::drop_deadline). Prefer [`close`](WriteBehind::close): it
/// returns whether all documents were written.
///
/// ```
/// use std::time::Duration;
/// use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBucketStore};
/// use growthbook_sticky::WriteBehind;
///
/// let store = WriteBehind::new(()); // any store
/// let key = StickyBucketKey { attribute_name: "id".into(), attribute_value: "u1".into() };
/// store.save(&StickyBucketDocument::new(key))?;
/// store.close(Duration::from_secs(1))?;
/// assert_eq!(store.counters().saved, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WriteBehind<S: StickyBucketStore + 'static> {
    owner: Arc<Owner<S>>,
}

impl<S: StickyBucketStore + 'static> WriteBehind<S> {
    /// Creates a queue for this store with the default options. It does not start the thread yet.
    pub fn new(store: S) -> Self {
        WriteBehind::with_options(store, WriteBehindOptions::new())
    }

    /// Creates a queue for this store. It does not start the thread yet.
    pub fn with_options(store: S, options: WriteBehindOptions) -> Self {
        let drop_deadline = options.drop_deadline;
        let saver = Saver::new(store, options);
        WriteBehind { owner: Arc::new(Owner { saver, drop_deadline }) }
    }

    /// Returns the store that the queue writes to.
    pub fn store(&self) -> &S {
        self.owner.saver.store()
    }

    /// Waits until all documents that are queued now are written, at most until the deadline. During
    /// a flush, failed writes are repeated every 100 ms. In a callback it returns without waiting.
    ///
    /// # Errors
    ///
    /// When documents are still queued. The thread continues to write them.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimedOut> {
        self.owner.saver.flush(end(deadline))
    }

    /// Waits like [`flush`](WriteBehind::flush), and ends the thread. Later saves write directly to the
    /// store, in the thread of the caller. Closing twice has no further effect.
    ///
    /// # Errors
    ///
    /// When documents are still queued. They are given up and reported.
    pub fn close(&self, deadline: Duration) -> Result<(), FlushTimedOut> {
        self.owner.saver.close(end(deadline))
    }

    /// Returns the number of saved, merged, failed, lost and queued documents.
    pub fn counters(&self) -> WriteBehindCounters {
        self.owner.saver.counters()
    }
}

impl<S: StickyBucketStore + 'static> StickyBucketStore for WriteBehind<S> {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        self.owner.saver.get_all(keys)
    }

    /// # Errors
    ///
    /// When the thread cannot be started. After closing: when the store fails.
    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.owner.saver.save(document)
    }
}

impl<S: StickyBucketStore + 'static> Clone for WriteBehind<S> {
    fn clone(&self) -> Self {
        WriteBehind { owner: self.owner.clone() }
    }
}

impl<S: StickyBucketStore + 'static> fmt::Debug for WriteBehind<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WriteBehind")
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}

/// The data that the clones share. The thread does not own it, so the last clone can end the thread.
struct Owner<S: StickyBucketStore + 'static> {
    saver: Saver<S>,
    drop_deadline: Duration,
}

impl<S: StickyBucketStore + 'static> Drop for Owner<S> {
    fn drop(&mut self) {
        // `close` has reported the documents that are lost.
        let _ = self.saver.close(end(self.drop_deadline));
    }
}

/// Returns the end of a deadline that starts now. `None` means no end: an `Instant` cannot hold it, or
/// the target has no clock.
fn end(deadline: Duration) -> Option<Instant> {
    now()?.checked_add(deadline)
}
