//! One client that shares a source: its sink, its cache, and its progress.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use growthbook_core::cache::{
    CacheWatch, CachedPayload, LeaseOutcome, PayloadCache, PayloadKey, UnixMillis,
};
use growthbook_core::{PayloadChange, PayloadError, PayloadSource};
use growthbook_support::{Level, contain};

use super::Source;
use super::document::Document;
use super::member_cache::{Insistence, MemberCache};
use super::readiness::{NotReady, Readiness};
use super::repeats::Repeats;
use crate::error::FetchError;
use crate::sink::{Offered, PayloadSink};
use crate::status::{DateProblem, FetchStatus, LastError};
use crate::time::from_unix_millis;

/// The fetch time of a payload whose cache does not know it.
const UNKNOWN_TIME: UnixMillis = 0;

/// One client that shares a source.
pub(crate) struct Member {
    sink: Box<dyn PayloadSink>,
    cache: MemberCache,
    /// Whether several processes share the cache.
    is_shared: bool,
    readiness: Readiness,
    /// When the client was started.
    origin: Instant,
    /// Held while a document is offered, so that they are offered one at a time and in order.
    last: Mutex<Last>,
    progress: Mutex<Progress>,
}

/// The documents that were offered last.
#[derive(Default)]
struct Last {
    /// The number of the last one from the source, used or not.
    sequence: Option<u64>,
    /// The text of the last one used.
    text: Option<Arc<str>>,
    /// Whether the server insists on that one.
    insistence: Insistence,
    /// The older payloads that the server sent since.
    older: Repeats,
}

#[derive(Default)]
struct Progress {
    /// Whether the sink is notified of changes.
    is_started: bool,
    fetched_at: Option<UnixMillis>,
    /// The failure of this client alone: it cannot use a payload, whether or not others can.
    last_error: Option<LastError>,
    date_problem: Option<DateProblem>,
}

impl Member {
    pub(crate) fn new(
        key: PayloadKey,
        cache: Arc<dyn PayloadCache>,
        sink: Box<dyn PayloadSink>,
    ) -> Self {
        let cache = MemberCache::new(key, cache);
        let is_shared = cache.is_shared();
        Member {
            sink,
            cache,
            is_shared,
            readiness: Readiness::new(),
            origin: Instant::now(),
            last: Mutex::default(),
            progress: Mutex::default(),
        }
    }

    /// Offers the cached payload to the sink, and returns it if it is used.
    pub(crate) fn offer_cached(&self) -> Option<Arc<Document>> {
        let payload = self.cache.get()?;
        let document = Arc::new(Document { payload, source: self.cache.source(), sequence: None });
        match self.offer(&document) {
            Ok(Offered::Applied { .. }) => Some(document),
            // The payload in use is better, so the server is not asked about this one.
            Ok(Offered::Older) => None,
            Err(error) => {
                growthbook_support::log!(Level::Warn, "the cached payload is not used: {error}");
                // The server is asked for a better one; nothing has failed yet.
                self.lock().last_error = None;
                None
            }
        }
    }

    /// Offers a document to the sink, and keeps it in the cache if it is used.
    pub(crate) fn offer(&self, document: &Document) -> Result<Offered, PayloadError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if document.sequence.is_some() && last.sequence >= document.sequence {
            return Ok(Offered::Older);
        }
        if last.text.as_ref() == Some(&document.payload.document) {
            last.sequence = document.sequence.or(last.sequence);
            drop(last);
            self.confirm(document);
            return Ok(Offered::Applied { change: PayloadChange::default() });
        }
        let offered = self.offer_to_sink(document, &mut last.older);
        let problem = self.new_date_problem(&last.older);
        if offered.is_ok() {
            last.sequence = document.sequence.or(last.sequence);
        }
        if let Ok((Offered::Applied { .. }, insistence)) = &offered {
            last.text = Some(document.payload.document.clone());
            last.insistence = *insistence;
        }
        drop(last);
        log_date_problem(problem);

        match offered.map(|(offered, _)| offered) {
            Ok(Offered::Applied { change }) => {
                let is_started = self.is_started();
                self.has_payload(document);
                self.cache.keep_new(document, || self.last_insistence(document));
                let change = if is_started { change } else { PayloadChange::default() };
                Ok(Offered::Applied { change })
            }
            // The payload in use is newer. The server works, though its payload is of no use.
            Ok(Offered::Older) => {
                self.has_payload(document);
                Ok(Offered::Older)
            }
            Err(error) => {
                self.cannot_use(&error.into());
                Err(error)
            }
        }
    }

    /// Offers a document to the sink, again if the server insists on an older one.
    fn offer_to_sink(
        &self,
        document: &Document,
        older: &mut Repeats,
    ) -> Result<(Offered, Insistence), PayloadError> {
        let text = &document.payload.document;
        let is_news = matches!(document.source, PayloadSource::Network | PayloadSource::Shared);
        match self.sink.offer(text, document.source)? {
            Offered::Older if is_news && older.note(text, self.origin.elapsed()) => {
                Ok((self.sink.offer_older(text, document.source)?, Insistence::OnOlder))
            }
            offered => {
                if let Offered::Applied { .. } = offered {
                    older.end();
                }
                Ok((offered, Insistence::None))
            }
        }
    }

    /// Notes whether there is a problem with dates, and returns one that has just begun.
    fn new_date_problem(&self, older: &Repeats) -> Option<DateProblem> {
        let problem = if self.sink.is_from_future() {
            Some(DateProblem::InUseFromFuture)
        } else {
            (older.times() > 1).then_some(DateProblem::OlderRepeated)
        };
        let before = core::mem::replace(&mut self.lock().date_problem, problem);
        problem.filter(|_| problem != before)
    }

    /// Notifies the sink of a change. Call it only when nothing waits for the calling thread: the
    /// application's callback may do anything.
    pub(crate) fn notify(&self, change: PayloadChange) {
        if !change.is_empty() && contain(|| self.sink.changed(change)).is_err() {
            growthbook_support::log!(Level::Error, "a sink panicked when it was notified");
        }
    }

    /// From now on the sink is notified of changes.
    pub(crate) fn start(&self) {
        self.lock().is_started = true;
    }

    /// The server has confirmed a document to this process or, as the document's source says, to
    /// another.
    pub(crate) fn confirm(&self, document: &Document) {
        if self.is_last(document) {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            last.older.end();
            let problem = self.new_date_problem(&last.older);
            drop(last);
            log_date_problem(problem);
            self.has_payload(document);
            self.cache.keep_confirmed(document, || self.last_insistence(document));
        }
    }

    /// An attempt of the source has failed.
    pub(crate) fn failed(&self, error: &FetchError) {
        self.readiness.failed(error);
    }

    /// Notifies the sink that an attempt of the source has failed.
    pub(crate) fn refresh_failed(&self, error: &FetchError) {
        if contain(|| self.sink.refresh_failed(error)).is_err() {
            growthbook_support::log!(Level::Error, "a sink panicked when it was notified");
        }
    }

    /// The client is closed: further waiting is pointless.
    pub(crate) fn closed(&self, error: FetchError) {
        self.readiness.closed(error);
    }

    /// Adds to the source's status what only this client knows.
    pub(crate) fn complete(&self, mut status: FetchStatus) -> FetchStatus {
        let progress = self.lock();
        // A failure of the source comes first: it is the more recent one.
        if status.last_error.is_none() {
            status.last_error.clone_from(&progress.last_error);
        }
        status.fetched_at = progress.fetched_at.map(from_unix_millis);
        status.date_problem = progress.date_problem;
        drop(progress);
        (status.counters.cache_errors, status.cache_error) = self.cache.errors();
        status
    }

    pub(crate) fn last_error(&self) -> Option<FetchError> {
        self.lock().last_error.as_ref().map(|last| last.error.clone())
    }

    /// Whether several processes share the cache, and one of them fetches for all.
    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.readiness.is_ready()
    }

    pub(crate) fn wait_ready(&self, timeout: Duration) -> Result<(), NotReady> {
        self.readiness.wait(timeout)
    }

    /// Returns the number of failed attempts before the first payload.
    pub(crate) fn failures(&self) -> u64 {
        self.readiness.failures()
    }

    pub(crate) fn poll_ready(
        &self,
        failures_before: u64,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), NotReady>> {
        self.readiness.poll(failures_before, context)
    }

    /// Watches for payloads that other processes put into the cache.
    pub(crate) fn watch_cache(self: &Arc<Self>, source: &Arc<Source>) -> Option<CacheWatch> {
        let (member, source) = (Arc::downgrade(self), Arc::downgrade(source));
        self.cache.watch(Box::new(move || {
            if let (Some(member), Some(source)) = (member.upgrade(), source.upgrade()) {
                source.look_into_cache(&member);
            }
        }))
    }

    /// Disconnects the cache, which this client no longer uses; false if that takes longer.
    pub(crate) fn disconnect_cache(&self, limit: Duration) -> bool {
        self.cache.disconnect(limit)
    }

    /// The cached payload.
    pub(super) fn cached(&self) -> Option<CachedPayload> {
        self.cache.get()
    }

    /// Asks the cache for the lease; `None` if the cache failed.
    pub(super) fn acquire_lease(
        &self,
        known: Option<&CachedPayload>,
        max_age: Duration,
    ) -> Option<LeaseOutcome> {
        self.cache.acquire_lease(known, max_age)
    }

    /// Releases the lease, unless a payload that was put or confirmed has ended it.
    pub(super) fn release_lease(&self) {
        self.cache.release_lease();
    }

    fn is_started(&self) -> bool {
        self.lock().is_started
    }

    fn is_last(&self, document: &Document) -> bool {
        self.last_insistence(document).is_some()
    }

    /// Returns whether the server insists on this document; `None` if it is not the last one used.
    fn last_insistence(&self, document: &Document) -> Option<Insistence> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = last.text.as_ref() == Some(&document.payload.document);
        is_last.then_some(last.insistence)
    }

    /// The client has a payload, and this document is the newest sign of it.
    fn has_payload(&self, document: &Document) {
        let fetched_at = document.payload.fetched_at;
        let mut progress = self.lock();
        progress.fetched_at = (fetched_at != UNKNOWN_TIME).then_some(fetched_at);
        progress.last_error = None;
        drop(progress);
        self.readiness.ready();
    }

    /// This client cannot use a document.
    fn cannot_use(&self, error: &FetchError) {
        let mut progress = self.lock();
        let in_a_row = progress.last_error.as_ref().map_or(0, |last| last.in_a_row) + 1;
        progress.last_error =
            Some(LastError { error: error.clone(), at: SystemTime::now(), in_a_row });
        drop(progress);
        self.readiness.failed(error);
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_date_problem(problem: Option<DateProblem>) {
    if let Some(problem) = problem {
        growthbook_support::log!(Level::Warn, "{problem}");
    }
}

#[cfg(test)]
mod tests;

impl fmt::Debug for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Member").finish_non_exhaustive()
    }
}
