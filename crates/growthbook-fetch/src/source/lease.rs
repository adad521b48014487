//! One fetch for many processes that share a cache: under its lease.

use std::time::{Duration, SystemTime};

use growthbook_core::PayloadSource;
use growthbook_core::cache::{CachedPayload, LeaseOutcome, UnixMillis};

use super::{Document, Member, Source};
use crate::time::unix_millis;

impl Source {
    /// Does the fetch that is due, unless another process fetched or is fetching.
    ///
    /// It asks the cache of each client. If one reports another process, this process releases the
    /// leases it acquired from the others.
    pub(super) fn fetch_with_lease(&self) {
        let (members, known, max_age) = {
            let state = self.lock();
            let known = state.latest.as_ref().map(|latest| latest.document().clone());
            (state.members(), known, state.schedule.max_age(self.now()))
        };
        let release_leases = || members.iter().for_each(|member| member.release_lease());
        for member in &members {
            let sequence = self.draw_sequence();
            match member.acquire_lease(known.as_ref().map(|known| &known.payload), max_age) {
                Some(LeaseOutcome::AlreadyFresh { payload, age }) => {
                    let is_payload = match (payload, &known) {
                        (Some(payload), _) => self.take_shared(payload, sequence),
                        (None, Some(known)) => self.confirm_shared(known, age),
                        (None, None) => false,
                    };
                    if is_payload {
                        release_leases();
                        return self.fetched_by_others(age);
                    }
                    // The cache returned an unreadable payload. The server has a better one.
                    break;
                }
                Some(LeaseOutcome::HeldElsewhere { retry_in }) => {
                    release_leases();
                    let now = self.now();
                    return self.lock().schedule.postpone_fetch(now, retry_in);
                }
                // The lease is acquired, or the cache failed. Neither stops this process.
                _ => {}
            }
        }
        // The outcome is in the schedule and in the status.
        let _ = self.fetch(Duration::MAX);
        release_leases();
    }

    /// Reads a client's cache, because another process may have put a payload there.
    ///
    /// The fetch that is due stays due: the payload may be an older one.
    pub(crate) fn look_into_cache(&self, member: &Member) {
        let sequence = self.draw_sequence();
        if let Some(payload) = member.cached() {
            self.take_shared(payload, sequence);
            self.publish_metrics();
        }
    }

    /// Takes a payload that another process fetched; false if it is unreadable.
    fn take_shared(&self, payload: CachedPayload, sequence: u64) -> bool {
        let delivery = self.deliver(payload, PayloadSource::Shared, sequence);
        self.lock().health.counters.shared += 1;
        let outcome = delivery.outcome();
        delivery.notify();
        outcome.is_ok()
    }

    /// Records that the server confirmed the known document to another process, this long ago.
    fn confirm_shared(&self, known: &Document, age: Duration) -> bool {
        let age = UnixMillis::try_from(age.as_millis()).unwrap_or(UnixMillis::MAX);
        let at = unix_millis(SystemTime::now()).saturating_sub(age);
        self.confirm(known, None, at, PayloadSource::Shared);
        self.lock().health.counters.shared += 1;
        true
    }

    fn fetched_by_others(&self, age: Duration) {
        let mut state = self.lock();
        let now = self.now();
        let streaming = state.latest.as_ref().and_then(|latest| latest.streaming());
        state.schedule.fetched_by_others(now, age, streaming);
        let note = state.health.fetched(streaming);
        drop(state);
        note.log();
    }
}
