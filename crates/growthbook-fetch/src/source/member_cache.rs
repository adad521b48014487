//! One client's use of its cache: reading, writing, the lease, and going on without it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use growthbook_core::PayloadSource;
use growthbook_core::cache::{
    CacheWatch, CachedPayload, LeaseOutcome, PayloadCache, PayloadCacheError, PayloadKey,
};
use growthbook_support::{Level, contain, source_text};

use super::document::Document;
use super::metrics::count_cache_error;

/// A client's cache. It may fail or panic. The client then continues without it.
pub(super) struct MemberCache {
    key: PayloadKey,
    cache: Arc<dyn PayloadCache>,
    /// Held while the cache is written, so that the newest document is also written last.
    writing: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    errors: u64,
    /// The last failure, unless the cache worked since, and the operation that failed.
    error: Option<(Operation, Arc<PayloadCacheError>)>,
    /// This process holds the lease of the cache, as far as it knows.
    has_lease: bool,
    /// What the cache has, as far as this process knows.
    kept: Option<Kept>,
}

/// What a cache is used for. A successful write clears every failure. A successful read or lease
/// clears only a failure of its own kind, since a full cache can still be read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Read,
    Lease,
    Write,
}

/// Whether the server insists on a document.
#[derive(Clone, Copy, Default)]
pub(super) enum Insistence {
    #[default]
    None,
    /// It insists on one that is older than the document in use was.
    OnOlder,
}

/// The contents of a cache.
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

impl MemberCache {
    pub(super) fn new(key: PayloadKey, cache: Arc<dyn PayloadCache>) -> Self {
        MemberCache { key, cache, writing: Mutex::new(()), state: Mutex::default() }
    }

    /// Whether several processes share the cache, and one of them fetches for all.
    pub(super) fn is_shared(&self) -> bool {
        contain(|| self.cache.fetch_lease().is_some()).unwrap_or(false)
    }

    /// Where payloads from this cache come from.
    pub(super) fn source(&self) -> PayloadSource {
        contain(|| self.cache.source()).unwrap_or(PayloadSource::Cache)
    }

    /// The cached payload.
    pub(super) fn get(&self) -> Option<CachedPayload> {
        self.use_for(Operation::Read, |cache| cache.get(&self.key))?
    }

    /// Asks the cache for the lease; `None` if the cache failed. A cache without a lease always
    /// lets this process fetch.
    pub(super) fn acquire_lease(
        &self,
        known: Option<&CachedPayload>,
        max_age: Duration,
    ) -> Option<LeaseOutcome> {
        let outcome = self.use_for(Operation::Lease, |cache| match cache.fetch_lease() {
            Some(lease) => lease.acquire(&self.key, known, max_age),
            None => Ok(LeaseOutcome::Acquired),
        });
        self.lock().has_lease = outcome == Some(LeaseOutcome::Acquired);
        outcome
    }

    /// Releases the lease, unless a payload that was put or confirmed has ended it.
    pub(super) fn release_lease(&self) {
        if core::mem::take(&mut self.lock().has_lease) {
            self.use_for(Operation::Lease, |cache| {
                cache.fetch_lease().map_or(Ok(()), |lease| lease.release(&self.key))
            });
        }
    }

    /// Watches the cache for payloads that other processes put.
    pub(super) fn watch(&self, changed: Box<dyn Fn() + Send + Sync>) -> Option<CacheWatch> {
        let watch = contain(|| self.cache.fetch_lease()?.watch(&self.key, changed)).ok()??;
        Some(Box::new(ContainedWatch(Some(watch))))
    }

    /// Disconnects the cache, which this client no longer uses; false if that takes longer.
    pub(super) fn disconnect(&self, limit: Duration) -> bool {
        contain(|| self.cache.disconnect(limit)).unwrap_or(true)
    }

    /// Puts a document into the cache, unless it is no longer the current one.
    ///
    /// Only a document that this process has from the server is written. Other processes keep
    /// theirs themselves. If they use another cache, this one gets the document when the server
    /// next confirms it.
    pub(super) fn keep_new(
        &self,
        document: &Document,
        is_current: impl FnOnce() -> Option<Insistence>,
    ) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(insistence) = is_current() else { return };
        if document.source == PayloadSource::Network {
            // The write below ends the lease.
            self.lock().has_lease = false;
            self.put(document, insistence);
        } else {
            self.note_others(document);
        }
    }

    /// Notes in the cache that the server confirmed a document, unless it is no longer the
    /// current one. Puts it there if the cache has another one.
    pub(super) fn keep_confirmed(
        &self,
        document: &Document,
        is_current: impl FnOnce() -> Option<Insistence>,
    ) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(insistence) = is_current() else { return };
        if document.source != PayloadSource::Network {
            self.note_others(document);
            return;
        }
        let is_kept = {
            let mut state = self.lock();
            // The write below ends the lease.
            state.has_lease = false;
            state.kept.as_ref() == Some(&Kept::of(document))
        };
        if is_kept {
            self.use_for(Operation::Write, |cache| cache.confirm(&self.key, &document.payload));
        } else {
            self.put(document, insistence);
        }
    }

    fn put(&self, document: &Document, insistence: Insistence) {
        let put = self.use_for(Operation::Write, |cache| match insistence {
            Insistence::None => cache.put(&self.key, &document.payload),
            Insistence::OnOlder => cache.replace(&self.key, &document.payload),
        });
        self.lock().kept = put.map(|()| Kept::of(document));
    }

    /// Notes a document that did not come from the server: from this cache, or another process.
    fn note_others(&self, document: &Document) {
        let mut state = self.lock();
        if document.sequence.is_none() {
            // From this very cache.
            state.kept = Some(Kept::of(document));
        }
        let text = &document.payload.document;
        state.kept = state.kept.take().filter(|kept| kept.document == *text);
    }

    /// The number of failures so far, and the last one, unless the cache worked since.
    pub(super) fn errors(&self) -> (u64, Option<Arc<PayloadCacheError>>) {
        let state = self.lock();
        (state.errors, state.error.as_ref().map(|(_, error)| error.clone()))
    }

    /// Calls the cache. Logs when it begins to fail, and when it works again.
    fn use_for<T>(
        &self,
        operation: Operation,
        call: impl FnOnce(&dyn PayloadCache) -> Result<T, PayloadCacheError>,
    ) -> Option<T> {
        let outcome = contain(|| call(&*self.cache))
            .unwrap_or_else(|panicked| Err(PayloadCacheError::new(panicked)));
        let mut state = self.lock();
        match outcome {
            Ok(value) => {
                let proves =
                    |failed: Operation| operation == Operation::Write || failed == operation;
                let works_again = state.error.take_if(|(failed, _)| proves(*failed)).is_some();
                drop(state);
                if works_again {
                    growthbook_support::log!(Level::Info, "the payload cache works again");
                }
                Some(value)
            }
            Err(error) => {
                state.errors += 1;
                let error = Arc::new(error);
                let before = state.error.as_ref().map(|(failed, _)| *failed);
                let failed = before.map_or(operation, |before| before.max(operation));
                state.error = Some((failed, error.clone()));
                drop(state);
                count_cache_error();
                if before.is_none() {
                    let cause = source_text(&error);
                    growthbook_support::log!(Level::Warn, "the payload cache failed: {cause}");
                }
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A watch of a cache. A panic that ends it is contained.
struct ContainedWatch(Option<CacheWatch>);

impl Drop for ContainedWatch {
    fn drop(&mut self) {
        let watch = self.0.take();
        // The watch has ended, as far as this client is concerned.
        let _ = contain(|| drop(watch));
    }
}
