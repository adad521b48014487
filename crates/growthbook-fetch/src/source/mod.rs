//! The part that all clients on one host and key share: one fetch at a time, and one stream.

mod delivery;
mod document;
mod fetch;
mod health;
mod lease;
mod member;
mod member_cache;
#[cfg_attr(not(feature = "metrics"), path = "no_metrics.rs")]
mod metrics;
mod readiness;
mod repeats;
mod run;
#[cfg_attr(not(feature = "tracing"), path = "no_span.rs")]
mod span;
mod stream;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::http::{FeaturesClient, Limits, Settings, StreamClient};
use crate::pool::{Pool, TaskId};
use crate::schedule::{Action, Plan, Schedule, Time};
use crate::status::{FetchStatus, StreamOff, StreamState};
pub(crate) use document::Document;
pub(crate) use member::Member;
pub use readiness::NotReady;

use delivery::Latest;
use fetch::Flight;
use health::Health;
use stream::Following;

/// Fetches and streams the payload of one host and key for all clients on them.
///
/// The lock of `state` is held for moments only: never while waiting for the network, reading a
/// payload, or calling a sink, a cache or a logger.
pub(crate) struct Source {
    features: FeaturesClient,
    stream: StreamClient,
    /// The start of the schedule's time.
    origin: Instant,
    /// The threads that act for the source.
    pool: Arc<Pool>,
    /// The thread that runs the source has it, for as long as the run takes.
    following: Mutex<Following>,
    state: Mutex<State>,
    /// Notified when a fetch has ended.
    landed: Condvar,
}

struct State {
    schedule: Schedule,
    members: Vec<Membership>,
    /// The limits of all members together.
    limits: Limits,
    next_member: MemberId,
    latest: Option<Latest>,
    next_sequence: u64,
    /// The current fetch.
    flight: Option<Arc<Flight>>,
    /// The task of the pool; `None` if there is nothing to do.
    task: Option<TaskId>,
    /// The last member has left: no further fetch or stream begins.
    stopped: bool,
    health: Health,
    #[cfg(feature = "metrics")]
    published: metrics::Published,
}

/// A client's membership in the source.
struct Membership {
    id: MemberId,
    member: Arc<Member>,
    plan: Plan,
    limits: Limits,
    /// A paused client gets no documents, and its plan does not count.
    is_paused: bool,
}

pub(crate) type MemberId = u64;

impl Source {
    /// Returns a source without members. It starts with the cached document.
    pub(crate) fn new(
        settings: &Settings,
        cached: Option<Arc<Document>>,
        pool: Arc<Pool>,
    ) -> Arc<Self> {
        Source::describe_metrics();
        Arc::new(Source {
            features: FeaturesClient::new(settings),
            stream: StreamClient::new(settings),
            origin: Instant::now(),
            pool,
            following: Mutex::new(Following::new(settings.limits.max_event_bytes())),
            state: Mutex::new(State {
                schedule: Schedule::new(seed(), settings.limits.stream_timeout),
                members: Vec::new(),
                limits: settings.limits,
                next_member: 0,
                latest: cached.as_deref().map(Latest::from_cache),
                next_sequence: 1,
                flight: None,
                task: None,
                stopped: false,
                health: Health::default(),
                #[cfg(feature = "metrics")]
                published: metrics::Published::default(),
            }),
            landed: Condvar::new(),
        })
    }

    /// Adds a client. `None` if the last member has just left, and the source has stopped.
    ///
    /// # Errors
    ///
    /// When the system has no thread or file descriptor left.
    pub(crate) fn join(
        self: &Arc<Self>,
        member: Arc<Member>,
        plan: Plan,
        limits: Limits,
        ttl: Duration,
    ) -> std::io::Result<Option<MemberId>> {
        let mut state = self.lock();
        if state.stopped {
            return Ok(None);
        }
        let id = state.next_member;
        state.next_member += 1;
        state.members.push(Membership { id, member, plan, limits, is_paused: false });
        let fresh_for =
            state.latest.as_ref().map_or(Duration::ZERO, |latest| latest.fresh_for(ttl));
        self.follow_plan(&mut state, fresh_for);
        if let Err(error) = self.start(&mut state) {
            state.members.retain(|other| other.id != id);
            self.follow_plan(&mut state, fresh_for);
            return Err(error);
        }
        Ok(Some(id))
    }

    /// Removes a client. The source stops with the last one; false if that takes longer than
    /// allowed.
    pub(crate) fn leave(&self, id: MemberId, deadline: Duration) -> bool {
        let mut state = self.lock();
        state.members.retain(|other| other.id != id);
        self.follow_plan(&mut state, Duration::ZERO);
        if !state.members.is_empty() {
            let wants_stream = state.schedule.wants_stream();
            drop(state);
            if !wants_stream {
                self.stream.interrupt();
            }
            self.wake();
            return true;
        }
        state.stopped = true;
        let task = state.task.take();
        drop(state);
        self.features.shut_down();
        self.stream.shut_down();
        // Threads that wait for a fetch notice that the source has stopped.
        self.landed.notify_all();
        task.is_none_or(|task| self.stop(task, deadline))
    }

    /// Stops refreshing for a client, until it resumes. The others go on.
    pub(crate) fn pause(&self, id: MemberId) {
        let mut state = self.lock();
        state.set_paused(id, true);
        self.follow_plan(&mut state, Duration::ZERO);
        let wants_stream = state.schedule.wants_stream();
        self.close_idle_connection(&state);
        drop(state);
        if !wants_stream {
            self.stream.interrupt();
        }
        self.wake();
    }

    /// Refreshes again for a paused client, and fetches at once unless it is a manual one.
    ///
    /// # Errors
    ///
    /// When the system has no thread or file descriptor left.
    pub(crate) fn resume(self: &Arc<Self>, id: MemberId) -> std::io::Result<()> {
        let mut state = self.lock();
        let is_active = state.set_paused(id, false);
        self.follow_plan(&mut state, Duration::ZERO);
        if is_active {
            let now = self.now();
            state.schedule.fetch_soon(now);
        }
        self.start(&mut state).inspect_err(|_| {
            state.set_paused(id, true);
            self.follow_plan(&mut state, Duration::ZERO);
        })
    }

    /// Whether the last member has left.
    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Returns the part of the status that all members share.
    pub(crate) fn status(&self) -> FetchStatus {
        let state = self.lock();
        FetchStatus {
            last_error: state.health.last_error(),
            stream: if state.stopped {
                StreamState::Off(StreamOff::Closed)
            } else {
                state.health.stream()
            },
            cache_error: None,
            is_paused: false,
            fetched_at: None,
            date_problem: None,
            counters: state.health.counters,
        }
    }

    /// Follows the plans and limits of all members together.
    fn follow_plan(&self, state: &mut State, fresh_for: Duration) {
        let running = state.members.iter().filter(|member| !member.is_paused);
        let plans = running.map(|member| member.plan);
        let plan = plans.fold(Plan::default(), Plan::and);
        state.schedule.set_plan(plan, self.now(), fresh_for);
        state.schedule.set_shared(state.members.iter().any(|it| it.member.is_shared()));
        if let Some(limits) = state.members.iter().map(|member| member.limits).reduce(Limits::and) {
            state.limits = limits;
            state.schedule.set_longest_silence(limits.stream_timeout);
        }
        state.health.wants_stream(plan.stream);
    }

    /// Closes the connection that is kept for the next fetch, unless a fetch is under way or soon due.
    /// The server would close it after a few seconds, and the socket would stay until then.
    fn close_idle_connection(&self, state: &State) {
        /// The GrowthBook Proxy closes an idle connection after 5 seconds.
        const SOON: Duration = Duration::from_secs(4);
        let now = self.now();
        let is_due_soon = match state.schedule.next(now) {
            Action::Wait(due) => due.is_some_and(|due| due <= now.saturating_add(SOON)),
            _ => true,
        };
        if state.flight.is_none() && !is_due_soon {
            self.features.close_idle();
        }
    }

    fn now(&self) -> Time {
        self.origin.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end of a fetch.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, limit: Duration) -> MutexGuard<'a, State> {
        self.landed.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    /// Whether all clients are paused.
    fn is_paused(&self) -> bool {
        !self.members.is_empty() && self.members.iter().all(|member| member.is_paused)
    }

    /// Pauses or resumes a client. Returns whether it refreshes without a call of the application.
    fn set_paused(&mut self, id: MemberId, is_paused: bool) -> bool {
        let member = self.members.iter_mut().find(|member| member.id == id);
        member.is_some_and(|member| {
            member.is_paused = is_paused;
            member.plan.is_active()
        })
    }
}

/// Returns a seed that differs between sources, processes and runs.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
