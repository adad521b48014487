//! One state of a live payload: replaced, never changed.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::Guard;
use growthbook_core::{Payload, PayloadSource, Snapshot};

/// A payload in use, compiled, and the program's own data with it.
pub struct InUse<T = ()> {
    pub(super) payload: Arc<Payload>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) source: Option<PayloadSource>,
    pub(super) data: T,
}

impl<T> InUse<T> {
    /// Nothing to evaluate yet.
    pub(super) fn new(data: T) -> Self {
        InUse {
            payload: Arc::new(Payload::empty()),
            snapshot: Arc::new(Snapshot::empty()),
            source: None,
            data,
        }
    }

    /// The same payload with other data.
    pub(super) fn with_data(&self, data: T) -> Self {
        InUse {
            payload: self.payload.clone(),
            snapshot: self.snapshot.clone(),
            source: self.source,
            data,
        }
    }

    /// Pins this payload together with other data.
    pub fn pin<U>(&self, data: U) -> Pinned<U> {
        let InUse { payload, snapshot, source, .. } = self;
        let (payload, snapshot, source) = (payload.clone(), snapshot.clone(), *source);
        Pinned(Guard::from_inner(Arc::new(InUse { payload, snapshot, source, data })))
    }

    /// The payload as read.
    pub fn payload(&self) -> &Arc<Payload> {
        &self.payload
    }

    /// The compiled payload.
    #[inline]
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Where the payload came from; `None` for the empty one of the beginning.
    pub fn source(&self) -> Option<PayloadSource> {
        self.source
    }

    /// The program's own data.
    #[inline]
    pub fn data(&self) -> &T {
        &self.data
    }
}

impl<T> fmt::Debug for InUse<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InUse")
            .field("snapshot", &self.snapshot)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// The payload in use when [`LivePayload::load`](crate::LivePayload::load) was called. It stays
/// the same for as long as this value lives.
///
/// Keep it for a request, not for longer: a thread has room for a few pins that count no
/// references.
pub struct Pinned<T = ()>(pub(super) Guard<Arc<InUse<T>>>);

/// A clone counts a reference, so it may be kept for longer.
impl<T> Clone for Pinned<T> {
    fn clone(&self) -> Self {
        Pinned(Guard::from_inner(Arc::clone(&self.0)))
    }
}

impl<T> Deref for Pinned<T> {
    type Target = InUse<T>;

    #[inline]
    fn deref(&self) -> &InUse<T> {
        &self.0
    }
}

impl<T> fmt::Debug for Pinned<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Pinned").field(&**self).finish()
    }
}
