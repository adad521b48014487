//! The state of remote evaluation that callers, workers and the stream share, and its transitions.

use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use growthbook_core::Snapshot;
use growthbook_net::Interrupt;

use super::answers::{Answers, Found, Kept};
use super::flight::Flight;
use super::flights::Flights;
use super::health::{self, Health};
use super::options::RemoteOptions;
use super::pauses::Pauses;
use super::request::RemoteRequest;
use super::status::{NoAnswer, RemoteCounters, RemoteStatus, UserAnswer};
use super::threads::Threads;
use crate::config_error::ConfigError;
use crate::error::{FetchError, FetchErrorKind};
use crate::http::{Settings, StreamClient};
use crate::live::{InUse, log_warnings};
use crate::options::Refresh;
use crate::schedule::{FetchOutcome, Plan, Schedule, Time};
use crate::status::{StreamOff, StreamState};

/// As good as forever: nothing is polled.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Asks the server for the answers of all users.
///
/// The lock of `state` is held for moments only: never while waiting for the network, compiling an
/// answer, or calling the application or a logger.
pub(super) struct RemoteSource {
    pub(super) settings: Settings,
    pub(super) stream: StreamClient,
    /// Ends the waits of all workers.
    pub(super) interrupt: Arc<Interrupt>,
    pub(super) max_workers: usize,
    on_failure: Arc<OnFailure>,
    /// The process that made the source.
    process: u32,
    /// The start of the source's time.
    origin: Instant,
    state: Mutex<State>,
    /// Notified when a request waits, and when the source stops.
    pub(super) has_work: Condvar,
    /// Notified when the stream may have something to do.
    pub(super) stream_changed: Condvar,
    /// Notified when a thread ends.
    pub(super) thread_ended: Condvar,
}

pub(super) type OnFailure = dyn Fn(&FetchError) + Send + Sync;

pub(super) struct State {
    pub(super) answers: Answers,
    pub(super) flights: Flights,
    pauses: Pauses,
    pub(super) health: Health,
    pub(super) counters: RemoteCounters,
    pub(super) threads: Threads,
    /// When to open a stream, and when changes may have been missed.
    pub(super) schedule: Schedule,
    pub(super) stream: StreamState,
    /// Whether the server offers a stream, as it last said.
    pub(super) offers_stream: bool,
    /// The number of changes at which warnings were last logged.
    warned: Option<u64>,
    /// No further request or stream begins.
    pub(super) is_stopped: bool,
}

/// A request that a worker sends.
pub(super) struct Job {
    pub(super) flight: Arc<Flight>,
    /// The snapshot with which the answer shares definitions.
    pub(super) newest: Arc<Snapshot>,
    sent: Time,
    changes: u64,
}

/// An answer as a worker received it.
pub(super) struct Received {
    pub(super) in_use: Arc<InUse>,
    /// The length of its text.
    pub(super) bytes: usize,
    /// Whether the server offers a stream.
    pub(super) streaming: bool,
}

/// The result of looking for an answer.
pub(super) enum Looked {
    /// There is nothing to wait for.
    Done(UserAnswer),
    /// The server is asked. The last answer is used if that fails.
    Waiting { flight: Arc<Flight>, last: Option<Kept> },
}

impl RemoteSource {
    pub(super) fn new(
        options: &RemoteOptions,
        on_failure: Arc<OnFailure>,
    ) -> Result<Arc<Self>, ConfigError> {
        let settings = Settings::check(&options.fetch)?;
        if settings.is_on_growthbook_cloud() {
            return Err(ConfigError::CloudHost);
        }
        let wants_stream = options.fetch.refresh == Refresh::Stream;
        let mut schedule = Schedule::new(seed(), settings.limits.stream_timeout);
        let plan = Plan { stream: wants_stream, interval: Some(NEVER) };
        schedule.set_plan(plan, Time::ZERO, NEVER);
        let off = if wants_stream { StreamOff::NotKnownYet } else { StreamOff::NotWanted };
        Ok(Arc::new(RemoteSource {
            stream: StreamClient::new(&settings),
            settings,
            interrupt: Arc::default(),
            max_workers: options.max_requests.get(),
            on_failure,
            process: process::id(),
            origin: Instant::now(),
            state: Mutex::new(State {
                answers: Answers::new(options, seed()),
                flights: Flights::default(),
                pauses: Pauses::new(seed()),
                health: Health::default(),
                counters: RemoteCounters::default(),
                threads: Threads::default(),
                schedule,
                stream: StreamState::Off(off),
                offers_stream: false,
                warned: None,
                is_stopped: false,
            }),
            has_work: Condvar::new(),
            stream_changed: Condvar::new(),
            thread_ended: Condvar::new(),
        }))
    }

    /// Whether this process is a child that was forked after the source was made. Its threads and
    /// sockets are the parent's, and its locks may be held by threads that do not exist.
    pub(super) fn is_left_behind(&self) -> bool {
        self.process != process::id()
    }

    /// Looks for the answer to a request, and asks the server if necessary.
    pub(super) fn look_up(self: &Arc<Self>, request: &RemoteRequest) -> Looked {
        let mut state = self.lock();
        let now = self.now();
        match state.answers.find(&request.key(), now) {
            Found::Use { kept, refresh, error } => {
                if refresh {
                    // If it cannot be sent now, the next use of the answer tries again.
                    let _ = self.send(&mut state, request, false);
                }
                Looked::Done(self.used(Some(kept), error.map(NoAnswer::from)))
            }
            Found::Failed { kept, error } => Looked::Done(self.used(kept, Some(error.into()))),
            Found::Ask { kept } => match self.send(&mut state, request, true) {
                Ok(flight) => Looked::Waiting { flight, last: kept },
                Err(error) => Looked::Done(self.used(kept, Some(error.into()))),
            },
        }
    }

    /// Describes an answer that is used.
    pub(super) fn used(&self, kept: Option<Kept>, error: Option<NoAnswer>) -> UserAnswer {
        let age = kept.as_ref().map(|kept| self.now().saturating_sub(kept.at));
        UserAnswer { answer: kept.map(|kept| kept.in_use), age, error }
    }

    /// Lets a worker send a request, or joins the one in progress.
    fn send(
        self: &Arc<Self>,
        state: &mut State,
        request: &RemoteRequest,
        is_urgent: bool,
    ) -> Result<Arc<Flight>, FetchError> {
        if state.is_stopped {
            return Err(FetchErrorKind::Closed.into());
        }
        let changes = state.answers.changes();
        if let Some(flight) = state.flights.join(request, is_urgent, changes) {
            return Ok(flight);
        }
        if !state.flights.has_room(is_urgent) {
            return Err(FetchErrorKind::Busy.into());
        }
        state.pauses.permit(self.now())?;
        if let Err(error) = self.provide_worker(state) {
            state.pauses.abandoned();
            return Err(FetchError::with_source(FetchErrorKind::System, error));
        }
        let flight = state.flights.add(request, is_urgent);
        self.has_work.notify_one();
        Ok(flight)
    }

    /// Returns the next request to send, if one waits.
    pub(super) fn next_job(&self, state: &mut State) -> Option<Job> {
        let changes = state.answers.changes();
        let flight = state.flights.next(changes)?;
        state.counters.requests += 1;
        Some(Job { flight, newest: state.answers.newest(), sent: self.now(), changes })
    }

    /// Ends a request: keeps the answer, or notes the failure, and wakes all that wait.
    pub(super) fn land(self: &Arc<Self>, job: &Job, received: Result<Received, FetchError>) {
        let mut state = self.lock();
        state.flights.landed(&job.flight);
        if state.is_stopped {
            let waiting = state.flights.take_waiting();
            drop(state);
            let closed = || Err(FetchErrorKind::Closed.into());
            waiting.iter().chain([&job.flight]).for_each(|flight| flight.land(closed()));
            return;
        }
        match received {
            Ok(received) => self.land_answer(state, job, received),
            Err(error) => self.land_failure(state, job, error),
        }
    }

    fn land_answer(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        job: &Job,
        received: Received,
    ) {
        let Received { in_use, bytes, streaming } = received;
        let snapshot = in_use.snapshot().clone();
        let key = job.flight.request.key();
        let (kept, forgotten) = state.answers.answered(key, (in_use, bytes), job.sent, job.changes);
        let failures = state.pauses.succeeded();
        let note = state.health.answered(failures);
        let warns = !snapshot.warnings().is_empty() && state.warned != Some(job.changes);
        if warns {
            state.warned = Some(job.changes);
        }
        self.stream_is_offered(&mut state, streaming);
        drop(state);
        job.flight.land(Ok(kept));
        health::log(note);
        if warns {
            // The answers of other users have the same warnings, which are not repeated.
            log_warnings(&snapshot);
        }
        drop(forgotten);
    }

    fn land_failure(&self, mut state: MutexGuard<'_, State>, job: &Job, error: FetchError) {
        let now = self.now();
        let is_about_user = is_about_user(error.kind());
        let key = job.flight.request.key();
        let forgotten = state.answers.failed(key, &error, is_about_user, now);
        let mut given_up = Vec::new();
        if is_about_user {
            state.pauses.abandoned();
        } else if state.pauses.failed(&error, now) {
            given_up = state.flights.take_waiting();
        }
        state.counters.failures += 1;
        let note = state.health.failed(&error, is_about_user);
        drop(state);
        job.flight.land(Err(error.clone()));
        given_up.iter().for_each(|flight| flight.land(Err(error.clone())));
        health::log(note);
        drop(forgotten);
        (self.on_failure)(&error);
    }

    /// Notes whether the server offers a stream of notices.
    fn stream_is_offered(self: &Arc<Self>, state: &mut State, is_offered: bool) {
        if !state.schedule.wants_stream() || state.offers_stream == is_offered || state.is_stopped {
            return;
        }
        state.offers_stream = is_offered;
        let outcome = FetchOutcome::Success { streaming: Some(is_offered) };
        state.schedule.fetched(self.now(), outcome);
        if is_offered {
            // Without a thread, answers are refreshed as they age. The next offer tries again.
            state.offers_stream = self.provide_follower(state).is_ok();
        } else if !matches!(state.stream, StreamState::Open) {
            state.stream = StreamState::Off(StreamOff::NotOffered);
        }
        self.stream_changed.notify_all();
    }

    pub(super) fn status(&self) -> RemoteStatus {
        let state = self.lock();
        let (answers, answer_bytes) = state.answers.size();
        RemoteStatus {
            answers,
            answer_bytes,
            waiting: state.flights.waiting(),
            last_error: state.health.last_error(),
            stream: if state.is_stopped {
                StreamState::Off(StreamOff::Closed)
            } else {
                state.stream.clone()
            },
            counters: state.counters,
        }
    }

    /// Ends all requests and the stream. Answers stay in use.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopped = true;
        let waiting = state.flights.take_waiting();
        drop(state);
        self.interrupt.stop();
        self.stream.shut_down();
        self.has_work.notify_all();
        self.stream_changed.notify_all();
        waiting.iter().for_each(|flight| flight.land(Err(FetchErrorKind::Closed.into())));
    }

    pub(super) fn now(&self) -> Time {
        self.origin.elapsed()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a failure is about one user's request or answer. Other users may still get an answer.
fn is_about_user(kind: FetchErrorKind) -> bool {
    matches!(
        kind,
        FetchErrorKind::Status { code: 400 | 413 | 414 | 422 | 431, unrecoverable: false }
            | FetchErrorKind::Payload(_)
            | FetchErrorKind::TooLarge { .. }
            | FetchErrorKind::Panicked
    )
}

/// Returns a seed that differs between sources, processes and runs.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(process::id())
}
