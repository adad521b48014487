//! The options of a queue.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use super::problem::WriteProblem;

/// The default of the most documents in the queue. They take a few megabytes.
pub const DEFAULT_WRITE_BEHIND_CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The default time for which a document that cannot be written is retried.
pub const DEFAULT_WRITE_BEHIND_RETRY_FOR: Duration = Duration::from_secs(60);

/// The default time that dropping the last clone may take.
pub const DEFAULT_WRITE_BEHIND_DROP_DEADLINE: Duration = Duration::from_secs(1);

/// Options for a [`WriteBehind`](crate::WriteBehind).
#[derive(Clone)]
pub struct WriteBehindOptions {
    pub(super) capacity: NonZeroUsize,
    pub(super) retry_for: Duration,
    pub(super) drop_deadline: Duration,
    pub(super) on_problem: Option<OnProblem>,
}

pub(super) type OnProblem = Arc<dyn Fn(WriteProblem<'_>) + Send + Sync>;

impl WriteBehindOptions {
    /// Creates the default options.
    pub fn new() -> Self {
        WriteBehindOptions {
            capacity: DEFAULT_WRITE_BEHIND_CAPACITY,
            retry_for: DEFAULT_WRITE_BEHIND_RETRY_FOR,
            drop_deadline: DEFAULT_WRITE_BEHIND_DROP_DEADLINE,
            on_problem: None,
        }
    }

    /// Sets the most documents in the queue. Default: [`DEFAULT_WRITE_BEHIND_CAPACITY`].
    #[must_use]
    pub fn capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Sets for how long a document that cannot be written is retried. Zero gives it up after the first
    /// attempt. Default: [`DEFAULT_WRITE_BEHIND_RETRY_FOR`].
    #[must_use]
    pub fn retry_for(mut self, retry_for: Duration) -> Self {
        self.retry_for = retry_for;
        self
    }

    /// Sets how long dropping the last clone may take. Default:
    /// [`DEFAULT_WRITE_BEHIND_DROP_DEADLINE`].
    #[must_use]
    pub fn drop_deadline(mut self, deadline: Duration) -> Self {
        self.drop_deadline = deadline;
        self
    }

    /// Sets a callback for problems. The writing thread calls it; for a full queue, the thread that
    /// saves. The callback may use the store. Default: none, problems are only counted.
    #[must_use]
    pub fn on_problem(
        mut self,
        on_problem: impl Fn(WriteProblem<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.on_problem = Some(Arc::new(on_problem));
        self
    }
}

/// The same as [`WriteBehindOptions::new`].
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
