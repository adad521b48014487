//! The application's sticky bucket store, with log records when it begins to fail and when it works
//! again, not for each user.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use growthbook_support::{LOG_TARGET, source_text};
use log::Level;

/// The time without a failure after which the store works again. A shorter time proves nothing,
/// because some documents may be within reach and others not.
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
        // `ScopeBuckets` does not save over documents that could not be loaded.
        self.log("loaded", &self.loads, self.store.get_all(keys))
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.log("saved", &self.saves, self.store.save(document))
    }
}

/// Whether an operation fails: the time of the last failure in milliseconds, and 0 while it works.
#[derive(Default)]
struct Trouble {
    last_failure: AtomicU64,
}

impl Trouble {
    /// Notes a failure. True if it is the first one.
    fn begins(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.last_failure.swap(now.max(1), Ordering::Relaxed) == 0
    }

    /// Notes a success. True if the operation works again.
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
    fn only_begin_and_end_of_failures_are_logged() {
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
