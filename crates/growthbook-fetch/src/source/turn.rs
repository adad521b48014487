//! One fetch for many processes, where a cache knows of them.

use std::sync::Arc;
use std::time::Duration;

use growthbook_core::{CachedPayload, PayloadSource, Turn};

use super::Source;
use super::delivery::Changes;
use crate::feed::FeedState;

impl Source {
    /// Does the fetch that is due, unless another process did or does.
    pub(super) fn fetch_in_turn(&self) {
        let (feeds, known, max_age) = {
            let state = self.lock();
            let known = state.latest.as_ref().map(|latest| latest.payload().clone());
            (state.feeds(), known, state.schedule.max_age(self.now()))
        };
        for feed in feeds {
            match feed.take_turn(known.as_ref(), max_age) {
                Some(Turn::Fresh { payload, age }) => return self.take_shared(payload, age),
                Some(Turn::Theirs { retry_in }) => {
                    let now = self.now();
                    return self.lock().schedule.postpone_fetch(now, retry_in);
                }
                // A cache that fails holds nobody up.
                _ => {}
            }
        }
        // The outcome is in the schedule and in the status.
        drop(self.fetch(Duration::MAX));
    }

    /// Another process has put a payload into this client's cache.
    pub(crate) fn look_into_cache(&self, feed: &Arc<FeedState>) {
        if let Some(payload) = feed.cached() {
            self.take_shared(Some(payload), Duration::ZERO);
        }
    }

    /// What another process fetched this long ago; `None` for what is known already.
    fn take_shared(&self, payload: Option<CachedPayload>, age: Duration) {
        let (outcome, changes) = match payload {
            Some(payload) => self.deliver(payload, PayloadSource::Shared),
            None => {
                self.confirm(None);
                (Ok(()), Changes::default())
            }
        };
        let mut state = self.lock();
        let now = self.now();
        match outcome {
            Ok(()) => {
                let streaming = state.latest.as_ref().and_then(|latest| latest.streaming());
                state.schedule.fetched_by_others(now, age, streaming);
                state.health.counters.shared += 1;
                let note = state.health.fetched(streaming);
                drop(state);
                note.log();
            }
            // Rubbish in the cache: the server knows better.
            Err(_) => {
                drop(state);
                drop(self.fetch(Duration::MAX));
            }
        }
        self.changed.notify_all();
        changes.tell();
    }
}
