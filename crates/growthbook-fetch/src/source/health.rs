//! The status of refreshing, and its log records: one for a change, none for a repetition.

use std::time::SystemTime;

use growthbook_support::Level;

use crate::error::{FetchError, FetchErrorKind};
use crate::status::{Counters, LastError, StreamOff, StreamState};

/// The status of refreshing.
#[derive(Default)]
pub(super) struct Health {
    pub(super) counters: Counters,
    last_error: Option<LastError>,
    stream: Stream,
}

#[derive(Default)]
struct Stream {
    wanted: bool,
    /// Whether a stream was opened, or could not be opened.
    was_tried: bool,
    offered: Option<bool>,
    /// `None` before the first stream, and while no stream is wanted.
    state: Option<StreamState>,
    /// The last failure, until a stream is open again.
    failure: Option<FetchErrorKind>,
    /// Whether the last stream ended soon after it was opened. The next one may do the same, so its
    /// opening is not logged yet.
    was_brief: bool,
}

/// A log record, to be written under no lock: a logger may do anything.
#[must_use]
pub(super) struct Note(Option<(Level, String)>);

impl Note {
    pub(super) const NONE: Note = Note(None);

    fn new(level: Level, text: String) -> Self {
        Note(Some((level, text)))
    }

    /// The first failure is a warning. A failure of another kind than before is logged at `debug`,
    /// and the same kind not at all.
    fn failure(
        before: Option<FetchErrorKind>,
        error: &FetchError,
        text: impl FnOnce() -> String,
    ) -> Self {
        match before {
            None => Note::new(Level::Warn, text()),
            Some(kind) if kind != error.kind() => Note::new(Level::Debug, text()),
            Some(_) => Note::NONE,
        }
    }

    pub(super) fn log(self) {
        if let Some((level, text)) = self.0 {
            growthbook_support::log!(level, "{text}");
        }
    }
}

impl Health {
    /// A fetch succeeded.
    pub(super) fn fetched(&mut self, streaming: Option<bool>) -> Note {
        if streaming.is_some() {
            self.stream.offered = streaming;
        }
        let Some(failed) = self.last_error.take() else { return Note::NONE };
        let text = format!("refreshing works again, after {} failures", failed.in_a_row);
        Note::new(Level::Info, text)
    }

    /// A fetch failed, or a streamed payload cannot be used.
    pub(super) fn failed(&mut self, error: &FetchError) -> Note {
        if error.kind() == FetchErrorKind::Closed {
            return Note::NONE;
        }
        self.counters.failures += 1;
        let before = self.last_error.take();
        let in_a_row = before.as_ref().map_or(0, |last| last.in_a_row) + 1;
        self.last_error = Some(LastError { error: error.clone(), at: SystemTime::now(), in_a_row });
        let before = before.map(|last| last.error.kind());
        Note::failure(before, error, || format!("refreshing fails: {error}"))
    }

    pub(super) fn wants_stream(&mut self, wanted: bool) {
        self.stream.wanted = wanted;
    }

    pub(super) fn stream_connecting(&mut self) {
        self.counters.stream_reconnects += u64::from(self.stream.was_tried);
        self.stream.was_tried = true;
        // A lost stream stays `Lost` until another one is open.
        if self.stream.state.is_none() {
            self.stream.state = Some(StreamState::Connecting);
        }
    }

    pub(super) fn stream_opened(&mut self) -> Note {
        self.counters.streams_opened += 1;
        self.stream.state = Some(StreamState::Open);
        if self.stream.was_brief {
            return Note::new(Level::Debug, "the stream is open again after a short one".into());
        }
        self.streamed()
    }

    /// A stream has ended, after a short time or a longer one.
    pub(super) fn stream_was_brief(&mut self, was_brief: bool) {
        self.stream.was_brief = was_brief;
    }

    /// The server ended the stream, as servers do from time to time, or it is no longer wanted.
    pub(super) fn stream_ended(&mut self, is_wanted: bool) -> Note {
        self.stream.state = is_wanted.then_some(StreamState::Connecting);
        if is_wanted { self.streamed() } else { Note::NONE }
    }

    fn streamed(&mut self) -> Note {
        match self.stream.failure.take() {
            Some(_) => Note::new(Level::Info, "changes are streamed again".into()),
            None => Note::new(Level::Debug, "changes are streamed".into()),
        }
    }

    /// The worker panicked, perhaps while it read the stream.
    pub(super) fn stream_broke(&mut self, error: &FetchError) -> Note {
        match self.stream.state {
            Some(StreamState::Open | StreamState::Connecting) => self.stream_lost(error),
            _ => Note::NONE,
        }
    }

    pub(super) fn stream_lost(&mut self, error: &FetchError) -> Note {
        self.stream.state = Some(StreamState::Lost { error: error.clone() });
        let before = self.stream.failure.replace(error.kind());
        Note::failure(before, error, || {
            format!("changes are not streamed: {error}; polling instead")
        })
    }

    pub(super) fn stream_declined(&mut self) -> Note {
        let declined = StreamState::Off(StreamOff::Declined);
        match self.stream.state.replace(declined) {
            Some(StreamState::Off(StreamOff::Declined)) => Note::NONE,
            _ => Note::new(Level::Info, "the server has no stream; polling instead".into()),
        }
    }

    pub(super) fn last_error(&self) -> Option<LastError> {
        self.last_error.clone()
    }

    /// Returns the state of the stream.
    pub(super) fn stream(&self) -> StreamState {
        match &self.stream.state {
            _ if !self.stream.wanted => StreamState::Off(StreamOff::NotWanted),
            // An open stream is kept, even if the server no longer offers streams.
            Some(StreamState::Open) => StreamState::Open,
            _ if self.stream.offered == Some(false) => StreamState::Off(StreamOff::NotOffered),
            Some(state) => state.clone(),
            None => StreamState::Off(StreamOff::NotKnownYet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(note: &Note) -> Option<Level> {
        note.0.as_ref().map(|(level, _)| *level)
    }

    #[test]
    fn brief_streams_are_logged_once() {
        let mut health = Health::default();
        let brief = FetchErrorKind::BriefStream.into();
        let mut round = || {
            let opened = level(&health.stream_opened());
            health.stream_was_brief(true);
            (opened, level(&health.stream_lost(&brief)))
        };
        assert_eq!(round(), (Some(Level::Debug), Some(Level::Warn)));
        assert_eq!(round(), (Some(Level::Debug), None));
        assert_eq!(round(), (Some(Level::Debug), None));
        // A stream that lasts ends the series.
        assert_eq!(level(&health.stream_opened()), Some(Level::Debug));
        health.stream_was_brief(false);
        assert_eq!(level(&health.stream_ended(true)), Some(Level::Info));
        assert_eq!(level(&health.stream_opened()), Some(Level::Debug));
    }
}
