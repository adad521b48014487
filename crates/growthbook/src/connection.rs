//! A client's part in refreshing: what its feed brings is compiled and swapped in, if it is not
//! older than what is in use.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use growthbook_core::{PayloadCache, PayloadChange, PayloadError, PayloadSource};
use growthbook_fetch::{
    CloseTimedOut, Feed, FetchOptions, Offered, PayloadSink, StartError, is_older,
};

use crate::LOG_TARGET;
use crate::client::{Inner, State};

/// A client's feed, made anew after a fork.
pub(crate) struct Connection {
    feed: ArcSwap<Feed>,
    options: FetchOptions,
    cache: Arc<dyn PayloadCache>,
    inner: Arc<Inner>,
    begin: Instant,
    /// When it was last looked whether the process was forked, in milliseconds since the beginning.
    looked: AtomicU64,
    is_closed: AtomicBool,
}

impl Connection {
    pub(crate) fn start(
        options: FetchOptions,
        cache: Arc<dyn PayloadCache>,
        inner: Arc<Inner>,
    ) -> Result<Self, StartError> {
        let feed = Feed::start(&options, cache.clone(), Live(inner.clone()))?;
        Ok(Connection {
            feed: ArcSwap::from_pointee(feed),
            options,
            cache,
            inner,
            begin: Instant::now(),
            looked: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
        })
    }

    /// The feed of this process.
    pub(crate) fn feed(&self) -> Arc<Feed> {
        let feed = self.feed.load_full();
        if feed.is_left_behind() && !self.is_closed.load(Ordering::Relaxed) {
            self.start_anew(&feed);
            return self.feed.load_full();
        }
        feed
    }

    /// Ends refreshing, in this process and in children to come.
    pub(crate) fn close(&self, deadline: Duration) -> Result<(), CloseTimedOut> {
        self.is_closed.store(true, Ordering::Relaxed);
        self.feed.load_full().close(deadline)
    }

    /// Starts refreshing anew in the child of a fork. Looks for that every now and then only: the
    /// process id costs a system call, and this is called for every scope.
    pub(crate) fn notice_fork(&self) {
        const INTERVAL: u64 = 100;
        let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now.saturating_sub(self.looked.load(Ordering::Relaxed)) >= INTERVAL {
            self.looked.store(now, Ordering::Relaxed);
            drop(self.feed());
        }
    }

    fn start_anew(&self, left_behind: &Arc<Feed>) {
        log::info!(target: LOG_TARGET, "refreshing starts anew in process {}", process::id());
        match Feed::start(&self.options, self.cache.clone(), Live(self.inner.clone())) {
            Ok(feed) => {
                // Somebody who was faster has started one as well, and this one is closed again.
                self.feed.compare_and_swap(left_behind, Arc::new(feed));
            }
            Err(error) => log::warn!(target: LOG_TARGET, "refreshing is not started: {error}"),
        }
    }
}

/// Takes payloads into use.
struct Live(Arc<Inner>);

impl PayloadSink for Live {
    fn offer(&self, document: &str, source: PayloadSource) -> Result<Offered, PayloadError> {
        let payload = self.0.decryption.read(document.as_bytes())?;
        let mut current = self.0.state.load_full();
        if !may_replace(&current, source, payload.date_updated()) {
            return Ok(Offered::Older);
        }
        let payload = payload.with_unreadable_sections_of(&current.payload);
        let change = self.0.changes(&current.payload, &payload);
        // Compiled before anything is swapped: no evaluation waits for it.
        let compiled = current.with_payload(payload, source);
        loop {
            let next = State { globals: current.globals.clone(), ..compiled.clone() };
            let found = self.0.state.compare_and_swap(&current, Arc::new(next));
            if Arc::ptr_eq(&found, &current) {
                drop(found);
                self.0.retired.add(current);
                return Ok(Offered::Applied { change });
            }
            // Somebody was faster, with settings or with a payload, which may be newer.
            current = Guard::into_inner(found);
            if !may_replace(&current, source, compiled.payload.date_updated()) {
                return Ok(Offered::Older);
            }
        }
    }

    fn changed(&self, change: PayloadChange) {
        self.0.tell_change(&change);
    }
}

/// Live before cached before fallback, and never an older one for a newer.
fn may_replace(current: &State, source: PayloadSource, date_updated: Option<&str>) -> bool {
    fn rank(source: Option<PayloadSource>) -> u8 {
        match source {
            None => 0,
            Some(PayloadSource::Fallback) => 1,
            Some(PayloadSource::Cache | PayloadSource::File) => 2,
            Some(_) => 3,
        }
    }
    rank(Some(source)) >= rank(current.source)
        && !is_older(date_updated, current.payload.date_updated())
}
