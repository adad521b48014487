//! A client's feed, which is started again after a fork.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use growthbook_core::cache::PayloadCache;
use growthbook_fetch::{CloseTimedOut, Feed, FetchOptions, StartError};
use growthbook_support::{Level, source_text};

use crate::state::Live;

/// A client's feed, started again after a fork.
pub(crate) struct Connection {
    feed: ArcSwap<Feed>,
    options: FetchOptions,
    cache: Arc<dyn PayloadCache>,
    live: Arc<Live>,
    begin: Instant,
    /// When the process id was last checked, in milliseconds since `begin`.
    checked: AtomicU64,
    is_closed: AtomicBool,
}

impl Connection {
    pub(crate) fn start(
        options: FetchOptions,
        cache: Arc<dyn PayloadCache>,
        live: Arc<Live>,
    ) -> Result<Self, StartError> {
        let feed = Feed::start(&options, cache.clone(), live.clone())?;
        Ok(Connection {
            feed: ArcSwap::from_pointee(feed),
            options,
            cache,
            live,
            begin: Instant::now(),
            checked: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
        })
    }

    /// Returns the feed of this process.
    pub(crate) fn feed(&self) -> Arc<Feed> {
        let feed = self.feed.load_full();
        if feed.is_left_behind() && !self.is_closed.load(Ordering::Relaxed) {
            self.start_again(&feed);
            return self.feed.load_full();
        }
        feed
    }

    /// Ends refreshing, in this process and in its later children.
    pub(crate) fn close(&self, deadline: Duration) -> Result<(), CloseTimedOut> {
        self.is_closed.store(true, Ordering::Relaxed);
        self.feed.load_full().close(deadline)
    }

    /// Starts refreshing again in the child of a fork. Checks that from time to time only, because
    /// the process id costs a system call and each new scope calls this.
    pub(crate) fn notice_fork(&self) {
        const INTERVAL: u64 = 100;
        let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now.saturating_sub(self.checked.load(Ordering::Relaxed)) >= INTERVAL {
            self.checked.store(now, Ordering::Relaxed);
            drop(self.feed());
        }
    }

    fn start_again(&self, left_behind: &Arc<Feed>) {
        growthbook_support::log!(
            Level::Info,
            "refreshing starts again in process {}",
            process::id()
        );
        match Feed::start(&self.options, self.cache.clone(), self.live.clone()) {
            Ok(feed) => {
                if left_behind.is_paused() {
                    feed.pause();
                }
                // If another thread was faster, its feed stays and this one is closed.
                self.feed.compare_and_swap(left_behind, Arc::new(feed));
            }
            Err(error) => {
                let cause = source_text(&error);
                growthbook_support::log!(Level::Warn, "refreshing did not start: {cause}");
            }
        }
    }
}
