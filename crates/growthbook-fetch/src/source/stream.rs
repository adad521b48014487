//! Following a stream from its beginning to its end.

use std::time::{Duration, SystemTime};

use growthbook_core::PayloadSource;
use growthbook_core::cache::CachedPayload;

use super::Source;
use crate::error::{FetchError, FetchErrorKind};
use crate::http::{EventStream, StreamRead, Update, likely_tag};
use crate::schedule::{Action, Prospect, StreamEnd};
use crate::sse::EventParser;
use crate::time::unix_millis;

impl Source {
    /// Opens a stream and reads it until it ends or is no longer wanted. Does the fetches that are
    /// due meanwhile.
    pub(super) fn follow_stream(&self, parser: &mut EventParser) {
        let mut state = self.lock();
        state.health.stream_connecting();
        let limits = state.limits;
        drop(state);
        parser.reconnect();
        parser.set_max_event_bytes(limits.max_event_bytes());
        let end = match self.stream.open(parser.last_event_id(), &limits) {
            Ok(mut stream) => {
                let mut state = self.lock();
                let now = self.now();
                state.schedule.stream_opened(now);
                let note = state.health.stream_opened();
                drop(state);
                note.log();
                self.publish_metrics();
                self.read_to_end(&mut stream, parser)
            }
            Err(error) => Err(error),
        };
        self.end_stream(end);
    }

    fn end_stream(&self, end: Result<StreamEnd, FetchError>) {
        let mut state = self.lock();
        let now = self.now();
        let is_wanted = !state.stopped && state.schedule.wants_stream();
        let retry_after = end.as_ref().err().and_then(|error| error.retry_after);
        let was_brief = state.schedule.is_brief(now);
        if let Some(was_brief) = was_brief {
            state.health.stream_was_brief(was_brief);
        }
        let (end, note) = match end {
            Err(error) if is_wanted => match error.kind() {
                FetchErrorKind::Status { code: 204, .. } => {
                    (StreamEnd::NoStream, state.health.stream_declined())
                }
                kind => {
                    let end = match kind.prospect() {
                        Prospect::Refused => StreamEnd::Refused,
                        Prospect::Doubtful => StreamEnd::Doubtful,
                        Prospect::Good
                            if kind == FetchErrorKind::Timeout && state.schedule.is_silent(now) =>
                        {
                            StreamEnd::Silent
                        }
                        Prospect::Good => StreamEnd::Failed,
                    };
                    (end, state.health.stream_lost(&error))
                }
            },
            _ if is_wanted && was_brief == Some(true) => {
                (StreamEnd::Ended, state.health.stream_lost(&FetchErrorKind::BriefStream.into()))
            }
            _ => (StreamEnd::Ended, state.health.stream_ended(is_wanted)),
        };
        state.schedule.stream_ended(now, end, retry_after);
        self.close_idle_connection(&state);
        drop(state);
        note.log();
    }

    fn read_to_end(
        &self,
        stream: &mut EventStream,
        parser: &mut EventParser,
    ) -> Result<StreamEnd, FetchError> {
        let mut updates = Vec::new();
        loop {
            let until = {
                let state = self.lock();
                if state.stopped || !state.schedule.wants_stream() {
                    return Ok(StreamEnd::Ended);
                }
                let silent_until = state.schedule.silent_until();
                match state.schedule.next(self.now()) {
                    Action::Wait(due) => due.into_iter().chain(silent_until).min(),
                    _ => None,
                }
            };
            let Some(until) = until else {
                self.fetch_with_lease();
                continue;
            };
            // Bytes that have arrived are read even if the time is over.
            let wait = until.saturating_sub(self.now()).max(Duration::from_millis(1));
            match stream.read(parser, wait, |update| updates.push(update))? {
                StreamRead::Data => {
                    let now = self.now();
                    self.lock().schedule.stream_data(now);
                }
                StreamRead::Nothing if self.lock().schedule.is_silent(self.now()) => {
                    return Err(FetchError::new(FetchErrorKind::Timeout));
                }
                StreamRead::Nothing => {}
                StreamRead::End => return Ok(StreamEnd::Ended),
            }
            updates.drain(..).for_each(|update| self.follow_update(update));
            self.publish_metrics();
        }
    }

    fn follow_update(&self, update: Update) {
        match update {
            Update::Payload(document) => self.follow_payload(document),
            Update::Refetch => {
                let mut state = self.lock();
                state.health.counters.stream_events += 1;
                let now = self.now();
                state.schedule.noticed(now);
                state.schedule.stream_proved();
            }
            Update::Retry(delay) => self.lock().schedule.stream_retry(delay),
            Update::Oversized => {
                let limit = self.lock().limits.max_body_bytes;
                self.stream_failed(&FetchError::new(FetchErrorKind::TooLarge { limit }));
            }
            Update::Ping => {}
        }
    }

    fn follow_payload(&self, document: String) {
        self.lock().health.counters.stream_events += 1;
        let fetched_at = unix_millis(SystemTime::now());
        // With a known document, the server's own tag stays.
        let etag = (!self.is_latest(&document)).then(|| likely_tag(&document));
        let payload =
            CachedPayload { document: document.into(), etag, streaming: true, fetched_at };
        let sequence = self.draw_sequence();
        let delivery = self.deliver(payload, PayloadSource::Network, sequence);
        match delivery.outcome() {
            Ok(()) => {
                let mut state = self.lock();
                state.schedule.stream_proved();
                let note = state.health.fetched(None);
                drop(state);
                note.log();
            }
            Err(error) => self.stream_failed(&error),
        }
        delivery.notify();
    }

    /// A streamed payload cannot be used, so a fetch asks for it.
    fn stream_failed(&self, error: &FetchError) {
        let mut state = self.lock();
        let now = self.now();
        state.schedule.event_failed(now);
        let note = state.health.failed(error);
        let members = state.members();
        drop(state);
        note.log();
        members.iter().for_each(|member| member.failed(error));
        self.notify_of_failure(error);
    }
}
