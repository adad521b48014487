//! What a client has of its feed: a sink, a cache, and how far it has come.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use growthbook_core::{
    CacheWatch, CachedPayload, LeaseOutcome, PayloadCache, PayloadCacheError, PayloadChange,
    PayloadError, PayloadKey, PayloadSource, UnixMillis,
};

use super::document::Document;
use super::ready::{NotReady, Phase};
use crate::LOG_TARGET;
use crate::error::FetchError;
use crate::sink::{PayloadSink, Verdict};
use crate::source::Source;
use crate::status::{FetchStatus, LastError};
use crate::time::from_unix_millis;

/// What a cache says that does not know when a payload was fetched.
const NOT_KNOWN: UnixMillis = 0;

/// What a client has of its feed. Sources hand documents to it.
pub(crate) struct FeedState {
    key: PayloadKey,
    cache: Arc<dyn PayloadCache>,
    sink: Box<dyn PayloadSink>,
    /// Held while a document is offered, so that they are offered one at a time and in order.
    last: Mutex<Last>,
    /// Held while the cache is written, so that what came last is what is kept last.
    keeping: Mutex<()>,
    progress: Mutex<Progress>,
    changed: Condvar,
}

struct Progress {
    phase: Phase,
    /// Whether changes are told.
    started: bool,
    fetched_at: Option<UnixMillis>,
    /// What is wrong with this client's payloads, whatever others make of them.
    last_error: Option<LastError>,
    cache_errors: u64,
    /// The cache's last failure, unless it worked since, and what for it was asked.
    cache_error: Option<(CacheUse, Arc<PayloadCacheError>)>,
    /// This process holds the lease of the cache, as far as it knows.
    has_lease: bool,
    /// What the cache keeps, as far as this process knows.
    kept: Option<Kept>,
    wakers: Vec<Waker>,
}

/// What a cache is asked for, by how much it tells that it works: one that is full can be read all
/// the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CacheUse {
    Read,
    Lease,
    Write,
}

/// The documents that were offered last.
#[derive(Default)]
struct Last {
    /// Of the last one from the source, used or not.
    sequence: Option<u64>,
    /// The text of the last one used.
    text: Option<Arc<str>>,
}

/// What a cache keeps.
#[derive(PartialEq, Eq)]
struct Kept {
    document: Arc<str>,
    etag: Option<Box<str>>,
    streaming: bool,
}

impl Kept {
    fn of(document: &Document) -> Self {
        let payload = &document.payload;
        Kept {
            document: payload.document.clone(),
            etag: payload.etag.clone(),
            streaming: payload.streaming,
        }
    }
}

/// What became of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// And what is to be told of that.
    Used(PayloadChange),
    /// Older than what is in use, or than what came meanwhile.
    Older,
}

impl FeedState {
    pub(super) fn new(
        key: PayloadKey,
        cache: Arc<dyn PayloadCache>,
        sink: Box<dyn PayloadSink>,
    ) -> Self {
        FeedState {
            key,
            cache,
            sink,
            last: Mutex::default(),
            keeping: Mutex::new(()),
            progress: Mutex::new(Progress {
                phase: Phase::Pending,
                started: false,
                fetched_at: None,
                last_error: None,
                cache_errors: 0,
                cache_error: None,
                has_lease: false,
                kept: None,
                wakers: Vec::new(),
            }),
            changed: Condvar::new(),
        }
    }

    /// Offers what the cache has, and gives it when it is of use.
    pub(super) fn read_cache(&self) -> Option<Arc<Document>> {
        let payload = self.ask(CacheUse::Read, |cache| cache.get(&self.key))??;
        let source = self.cache.source();
        let document = Arc::new(Document { payload, source, sequence: None });
        match self.take_in(&document) {
            Ok(Taken::Used(_)) => Some(document),
            // What is in use is better: the server is not asked about this one.
            Ok(Taken::Older) => None,
            Err(error) => {
                log::warn!(target: LOG_TARGET, "the cached payload is not used: {error}");
                // The server is asked for a better one; nothing has failed yet.
                self.lock().last_error = None;
                None
            }
        }
    }

    /// What the cache has now.
    pub(crate) fn cached(&self) -> Option<CachedPayload> {
        self.ask(CacheUse::Read, |cache| cache.get(&self.key))?
    }

    /// Asks the cache for the lease; `None` if the cache failed. A cache without a lease always
    /// lets this process fetch.
    pub(crate) fn acquire_lease(
        &self,
        known: Option<&CachedPayload>,
        max_age: Duration,
    ) -> Option<LeaseOutcome> {
        let outcome = self.ask(CacheUse::Lease, |cache| match cache.fetch_lease() {
            Some(lease) => lease.acquire(&self.key, known, max_age),
            None => Ok(LeaseOutcome::Acquired),
        });
        self.lock().has_lease = outcome == Some(LeaseOutcome::Acquired);
        outcome
    }

    /// Releases the lease, unless a payload that was put or confirmed has ended it.
    pub(crate) fn release_lease(&self) {
        if core::mem::take(&mut self.lock().has_lease) {
            self.ask(CacheUse::Lease, |cache| {
                cache.fetch_lease().map_or(Ok(()), |lease| lease.release(&self.key))
            });
        }
    }

    /// Watches the cache for payloads that other processes put.
    pub(super) fn watch(self: &Arc<Self>, source: &Arc<Source>) -> Option<CacheWatch> {
        let (feed, source) = (Arc::downgrade(self), Arc::downgrade(source));
        let changed = Box::new(move || {
            if let (Some(feed), Some(source)) = (feed.upgrade(), source.upgrade()) {
                source.look_into_cache(&feed);
            }
        });
        let watch = || self.cache.fetch_lease()?.watch(&self.key, changed);
        catch_unwind(AssertUnwindSafe(watch)).ok().flatten()
    }

    /// Disconnects the cache, which this client no longer uses; false if that takes longer.
    pub(super) fn disconnect_cache(&self, limit: Duration) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.cache.disconnect(limit))).unwrap_or(true)
    }

    /// From now on changes are told.
    pub(super) fn started(&self) {
        self.lock().started = true;
    }

    /// Offers a document, and keeps it in the cache when it is used.
    pub(crate) fn take_in(&self, document: &Document) -> Result<Taken, PayloadError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if document.sequence.is_some() && last.sequence >= document.sequence {
            return Ok(Taken::Older);
        }
        if last.text.as_ref() == Some(&document.payload.document) {
            last.sequence = document.sequence.or(last.sequence);
            drop(last);
            self.confirm(document);
            return Ok(Taken::Used(PayloadChange::default()));
        }
        let verdict = self.sink.offer(&document.payload.document, document.source);
        if verdict.is_ok() {
            last.sequence = document.sequence.or(last.sequence);
        }
        if let Ok(Verdict::Used(_)) = &verdict {
            last.text = Some(document.payload.document.clone());
        }
        drop(last);

        let taken = match verdict {
            Ok(Verdict::Used(change)) => {
                let started = self.has_come(document);
                self.keep(document, false);
                Taken::Used(if started { change } else { PayloadChange::default() })
            }
            // What is in use is newer, and so the server is of no use, but there.
            Ok(Verdict::Older) => {
                self.has_come(document);
                Taken::Older
            }
            Err(error) => {
                self.refused(&error.into());
                return Err(error);
            }
        };
        Ok(taken)
    }

    /// Tells a change. Nobody may wait for the caller: whoever hears of it may do anything.
    pub(crate) fn tell(&self, change: PayloadChange) {
        if !change.is_empty() {
            self.sink.changed(change);
        }
    }

    /// The server has confirmed a document: to this process or, as its source says, another.
    pub(crate) fn confirm(&self, document: &Document) {
        if self.is_last(document) {
            self.has_come(document);
            self.keep(document, true);
        }
    }

    fn is_last(&self, document: &Document) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.text.as_ref() == Some(&document.payload.document)
    }

    /// Keeps a document in the cache, or that the server confirmed it, unless another one was
    /// taken in meanwhile. Only what this process has from the server: what others have is theirs
    /// to keep. Should this client's cache not be where they keep it, it is put there when the
    /// server next confirms it.
    fn keep(&self, document: &Document, is_confirmed: bool) {
        let _keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_last(document) {
            return;
        }
        if document.source != PayloadSource::Network {
            let mut progress = self.lock();
            if document.sequence.is_none() {
                // From this very cache.
                progress.kept = Some(Kept::of(document));
            }
            let text = &document.payload.document;
            progress.kept = progress.kept.take().filter(|kept| kept.document == *text);
            return;
        }
        let is_kept = {
            let mut progress = self.lock();
            // The write below ends the lease.
            progress.has_lease = false;
            progress.kept.as_ref() == Some(&Kept::of(document))
        };
        if is_confirmed && is_kept {
            self.ask(CacheUse::Write, |cache| cache.confirm(&self.key, &document.payload));
            return;
        }
        let kept = self.ask(CacheUse::Write, |cache| cache.put(&self.key, &document.payload));
        self.lock().kept = kept.map(|()| Kept::of(document));
    }

    /// An attempt has failed.
    pub(crate) fn failed(&self, error: &FetchError) {
        let mut progress = self.lock();
        if let Phase::Pending | Phase::Failed(_) = progress.phase {
            progress.phase = Phase::Failed(error.clone());
        }
        self.wake(progress);
    }

    /// This client cannot use a document, whatever others make of it.
    fn refused(&self, error: &FetchError) {
        let mut progress = self.lock();
        let in_a_row = progress.last_error.as_ref().map_or(0, |last| last.in_a_row) + 1;
        progress.last_error =
            Some(LastError { error: error.clone(), at: SystemTime::now(), in_a_row });
        drop(progress);
        self.failed(error);
    }

    pub(super) fn closed(&self, error: FetchError) {
        let mut progress = self.lock();
        if let Phase::Pending | Phase::Failed(_) = progress.phase {
            progress.phase = Phase::Closed(error);
        }
        self.wake(progress);
    }

    /// There is a payload. Whether changes are told.
    fn has_come(&self, document: &Document) -> bool {
        let mut progress = self.lock();
        progress.phase = Phase::Ready;
        let fetched_at = document.payload.fetched_at;
        progress.fetched_at = (fetched_at != NOT_KNOWN).then_some(fetched_at);
        progress.last_error = None;
        let started = progress.started;
        self.wake(progress);
        started
    }

    fn wake(&self, mut progress: MutexGuard<'_, Progress>) {
        let wakers = core::mem::take(&mut progress.wakers);
        drop(progress);
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn last_error(&self) -> Option<FetchError> {
        self.lock().last_error.as_ref().map(|last| last.error.clone())
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.lock().phase, Phase::Ready)
    }

    pub(super) fn wait_ready(&self, timeout: Duration) -> Result<(), NotReady> {
        let start = Instant::now();
        let mut progress = self.lock();
        loop {
            let cause = match &progress.phase {
                Phase::Ready => return Ok(()),
                Phase::Closed(error) => return Err(error.clone().into()),
                Phase::Failed(error) if error.kind().is_refusal() => {
                    return Err(error.clone().into());
                }
                Phase::Failed(error) => Some(error.clone()),
                Phase::Pending => None,
            };
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(NotReady { cause, timed_out: true });
            }
            let waited = self.changed.wait_timeout(progress, left);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), NotReady>> {
        let mut progress = self.lock();
        match &progress.phase {
            Phase::Ready => Poll::Ready(Ok(())),
            Phase::Failed(error) | Phase::Closed(error) => Poll::Ready(Err(error.clone().into())),
            Phase::Pending => {
                if !progress.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    progress.wakers.push(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// Adds what this client alone knows.
    pub(super) fn complete(&self, mut status: FetchStatus) -> FetchStatus {
        let progress = self.lock();
        // What fails for everybody comes first: it is what failed last.
        if status.last_error.is_none() {
            status.last_error.clone_from(&progress.last_error);
        }
        status.fetched_at = progress.fetched_at.map(from_unix_millis);
        status.counters.cache_errors = progress.cache_errors;
        status.cache_error = progress.cache_error.as_ref().map(|(_, error)| error.clone());
        status
    }

    /// A cache may fail; the client goes on without it. The log says when that begins and ends.
    fn ask<T>(
        &self,
        what_for: CacheUse,
        call: impl FnOnce(&dyn PayloadCache) -> Result<T, PayloadCacheError>,
    ) -> Option<T> {
        let outcome = catch_unwind(AssertUnwindSafe(|| call(&*self.cache)))
            .unwrap_or_else(|_| Err(PayloadCacheError::new("it panicked")));
        let mut progress = self.lock();
        match outcome {
            Ok(value) => {
                let is_written = what_for == CacheUse::Write;
                let cache_error = &mut progress.cache_error;
                let works = |failed: CacheUse| is_written || failed == what_for;
                let works_again = cache_error.take_if(|(failed, _)| works(*failed)).is_some();
                drop(progress);
                if works_again {
                    log::info!(target: LOG_TARGET, "the payload cache works again");
                }
                Some(value)
            }
            Err(error) => {
                progress.cache_errors += 1;
                let error = Arc::new(error);
                let before = progress.cache_error.as_ref().map(|(failed, _)| *failed);
                let failed = before.map_or(what_for, |before| before.max(what_for));
                progress.cache_error = Some((failed, error.clone()));
                drop(progress);
                if before.is_none() {
                    let cause = core::error::Error::source(&error).map(ToString::to_string);
                    log::warn!(target: LOG_TARGET, "{error}: {}", cause.unwrap_or_default());
                }
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FeedState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FeedState").finish_non_exhaustive()
    }
}
