//! What is known of how refreshing goes, and what is worth a line in the log: changes, not
//! repetitions.

use std::time::SystemTime;

use crate::LOG_TARGET;
use crate::error::{FetchError, FetchErrorKind};
use crate::status::{Counters, LastError, StreamOff, StreamState};

/// How refreshing goes.
#[derive(Default)]
pub(super) struct Health {
    pub(super) counters: Counters,
    last_error: Option<LastError>,
    stream: Stream,
}

#[derive(Default)]
struct Stream {
    wanted: bool,
    offered: Option<bool>,
    /// Since it was last wanted.
    state: Option<StreamState>,
    /// What was last said of it in the log.
    logged: Option<FetchErrorKind>,
}

impl Health {
    /// A fetch succeeded.
    pub(super) fn fetched(&mut self, streaming: Option<bool>) {
        if let Some(failed) = self.last_error.take() {
            log::info!(target: LOG_TARGET, "refreshing works again, after {} failures", failed.in_a_row);
        }
        if streaming.is_some() {
            self.stream.offered = streaming;
        }
        if streaming == Some(false) {
            self.stream.state = None;
        }
    }

    /// A fetch failed, or a streamed payload was none.
    pub(super) fn failed(&mut self, error: &FetchError) {
        if error.kind() == FetchErrorKind::Closed {
            return;
        }
        self.counters.failures += 1;
        let before = self.last_error.as_ref().map(|last| last.error.kind());
        if before != Some(error.kind()) {
            log::warn!(target: LOG_TARGET, "refreshing fails: {error}{}", cause(error));
        }
        let in_a_row = self.last_error.as_ref().map_or(0, |last| last.in_a_row) + 1;
        self.last_error = Some(LastError { error: error.clone(), at: SystemTime::now(), in_a_row });
    }

    pub(super) fn wants_stream(&mut self, wanted: bool) {
        self.stream.wanted = wanted;
    }

    pub(super) fn stream_connecting(&mut self) {
        // A stream that was lost stays so until another is open.
        if self.stream.state.is_none() {
            self.stream.state = Some(StreamState::Connecting);
        }
    }

    pub(super) fn stream_opened(&mut self) {
        self.counters.streams_opened += 1;
        if self.stream.logged.take().is_some() {
            log::info!(target: LOG_TARGET, "changes are streamed again");
        } else {
            log::debug!(target: LOG_TARGET, "changes are streamed");
        }
        self.stream.state = Some(StreamState::Open);
    }

    /// The server ended the stream, as it does every now and then.
    pub(super) fn stream_ended(&mut self) {
        self.stream.state = Some(StreamState::Connecting);
    }

    pub(super) fn stream_lost(&mut self, error: &FetchError) {
        if self.stream.logged != Some(error.kind()) {
            log::warn!(
                target: LOG_TARGET,
                "changes are not streamed: {error}{}; polling instead", cause(error),
            );
            self.stream.logged = Some(error.kind());
        }
        self.stream.state = Some(StreamState::Lost { error: error.clone() });
    }

    pub(super) fn stream_declined(&mut self) {
        if !matches!(self.stream.state, Some(StreamState::Off(StreamOff::Declined))) {
            log::info!(target: LOG_TARGET, "the server has no stream; polling instead");
        }
        self.stream.state = Some(StreamState::Off(StreamOff::Declined));
    }

    pub(super) fn last_error(&self) -> Option<LastError> {
        self.last_error.clone()
    }

    /// The state of the stream for a client that wants one.
    pub(super) fn stream(&self) -> StreamState {
        match &self.stream.state {
            _ if !self.stream.wanted => StreamState::Off(StreamOff::NotWanted),
            Some(state) => state.clone(),
            None if self.stream.offered == Some(false) => StreamState::Off(StreamOff::NotOffered),
            None => StreamState::Off(StreamOff::NotKnownYet),
        }
    }
}

/// The error's source, in brackets.
fn cause(error: &FetchError) -> String {
    core::error::Error::source(error)
        .map(ToString::to_string)
        .filter(|cause| *cause != error.to_string())
        .map_or_else(String::new, |cause| format!(" ({cause})"))
}
