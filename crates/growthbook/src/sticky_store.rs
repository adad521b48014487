//! The application's store for sticky buckets, with a line in the log when it begins to fail and
//! one when it works again: not one for each user.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use growthbook_support::source_text;
use log::Level;

use growthbook_support::LOG_TARGET;

/// How long nothing may have failed before something that failed counts as well again: some
/// documents may be within reach, and others not.
const CALM: Duration = Duration::from_secs(10);

/// A store whose failures are logged.
pub(crate) struct LoggedStore<S> {
    store: S,
    begin: Instant,
    loads: Trouble,
    saves: Trouble,
}

impl<S: StickyBucketStore> LoggedStore<S> {
    pub(crate) fn new(store: S) -> Self {
        LoggedStore {
            store,
            begin: Instant::now(),
            loads: Trouble::default(),
            saves: Trouble::default(),
        }
    }

    fn log<T>(
        &self,
        what: &str,
        trouble: &Trouble,
        outcome: Result<T, StickyBucketStoreError>,
    ) -> Result<T, StickyBucketStoreError> {
        let now = self.begin.elapsed();
        match &outcome {
            Ok(_) if trouble.ends(now) => {
                log::info!(target: LOG_TARGET, "sticky bucket documents are {what} again");
            }
            Err(error) => {
                let level = if trouble.begins(now) { Level::Warn } else { Level::Debug };
                log::log!(
                    target: LOG_TARGET, level,
                    "sticky bucket documents are not {what}: {}", source_text(error),
                );
            }
            Ok(_) => {}
        }
        outcome
    }
}

impl<S: StickyBucketStore> StickyBucketStore for LoggedStore<S> {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        // What is not loaded is not saved either: see `ScopeBuckets`.
        self.log("loaded", &self.loads, self.store.get_all(keys))
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.log("saved", &self.saves, self.store.save(document))
    }
}

/// Whether something fails: since when nothing has, in milliseconds, and 0 while all is well.
#[derive(Default)]
struct Trouble {
    last_failure: AtomicU64,
}

impl Trouble {
    /// It failed. Whether that is news.
    fn begins(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.last_failure.swap(now.max(1), Ordering::Relaxed) == 0
    }

    /// It worked. Whether that is news.
    fn ends(&self, now: Duration) -> bool {
        let last = self.last_failure.load(Ordering::Relaxed);
        last != 0
            && now.saturating_sub(Duration::from_millis(last)) >= CALM
            && self
                .last_failure
                .compare_exchange(last, 0, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_the_beginning_and_the_end_of_trouble_are_news() {
        let trouble = Trouble::default();
        assert!(!trouble.ends(Duration::ZERO));
        assert!(trouble.begins(Duration::ZERO));
        // Every other call fails.
        for second in 1..100 {
            assert!(!trouble.begins(SECOND * second));
            assert!(!trouble.ends(SECOND * second));
        }
        assert!(!trouble.ends(SECOND * 108));
        assert!(trouble.ends(SECOND * 109));
        assert!(!trouble.ends(SECOND * 110));
        assert!(trouble.begins(SECOND * 111));
    }
}
