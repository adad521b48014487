//! One fetch at a time, whoever asks for it.

use std::time::{Duration, Instant, SystemTime};

use growthbook_core::{CachedPayload, PayloadSource};

use super::delivery::Changes;
use super::health::Note;
use super::{Source, State};
use crate::error::{FetchError, FetchErrorKind};
use crate::feed::Document;
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
    /// Whether the last one failed because whoever began it had little time.
    was_cut_short: bool,
}

impl Source {
    /// Asks the server for the payload and hands it to all members. A call while another is under
    /// way waits for that one, and has its outcome. Neither takes longer than the limit.
    pub(crate) fn fetch(&self, limit: Duration) -> Result<(), FetchError> {
        let start = Instant::now();
        let mut state = self.lock();
        while state.flight.is_on && !state.stopped {
            let number = state.flight.number;
            while state.flight.is_on && state.flight.number == number {
                let left = limit.saturating_sub(start.elapsed());
                if left.is_zero() {
                    return Err(FetchError::new(FetchErrorKind::Timeout));
                }
                state = self.wait(state, Some(left));
            }
            if !state.flight.was_cut_short {
                let closed = || Err(FetchError::new(FetchErrorKind::Closed));
                return state.flight.outcome.clone().unwrap_or_else(closed);
            }
            // Somebody with more time tries again.
        }
        if state.stopped {
            return Err(FetchError::new(FetchErrorKind::Closed));
        }
        state.flight.is_on = true;
        state.flight.number += 1;
        state.flight.outcome = None;
        state.health.counters.fetches += 1;
        let asked_about = state
            .latest
            .as_ref()
            .filter(|latest| latest.etag().is_some())
            .map(|latest| latest.document().clone());
        drop(state);

        let landing = Landing(self);
        let left = limit.saturating_sub(start.elapsed());
        let (outcome, changes) = self.fetch_alone(asked_about.as_deref(), left);
        drop(landing);
        changes.tell();
        outcome
    }

    /// Asks whether there is another document than this one.
    fn fetch_alone(
        &self,
        asked_about: Option<&Document>,
        limit: Duration,
    ) -> (Result<(), FetchError>, Changes) {
        let start = Instant::now();
        let sequence = self.draw_sequence();
        let etag = asked_about.and_then(|document| document.payload.etag.as_deref());
        let reply = self.features.fetch(etag, limit);
        let fetched_at = unix_millis(SystemTime::now());
        let mut changes = Changes::default();
        let (outcome, streaming) = match (reply, asked_about) {
            (Ok(Reply::Payload { document, etag, streaming }), _) => {
                let payload = CachedPayload { document, etag, streaming, fetched_at };
                let delivered = self.deliver(payload, PayloadSource::Network, sequence);
                changes = delivered.1;
                (delivered.0, Some(streaming))
            }
            (Ok(Reply::NotModified), Some(document)) => {
                self.lock().health.counters.not_modified += 1;
                self.confirm(document, None, fetched_at, PayloadSource::Network);
                (Ok(()), Some(document.payload.streaming))
            }
            (Ok(Reply::NotModified), None) => {
                (Err(FetchError::new(FetchErrorKind::NothingToConfirm)), None)
            }
            (Err(error), _) => (Err(error), None),
        };
        let mut state = self.lock();
        let outcome = outcome.map_err(|error| state.closed_or(error));
        let was_cut_short = start.elapsed() >= limit
            && outcome.as_ref().is_err_and(|error| error.kind() == FetchErrorKind::Timeout);
        let now = self.now();
        let note = match &outcome {
            Ok(()) => {
                state.schedule.fetched(now, FetchOutcome::Success { streaming });
                state.health.fetched(streaming)
            }
            // Whoever began it had little time: that says nothing of the server.
            Err(_) if was_cut_short => Note::NONE,
            Err(error) => {
                let refused = error.kind().is_refusal();
                let retry_after = error.retry_after;
                state.schedule.fetched(now, FetchOutcome::Failure { refused, retry_after });
                state.health.failed(error)
            }
        };
        state.flight.was_cut_short = was_cut_short;
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
