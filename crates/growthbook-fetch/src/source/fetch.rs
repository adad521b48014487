//! Fetching: one request at a time, shared by all callers.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use growthbook_core::PayloadSource;
use growthbook_core::cache::CachedPayload;
use growthbook_support::contain;

use super::delivery::Delivery;
use super::health::Note;
use super::span::FetchSpan;
use super::{Document, Source, State};
use crate::error::{FetchError, FetchErrorKind};
use crate::http::Reply;
use crate::schedule::FetchOutcome;
use crate::time::unix_millis;

/// A fetch in progress. A waiting thread keeps a reference to it, because the next fetch may begin
/// before the thread wakes up.
#[derive(Default)]
pub(super) struct Flight(OnceLock<Landed>);

/// The end of a fetch.
#[derive(Clone)]
struct Landed {
    outcome: Result<(), FetchError>,
    /// Whether it failed because the thread that began it had a short time limit.
    was_cut_short: bool,
}

impl Source {
    /// Fetches the payload and offers it to all members. During another fetch, it waits for that
    /// one and returns its outcome. It takes no longer than the limit.
    pub(crate) fn fetch(&self, limit: Duration) -> Result<(), FetchError> {
        let start = Instant::now();
        let mut state = self.lock();
        while let Some(flight) = state.flight.clone()
            && !state.stopped
        {
            let landed = loop {
                if let Some(landed) = flight.0.get() {
                    break landed;
                }
                let left = limit.saturating_sub(start.elapsed());
                if left.is_zero() {
                    return Err(FetchError::new(FetchErrorKind::Timeout));
                }
                state = self.wait(state, left);
            };
            if !landed.was_cut_short {
                return landed.outcome.clone();
            }
            // This thread may have more time, and tries again.
        }
        if state.stopped {
            return Err(FetchError::new(FetchErrorKind::Closed));
        }
        if state.is_paused() {
            return Err(FetchError::new(FetchErrorKind::Paused));
        }
        let flight = Arc::<Flight>::default();
        state.flight = Some(flight.clone());
        state.health.counters.fetches += 1;
        let now = self.now();
        state.schedule.fetch_begins(now);
        let known = state
            .latest
            .as_ref()
            .filter(|latest| latest.etag().is_some())
            .map(|latest| latest.document().clone());
        drop(state);

        let mut landing = Landing { source: self, flight, landed: None };
        let left = limit.saturating_sub(start.elapsed());
        let (landed, delivery) = self.fetch_alone(known.as_deref(), left);
        landing.landed = Some(landed.clone());
        drop(landing);
        self.publish_metrics();
        delivery.notify();
        if let Err(error) = &landed.outcome
            && !landed.was_cut_short
        {
            self.notify_of_failure(error);
        }
        landed.outcome
    }

    /// Notifies the sinks of a failure. Call it only when nothing waits for the calling thread: the
    /// application may call back.
    pub(super) fn notify_of_failure(&self, error: &FetchError) {
        if error.kind() != FetchErrorKind::Closed {
            let members = self.lock().members();
            members.iter().for_each(|member| member.refresh_failed(error));
        }
    }

    /// Asks the server whether there is another document than this one.
    fn fetch_alone(&self, known: Option<&Document>, limit: Duration) -> (Landed, Delivery) {
        let start = Instant::now();
        // A logger or a TLS provider may panic in the request, and a sink in the delivery.
        let span = FetchSpan::begin(self.features.address());
        let asked = span.within(|| contain(|| self.ask(known, limit, &span)));
        let Asked { outcome, streaming, delivery } =
            asked.unwrap_or_else(|_| Asked::failed(FetchErrorKind::Panicked.into()));
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
            // The caller's limit was short: this is not a failure of the server.
            Err(_) if was_cut_short => Note::NONE,
            Err(error) => {
                let prospect = error.kind().prospect();
                let retry_after = error.retry_after;
                state.schedule.fetched(now, FetchOutcome::Failure { prospect, retry_after });
                state.health.failed(error)
            }
        };
        let members = state.members();
        drop(state);
        note.log();
        span.end(&outcome);
        if let Err(error) = &outcome {
            members.iter().for_each(|member| member.failed(error));
        }
        (Landed { outcome, was_cut_short }, delivery)
    }

    fn ask(&self, known: Option<&Document>, limit: Duration, span: &FetchSpan) -> Asked {
        let sequence = self.draw_sequence();
        let limits = self.lock().limits;
        let etag = known.and_then(|document| document.payload.etag.as_deref());
        let reply = self.features.fetch(etag, &limits, limit);
        span.replied(&reply);
        let fetched_at = unix_millis(SystemTime::now());
        match (reply, known) {
            (Ok(Reply::Payload { document, etag, streaming }), _) => {
                let payload = CachedPayload { document, etag, streaming, fetched_at };
                let delivery = self.deliver(payload, PayloadSource::Network, sequence);
                Asked { outcome: delivery.outcome(), streaming: Some(streaming), delivery }
            }
            (Ok(Reply::NotModified), Some(document)) => {
                self.lock().health.counters.not_modified += 1;
                self.confirm(document, None, fetched_at, PayloadSource::Network);
                let streaming = Some(document.payload.streaming);
                Asked { outcome: Ok(()), streaming, delivery: Delivery::default() }
            }
            (Ok(Reply::NotModified), None) => {
                Asked::failed(FetchErrorKind::NothingToConfirm.into())
            }
            (Err(error), _) => Asked::failed(error),
        }
    }
}

/// The outcome of a request.
struct Asked {
    outcome: Result<(), FetchError>,
    /// Whether the server streams changes. `None` if it did not say so.
    streaming: Option<bool>,
    delivery: Delivery,
}

impl Asked {
    fn failed(error: FetchError) -> Self {
        Asked { outcome: Err(error), streaming: None, delivery: Delivery::default() }
    }
}

impl State {
    /// Replaces the error of a request that was interrupted because the client was closed.
    pub(super) fn closed_or(&self, error: FetchError) -> FetchError {
        if self.stopped { FetchError::new(FetchErrorKind::Closed) } else { error }
    }
}

/// Ends a fetch when dropped, so that waiting threads wake up even if the fetch panics.
struct Landing<'a> {
    source: &'a Source,
    flight: Arc<Flight>,
    /// `None` until the fetch has ended, and after a panic.
    landed: Option<Landed>,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let panicked =
            || Landed { outcome: Err(FetchErrorKind::Panicked.into()), was_cut_short: false };
        let landed = self.landed.take().unwrap_or_else(panicked);
        let mut state = self.source.lock();
        self.flight.0.get_or_init(|| landed);
        state.flight = None;
        self.source.close_idle_connection(&state);
        drop(state);
        self.source.landed.notify_all();
        // The schedule has changed.
        self.source.wake();
    }
}
