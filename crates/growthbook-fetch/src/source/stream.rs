//! Following a stream: opening it, reading what has arrived, and ending it.

use std::time::SystemTime;

use growthbook_core::PayloadSource;
use growthbook_core::cache::CachedPayload;

use super::Source;
use crate::error::{FetchError, FetchErrorKind};
use crate::http::{EventStream, StreamRead, Update, likely_tag};
use crate::pool::Next;
use crate::schedule::{Prospect, StreamEnd, Time};
use crate::sse::EventParser;
use crate::time::unix_millis;

/// The stream that a source follows. Only the thread that runs the source uses it.
pub(super) struct Following {
    stream: Option<EventStream>,
    /// Keeps the last event's id from stream to stream.
    parser: EventParser,
}

impl Following {
    /// Returns a value without a stream.
    pub(super) fn new(max_event_bytes: usize) -> Self {
        Following { stream: None, parser: EventParser::new(max_event_bytes) }
    }

    pub(super) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Closes the stream, if one is open.
    pub(super) fn close(&mut self) {
        self.stream = None;
    }
}

impl Source {
    /// Opens the stream.
    pub(super) fn open_stream(&self, following: &mut Following) {
        let mut state = self.lock();
        if state.is_paused() {
            return;
        }
        state.health.stream_connecting();
        let limits = state.limits;
        drop(state);
        let parser = &mut following.parser;
        parser.reconnect();
        parser.set_max_event_bytes(limits.max_event_bytes());
        match self.stream.open(parser.last_event_id(), &limits) {
            Ok(stream) => {
                following.stream = Some(stream);
                let mut state = self.lock();
                let now = self.now();
                state.schedule.stream_opened(now);
                let note = state.health.stream_opened();
                drop(state);
                note.log();
            }
            Err(error) => self.end_stream(Err(error)),
        }
    }

    /// Reads what has arrived on the stream, and follows the events in it. Returns when to do this
    /// again: also at the time when something else is due. Without a stream, only the time counts.
    pub(super) fn read_stream(&self, following: &mut Following, due: Option<Time>) -> Next {
        let until = |time: Option<Time>| time.and_then(|time| self.instant(time));
        let Following { stream: Some(stream), parser } = following else {
            return Next::Wait { until: until(due), socket: None };
        };
        let mut updates = Vec::new();
        let end = match stream.read_arrived(parser, |update| updates.push(update)) {
            Ok(StreamRead::Data) => {
                let now = self.now();
                self.lock().schedule.stream_data(now);
                updates.into_iter().for_each(|update| self.follow_update(update));
                return Next::Now;
            }
            Ok(StreamRead::Nothing) => {
                let state = self.lock();
                if !state.schedule.is_silent(self.now()) {
                    let due = due.into_iter().chain(state.schedule.silent_until()).min();
                    return Next::Wait { until: until(due), socket: stream.socket() };
                }
                Err(FetchError::new(FetchErrorKind::Timeout))
            }
            Ok(StreamRead::End) => Ok(StreamEnd::Ended),
            Err(error) => Err(error),
        };
        following.close();
        self.end_stream(end);
        Next::Now
    }

    /// Ends a stream that is no longer wanted, if one is open.
    pub(super) fn end_following(&self, following: &mut Following) {
        if following.is_open() {
            following.close();
            self.end_stream(Ok(StreamEnd::Ended));
        }
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
