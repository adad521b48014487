//! The application's sticky bucket store, with log records when it begins to fail and when it works
//! again, not for each user.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use growthbook_support::{Level, contain, now, source_text};

/// The time without a failure after which the store works again. A shorter time proves nothing,
/// because some documents may be within reach and others not.
const CALM: Duration = Duration::from_secs(10);

/// A store whose failures are logged. A panic of it counts as a failure.
pub(crate) struct LoggedStore<S> {
    store: S,
    /// `None` on a target without a clock.
    begin: Option<Instant>,
    loads: Trouble,
    saves: Trouble,
}

impl<S: StickyBucketStore> LoggedStore<S> {
    pub(crate) fn new(store: S) -> Self {
        LoggedStore { store, begin: now(), loads: Trouble::default(), saves: Trouble::default() }
    }

    /// Calls the store, and logs the outcome.
    fn call<T>(
        &self,
        what: &str,
        trouble: &Trouble,
        call: impl FnOnce(&S) -> Result<T, StickyBucketStoreError>,
    ) -> Result<T, StickyBucketStoreError> {
        // The error's text is also the store's own code.
        let called = contain(|| {
            call(&self.store).map_err(|error| {
                let text = source_text(&error);
                (error, text)
            })
        });
        let outcome = called.unwrap_or_else(|panicked| {
            let text = panicked.to_string();
            Err((StickyBucketStoreError::new(panicked), text))
        });
        match outcome {
            Ok(value) => {
                if trouble.ends(self.elapsed()) {
                    growthbook_support::log!(
                        Level::Info,
                        "sticky bucket documents are {what} again"
                    );
                }
                Ok(value)
            }
            Err((error, text)) => {
                let begins = trouble.begins(self.elapsed().unwrap_or_default());
                let level = if begins { Level::Warn } else { Level::Debug };
                growthbook_support::log!(level, "sticky bucket documents are not {what}: {text}",);
                Err(error)
            }
        }
    }

    fn elapsed(&self) -> Option<Duration> {
        Some(now()?.saturating_duration_since(self.begin?))
    }
}

impl<S: StickyBucketStore> StickyBucketStore for LoggedStore<S> {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        // `ScopeBuckets` does not save over documents that could not be loaded.
        self.call("loaded", &self.loads, |store| store.get_all(keys))
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.call("saved", &self.saves, |store| store.save(document))
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

    /// Notes a success. True if the operation works again. Without a clock, the first success after
    /// a failure counts.
    fn ends(&self, now: Option<Duration>) -> bool {
        let last = self.last_failure.load(Ordering::Relaxed);
        last != 0
            && now.is_none_or(|now| now.saturating_sub(Duration::from_millis(last)) >= CALM)
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
        assert!(!trouble.ends(Some(Duration::ZERO)));
        assert!(trouble.begins(Duration::ZERO));
        // Every other call fails.
        for second in 1..100 {
            assert!(!trouble.begins(SECOND * second));
            assert!(!trouble.ends(Some(SECOND * second)));
        }
        assert!(!trouble.ends(Some(SECOND * 108)));
        assert!(trouble.ends(Some(SECOND * 109)));
        assert!(!trouble.ends(Some(SECOND * 110)));
        assert!(trouble.begins(SECOND * 111));
    }

    #[test]
    fn one_success_ends_failures_without_a_clock() {
        let trouble = Trouble::default();
        assert!(!trouble.ends(None));
        assert!(trouble.begins(Duration::ZERO) && !trouble.begins(Duration::ZERO));
        assert!(trouble.ends(None) && !trouble.ends(None));
    }
}
