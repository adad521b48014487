//! One fetch for many processes, where a cache knows of them.

use std::time::{Duration, SystemTime};

use growthbook_core::{CachedPayload, PayloadSource, Turn, UnixMillis};

use super::{Document, Member, Source};
use crate::time::unix_millis;

impl Source {
    /// Does the fetch that is due, unless another process did or does, as far as any client's cache
    /// knows. The turns that were taken from other caches are given up then.
    pub(super) fn fetch_in_turn(&self) {
        let (members, known, max_age) = {
            let state = self.lock();
            let known = state.latest.as_ref().map(|latest| latest.document().clone());
            (state.members(), known, state.schedule.max_age(self.now()))
        };
        let give_up_turns = || members.iter().for_each(|member| member.give_up_turn());
        for member in &members {
            let sequence = self.draw_sequence();
            match member.take_turn(known.as_ref().map(|known| &known.payload), max_age) {
                Some(Turn::Fresh { payload, age }) => {
                    let is_payload = match (payload, &known) {
                        (Some(payload), _) => self.take_shared(payload, sequence),
                        (None, Some(known)) => self.confirm_shared(known, age),
                        (None, None) => false,
                    };
                    if is_payload {
                        give_up_turns();
                        return self.fetched_by_others(age);
                    }
                    // Rubbish: the server knows better.
                    break;
                }
                Some(Turn::Theirs { retry_in }) => {
                    give_up_turns();
                    let now = self.now();
                    return self.lock().schedule.postpone_fetch(now, retry_in);
                }
                // A cache that fails holds nobody up.
                _ => {}
            }
        }
        // The outcome is in the schedule and in the status.
        let _ = self.fetch(Duration::MAX);
        give_up_turns();
    }

    /// Another process may have put a payload into this client's cache. Whether it is what is due
    /// is not known: the next turn will tell.
    pub(crate) fn look_into_cache(&self, member: &Member) {
        let sequence = self.draw_sequence();
        if let Some(payload) = member.cached() {
            self.take_shared(payload, sequence);
        }
    }

    /// What another process fetched: false when it is no payload.
    fn take_shared(&self, payload: CachedPayload, sequence: u64) -> bool {
        let delivery = self.deliver(payload, PayloadSource::Shared, sequence);
        self.lock().health.counters.shared += 1;
        let outcome = delivery.outcome();
        delivery.notify();
        outcome.is_ok()
    }

    /// What is known was confirmed to another process, this long ago.
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
