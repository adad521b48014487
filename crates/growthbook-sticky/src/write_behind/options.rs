//! What can be set.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketStoreError};

/// How many documents wait at most, by default: a few megabytes.
pub const DEFAULT_WRITE_BEHIND_CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// For how long a document that cannot be written is tried again, by default.
pub const DEFAULT_WRITE_BEHIND_RETRY_FOR: Duration = Duration::from_secs(60);

/// How long dropping the last clone may take, by default.
pub const DEFAULT_WRITE_BEHIND_DROP_DEADLINE: Duration = Duration::from_secs(1);

/// How a [`WriteBehind`](crate::WriteBehind) queues.
#[derive(Clone)]
pub struct WriteBehindOptions {
    pub(super) capacity: NonZeroUsize,
    pub(super) retry_for: Duration,
    pub(super) drop_deadline: Duration,
    pub(super) on_problem: Option<OnProblem>,
}

pub(super) type OnProblem = Arc<dyn Fn(WriteProblem<'_>) + Send + Sync>;

impl WriteBehindOptions {
    /// Every option at its default.
    pub fn new() -> Self {
        WriteBehindOptions {
            capacity: DEFAULT_WRITE_BEHIND_CAPACITY,
            retry_for: DEFAULT_WRITE_BEHIND_RETRY_FOR,
            drop_deadline: DEFAULT_WRITE_BEHIND_DROP_DEADLINE,
            on_problem: None,
        }
    }

    /// How many documents wait at most. Default: [`DEFAULT_WRITE_BEHIND_CAPACITY`].
    #[must_use]
    pub fn capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// For how long a document that cannot be written is tried again. With zero it is given up
    /// after the first attempt. Default: [`DEFAULT_WRITE_BEHIND_RETRY_FOR`].
    #[must_use]
    pub fn retry_for(mut self, retry_for: Duration) -> Self {
        self.retry_for = retry_for;
        self
    }

    /// How long dropping the last clone may take. Default:
    /// [`DEFAULT_WRITE_BEHIND_DROP_DEADLINE`].
    #[must_use]
    pub fn drop_deadline(mut self, deadline: Duration) -> Self {
        self.drop_deadline = deadline;
        self
    }

    /// Is told what goes wrong: by the thread that writes, or where a queue is full, by the one
    /// that saves. It may use the store. Default: nobody is told; everything is counted.
    #[must_use]
    pub fn on_problem(
        mut self,
        on_problem: impl Fn(WriteProblem<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.on_problem = Some(Arc::new(on_problem));
        self
    }
}

/// As [`WriteBehindOptions::new`].
impl Default for WriteBehindOptions {
    fn default() -> Self {
        WriteBehindOptions::new()
    }
}

impl fmt::Debug for WriteBehindOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WriteBehindOptions")
            .field("capacity", &self.capacity)
            .field("retry_for", &self.retry_for)
            .field("drop_deadline", &self.drop_deadline)
            .finish_non_exhaustive()
    }
}

/// What went wrong with a queued document.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteProblem<'a> {
    /// It could not be written, and will be tried again.
    Failed {
        /// The document.
        document: &'a StickyBucketDocument,
        /// The store's words.
        error: &'a StickyBucketStoreError,
    },
    /// It could not be written for too long, and is lost.
    GaveUp {
        /// The document.
        document: &'a StickyBucketDocument,
        /// The store's last words.
        error: &'a StickyBucketStoreError,
    },
    /// It was the oldest of a full queue, and is lost.
    QueueFull {
        /// The document.
        document: &'a StickyBucketDocument,
    },
    /// It still waited when the deadline of closing passed, and is lost. One that was being
    /// written just then may have been written all the same.
    Closed {
        /// The document.
        document: &'a StickyBucketDocument,
    },
}
