//! One fetch at a time, whoever asks for it.

use std::time::{Duration, Instant, SystemTime};

use growthbook_core::{CachedPayload, PayloadSource};

use super::delivery::Changes;
use super::{Source, State};
use crate::error::{FetchError, FetchErrorKind};
use crate::http::Reply;
use crate::schedule::FetchOutcome;
use crate::time::unix_millis;

/// The fetch that is going on, or the one before.
#[derive(Default)]
pub(super) struct Flight {
    is_on: bool,
    /// Of the fetch that is going on, or was last.
    number: u64,
    /// Of the last one.
    outcome: Option<Result<(), FetchError>>,
}

impl Source {
    /// Asks the server for the payload and hands it to all members. A call while another is under
    /// way waits for that one, and has its outcome. Neither takes longer than the limit.
    pub(crate) fn fetch(&self, limit: Duration) -> Result<(), FetchError> {
        let start = Instant::now();
        let mut state = self.lock();
        if state.stopped {
            return Err(FetchError::new(FetchErrorKind::Closed));
        }
        if state.flight.is_on {
            let number = state.flight.number;
            while state.flight.is_on && state.flight.number == number {
                let left = limit.saturating_sub(start.elapsed());
                if left.is_zero() {
                    return Err(FetchError::new(FetchErrorKind::Timeout));
                }
                state = self.wait(state, Some(left));
            }
            let closed = || Err(FetchError::new(FetchErrorKind::Closed));
            return state.flight.outcome.clone().unwrap_or_else(closed);
        }
        state.flight.is_on = true;
        state.flight.number += 1;
        state.health.counters.fetches += 1;
        let etag = state.latest.as_ref().and_then(|latest| latest.etag()).map(str::to_owned);
        drop(state);

        let landing = Landing(self);
        let (outcome, changes) = self.fetch_alone(etag.as_deref(), limit);
        drop(landing);
        changes.tell();
        outcome
    }

    fn fetch_alone(
        &self,
        etag: Option<&str>,
        limit: Duration,
    ) -> (Result<(), FetchError>, Changes) {
        let mut changes = Changes::default();
        let (outcome, streaming) = match self.features.fetch(etag, limit) {
            Ok(Reply::Payload { document, etag, streaming }) => {
                let fetched_at = unix_millis(SystemTime::now());
                let payload = CachedPayload { document, etag, streaming, fetched_at };
                let delivered = self.deliver(payload, PayloadSource::Network);
                changes = delivered.1;
                (delivered.0, Some(streaming))
            }
            Ok(Reply::NotModified) if etag.is_some() => {
                self.lock().health.counters.not_modified += 1;
                self.confirm(None);
                (Ok(()), self.lock().latest.as_ref().and_then(|latest| latest.streaming()))
            }
            Ok(Reply::NotModified) => {
                (Err(FetchError::new(FetchErrorKind::NothingToConfirm)), None)
            }
            Err(error) => (Err(error), None),
        };
        let mut state = self.lock();
        let outcome = outcome.map_err(|error| state.closed_or(error));
        let now = self.now();
        let note = match &outcome {
            Ok(()) => {
                state.schedule.fetched(now, FetchOutcome::Success { streaming });
                state.health.fetched(streaming)
            }
            Err(error) => {
                let refused = error.kind().is_refusal();
                let retry_after = error.retry_after;
                state.schedule.fetched(now, FetchOutcome::Failure { refused, retry_after });
                state.health.failed(error)
            }
        };
        state.flight.outcome = Some(outcome.clone());
        let feeds = state.feeds();
        drop(state);
        note.log();
        if let Err(error) = &outcome {
            feeds.iter().for_each(|feed| feed.failed(error));
        }
        (outcome, changes)
    }
}

impl State {
    /// What breaks because the client is closed is not the network's fault.
    pub(super) fn closed_or(&self, error: FetchError) -> FetchError {
        if self.stopped { FetchError::new(FetchErrorKind::Closed) } else { error }
    }
}

/// However a fetch ends, nobody waits for it in vain.
struct Landing<'a>(&'a Source);

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.0.lock().flight.is_on = false;
        self.0.changed.notify_all();
    }
}
