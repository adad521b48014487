//! The thread that follows the stream of notices: the server announces changes there.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use growthbook_support::contain;

use super::health;
use super::source::{RemoteSource, State};
use crate::error::{FetchError, FetchErrorKind};
use crate::http::{EventStream, StreamRead, Update};
use crate::schedule::{Action, FetchOutcome, Prospect, StreamEnd, Time};
use crate::sse::EventParser;
use crate::status::{StreamOff, StreamState};

/// The size limit of an event. A notice has no data, and the data of other events is not read.
const MAX_EVENT_BYTES: usize = 64 * 1024;

impl RemoteSource {
    /// Follows one stream after another, until the source stops or the server offers no stream.
    pub(super) fn follow_changes(self: &Arc<Self>) {
        let mut parser = EventParser::new(MAX_EVENT_BYTES);
        let mut may_have_missed = true;
        while self.wait_to_connect() {
            // A logger may panic.
            let followed = contain(|| self.follow_stream(&mut parser, may_have_missed));
            let end = followed.unwrap_or_else(|_| Err(FetchErrorKind::Panicked.into()));
            // After an end in good order, the server repeats what comes after the last id.
            may_have_missed = end.is_err() || parser.last_event_id().is_empty();
            let _ = contain(|| self.end_stream(end));
        }
    }

    /// Waits until a stream is to be opened; false if there will not be one.
    fn wait_to_connect(&self) -> bool {
        let mut state = self.lock();
        loop {
            if state.is_stopped || !state.offers_stream {
                // Under the same lock, so that the next offer starts another thread.
                state.threads.follows_stream = false;
                if !state.is_stopped {
                    state.stream = StreamState::Off(StreamOff::NotOffered);
                }
                return false;
            }
            let now = self.now();
            match state.act(now) {
                None => return true,
                Some(due) => {
                    let left = due.saturating_sub(now);
                    let waited = self.stream_changed.wait_timeout(state, left);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// Opens a stream, and reads it to its end.
    fn follow_stream(
        &self,
        parser: &mut EventParser,
        may_have_missed: bool,
    ) -> Result<(), FetchError> {
        let mut state = self.lock();
        if matches!(state.stream, StreamState::Off(_)) {
            state.stream = StreamState::Connecting;
        }
        drop(state);
        parser.reconnect();
        let mut stream = self.stream.open(parser.last_event_id(), &self.settings.limits)?;
        let mut state = self.lock();
        let now = self.now();
        state.schedule.stream_opened(now);
        if may_have_missed {
            state.answers.doubt(now);
        }
        state.nothing_missed(now);
        state.counters.streams_opened += 1;
        state.stream = StreamState::Open;
        let note = state.health.stream_opened();
        drop(state);
        health::log(note);
        self.read_to_end(&mut stream, parser)
    }

    fn read_to_end(
        &self,
        stream: &mut EventStream,
        parser: &mut EventParser,
    ) -> Result<(), FetchError> {
        let mut updates = Vec::new();
        loop {
            let until = {
                let mut state = self.lock();
                if state.is_stopped {
                    return Ok(());
                }
                let now = self.now();
                let silent_until = state.schedule.silent_until();
                state.act(now).into_iter().chain(silent_until).min().unwrap_or(now)
            };
            // Bytes that have arrived are read even if the time is over.
            let wait = until.saturating_sub(self.now()).max(Duration::from_millis(1));
            match stream.read(parser, wait, |update| updates.push(update))? {
                StreamRead::Data => {
                    let now = self.now();
                    self.lock().schedule.stream_data(now);
                }
                StreamRead::Nothing if self.lock().schedule.is_silent(self.now()) => {
                    return Err(FetchErrorKind::Timeout.into());
                }
                StreamRead::Nothing => {}
                StreamRead::End => return Ok(()),
            }
            updates.drain(..).for_each(|update| self.follow_update(&update));
        }
    }

    fn follow_update(&self, update: &Update) {
        let mut state = self.lock();
        match update {
            // The payload is not for one user. But it shows that the payload has changed.
            Update::Refetch | Update::Payload(_) | Update::Oversized => {
                state.answers.changed();
                state.counters.changes += 1;
                state.schedule.stream_proved();
            }
            Update::Retry(delay) => state.schedule.stream_retry(*delay),
            Update::Ping => {}
        }
    }

    fn end_stream(&self, end: Result<(), FetchError>) {
        let mut state = self.lock();
        let now = self.now();
        let retry_after = end.as_ref().err().and_then(|error| error.retry_after);
        let is_brief = state.schedule.is_brief(now) == Some(true);
        let (end, note) = match end {
            Ok(()) if is_brief => {
                (StreamEnd::Ended, state.lost(FetchErrorKind::BriefStream.into()))
            }
            Ok(()) => {
                state.stream = StreamState::Connecting;
                (StreamEnd::Ended, None)
            }
            Err(error) => match error.kind() {
                FetchErrorKind::Status { code: 204, .. } => {
                    state.stream = StreamState::Off(StreamOff::Declined);
                    (StreamEnd::NoStream, None)
                }
                kind => {
                    let end = match kind.prospect() {
                        Prospect::Refused => StreamEnd::Refused,
                        Prospect::Doubtful => StreamEnd::Doubtful,
                        Prospect::Good if state.schedule.is_silent(now) => StreamEnd::Silent,
                        Prospect::Good => StreamEnd::Failed,
                    };
                    (end, state.lost(error))
                }
            },
        };
        state.schedule.stream_ended(now, end, retry_after);
        let is_stopped = state.is_stopped;
        drop(state);
        if !is_stopped {
            health::log(note);
        }
    }
}

impl State {
    /// Doubts the answers if changes may have been missed. Returns when to look again; `None` if a
    /// stream is to be opened.
    fn act(&mut self, now: Time) -> Option<Time> {
        loop {
            match self.schedule.next(now) {
                Action::Connect => return None,
                Action::Fetch => {
                    self.answers.doubt(now);
                    self.nothing_missed(now);
                }
                Action::Wait(due) => return Some(due.unwrap_or(Time::MAX)),
            }
        }
    }

    /// The schedule of fetches: the answers were doubted, which counts as a fetch.
    fn nothing_missed(&mut self, now: Time) {
        self.schedule.fetch_begins(now);
        self.schedule.fetched(now, FetchOutcome::Success { streaming: None });
    }

    fn lost(&mut self, error: FetchError) -> health::Note {
        let note = self.health.stream_lost(&error);
        self.stream = StreamState::Lost { error };
        note
    }
}
