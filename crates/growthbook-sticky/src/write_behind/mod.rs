//! Saves that leave after the evaluation.

mod options;
mod queue;
mod saver;

use std::{
    error::Error,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};

pub use options::{
    DEFAULT_WRITE_BEHIND_CAPACITY, DEFAULT_WRITE_BEHIND_DROP_DEADLINE,
    DEFAULT_WRITE_BEHIND_RETRY_FOR, WriteBehindOptions, WriteProblem,
};
use saver::Saver;

/// Puts a queue before another store: [`save`](StickyBucketStore::save) returns at once, and one
/// thread, started with the first save, hands the documents on.
///
/// - A document waits once: what is saved under its key meanwhile is merged into it. Documents are
///   written one after the other, in the order in which they were queued.
/// - The queue is bounded. Where it is full, the oldest document gives way and is reported; a save
///   never waits.
/// - A document that cannot be written goes to the end of the queue and is tried again, after a
///   pause that grows from 100 ms to 5 s, until
///   [`retry_for`](WriteBehindOptions::retry_for) has passed.
/// - Reads see what waits: an assignment is never lost between the queue and the store. Where the
///   store cannot be read but all that is asked for waits, that is the answer.
/// - Problems are counted, and told to [`on_problem`](WriteBehindOptions::on_problem). The log
///   (target `growthbook`) has the first failure of several, and the recovery.
/// - The panic of a store or a callback is contained: it is a failure to save, or nothing.
/// - In the child of a `fork()` the queue begins empty, with a thread of its own; what waited
///   is written by the parent.
///
/// Clones share the queue. Dropping the last one writes what waits, for
/// [`drop_deadline`](WriteBehindOptions::drop_deadline) at most. Better call
/// [`close`](WriteBehind::close), which says whether everything was written.
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
    /// Puts a queue before this store, with every option at its default. Starts no thread yet.
    pub fn new(store: S) -> Self {
        WriteBehind::with_options(store, WriteBehindOptions::new())
    }

    /// Puts a queue before this store. Starts no thread yet.
    pub fn with_options(store: S, options: WriteBehindOptions) -> Self {
        let drop_deadline = options.drop_deadline;
        let saver = Saver::new(store, options);
        WriteBehind { owner: Arc::new(Owner { saver, drop_deadline }) }
    }

    /// The store behind the queue.
    pub fn store(&self) -> &S {
        self.owner.saver.store()
    }

    /// Waits until everything was written that waits now, or until this much time has passed.
    /// Meanwhile what failed is tried again every 100 ms. A callback that flushes does not wait.
    ///
    /// # Errors
    ///
    /// When documents still wait; they are tried on.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimedOut> {
        self.owner.saver.flush(end(deadline))
    }

    /// Waits as [`flush`](WriteBehind::flush) does and ends the thread. Later saves go straight to
    /// the store, in the thread of the caller. Closing twice does no harm.
    ///
    /// # Errors
    ///
    /// When documents still waited: they are given up and reported.
    pub fn close(&self, deadline: Duration) -> Result<(), FlushTimedOut> {
        self.owner.saver.close(end(deadline))
    }

    /// What became of the documents so far.
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
    /// When no thread can be started; once closed, when the store fails.
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

/// What became of the documents given to a [`WriteBehind`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteBehindCounters {
    /// Documents the store has taken.
    pub saved: u64,
    /// Saves that were merged into a document that waited.
    pub merged: u64,
    /// Attempts to write that failed, each retry by itself.
    pub failed: u64,
    /// Documents that were given up: for a full queue, after failing for too long, or when
    /// closing.
    pub lost: u64,
    /// Documents that wait now, or are being written.
    pub queued: u64,
}

/// Documents still wait after the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushTimedOut {
    /// How many.
    pub queued: u64,
}

impl fmt::Display for FlushTimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} sticky bucket documents were not written in time", self.queued)
    }
}

impl Error for FlushTimedOut {}

/// What the clones share; the thread does not, so that it ends with the last of them.
struct Owner<S: StickyBucketStore + 'static> {
    saver: Saver<S>,
    drop_deadline: Duration,
}

impl<S: StickyBucketStore + 'static> Drop for Owner<S> {
    fn drop(&mut self) {
        // What was lost has been reported.
        let _ = self.saver.close(end(self.drop_deadline));
    }
}

/// The end of a deadline that starts now; none when it is too far away to be told.
fn end(deadline: Duration) -> Option<Instant> {
    Instant::now().checked_add(deadline)
}
