//! The problems that a queue reports.

use std::{error::Error, fmt};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketStoreError};

/// A problem with a queued document.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteProblem<'a> {
    /// The document could not be written. The thread will try again.
    Failed {
        /// The document.
        document: &'a StickyBucketDocument,
        /// The error of the store.
        error: &'a StickyBucketStoreError,
    },
    /// Writing failed for too long. The document is lost.
    GaveUp {
        /// The document.
        document: &'a StickyBucketDocument,
        /// The last error of the store.
        error: &'a StickyBucketStoreError,
    },
    /// The queue was full and this was its oldest document. It is lost.
    QueueFull {
        /// The document.
        document: &'a StickyBucketDocument,
    },
    /// The document was still queued at the deadline of closing. It is lost. If the thread was just
    /// writing it, the store may still save it.
    Closed {
        /// The document.
        document: &'a StickyBucketDocument,
    },
}

/// Documents were still queued at the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushTimedOut {
    /// The number of these documents.
    pub queued: u64,
}

impl fmt::Display for FlushTimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} sticky bucket documents were not written before the deadline: allow more time, or \
             check the store",
            self.queued,
        )
    }
}

impl Error for FlushTimedOut {}
