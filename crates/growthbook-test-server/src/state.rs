//! The shared state of a server's threads: settings, scripts, open streams and counts.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Request;
use crate::channel::Channel;
use crate::http::Route;
use crate::reply::Reply;

/// The counts since the server was started. A restart does not reset them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of accepted connections.
    pub connections: usize,
    /// The number of open connections.
    pub open_connections: usize,
    /// The number of requests, including those for unknown paths.
    pub requests: usize,
    /// The number of requests for features, including those with scripted replies.
    pub features: usize,
    /// The number of requests for features that were answered with 304 without a script.
    pub not_modified: usize,
    /// The number of requests for a stream, including those with scripted replies.
    pub streams: usize,
    /// The number of streams that an event would reach.
    pub open_streams: usize,
    /// The number of requests with tracking events, including those with scripted replies.
    pub tracks: usize,
    /// The number of requests for remote evaluation, including those with scripted replies.
    pub evals: usize,
}

/// Answers the body of a request for remote evaluation.
#[derive(Clone)]
pub(crate) struct Evaluate(pub(crate) Arc<EvaluateFn>);

type EvaluateFn = dyn Fn(&[u8]) -> Answer + Send + Sync;

/// The status and the body of an answer.
pub(crate) type Answer = (u16, String);

impl fmt::Debug for Evaluate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Evaluate")
    }
}

/// The state, with one lock and one condition variable. That is fast enough for tests.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) payload: String,
    pub(crate) streaming: bool,
    pub(crate) etags: bool,
    pub(crate) gzip: bool,
    pub(crate) features_script: Script,
    pub(crate) stream_script: Script,
    pub(crate) track_script: Script,
    pub(crate) eval_script: Script,
    /// The answers of remote evaluation. Without it, the payload is the answer.
    pub(crate) evaluate: Option<Evaluate>,
    pub(crate) channel: Channel,
    pub(crate) requests: Vec<Request>,
    /// Whether requests are kept.
    pub(crate) keeps_requests: bool,
    /// The number of requests for each route, in the order of [`Route`].
    received: [usize; 5],
    pub(crate) not_modified: usize,
    connections: usize,
    open_connections: HashSet<usize>,
}

/// The replies that replace the normal one.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) next: VecDeque<Reply>,
    pub(crate) always: Option<Reply>,
}

impl Shared {
    pub(crate) fn new(payload: &str) -> Self {
        let state = State {
            payload: payload.to_owned(),
            streaming: true,
            etags: true,
            gzip: false,
            features_script: Script::default(),
            stream_script: Script::default(),
            track_script: Script::default(),
            eval_script: Script::default(),
            evaluate: None,
            channel: Channel::new(Instant::now()),
            requests: Vec::new(),
            keeps_requests: true,
            received: [0; 5],
            not_modified: 0,
            connections: 0,
            open_connections: HashSet::new(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Locks the state. Ignores poisoning: a failed test must still be able to stop its server.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and notifies all threads that wait for a change.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits for a change of the state, at most until `deadline`.
    pub(crate) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        deadline: Instant,
    ) -> MutexGuard<'a, State> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until `predicate` holds. Calls it without the lock, so that it may use the server.
    pub(crate) fn wait_until(
        &self,
        timeout: Duration,
        predicate: impl Fn(&Counts) -> bool,
    ) -> bool {
        let deadline = Instant::now() + timeout;
        let mut counts = self.lock().counts();
        loop {
            if predicate(&counts) {
                return true;
            }
            let mut state = self.lock();
            while state.counts() == counts {
                if Instant::now() >= deadline {
                    return false;
                }
                state = self.wait(state, deadline);
            }
            counts = state.counts();
        }
    }
}

impl State {
    pub(crate) fn counts(&self) -> Counts {
        let on = |route: Route| self.received.get(route as usize).copied().unwrap_or_default();
        Counts {
            connections: self.connections,
            open_connections: self.open_connections.len(),
            requests: self.received.iter().sum(),
            features: on(Route::Features),
            not_modified: self.not_modified,
            streams: on(Route::Stream),
            open_streams: self.channel.open_streams(),
            tracks: on(Route::Track),
            evals: on(Route::Eval),
        }
    }

    /// Counts a request, and keeps it.
    pub(crate) fn receive(&mut self, request: &Request) {
        if let Some(count) = self.received.get_mut(request.route() as usize) {
            *count += 1;
        }
        if self.keeps_requests {
            self.requests.push(request.clone());
        }
    }

    /// Counts a new connection and returns its number. The first number is 1.
    pub(crate) fn connect(&mut self) -> usize {
        self.connections += 1;
        self.open_connections.insert(self.connections);
        self.connections
    }

    pub(crate) fn disconnect(&mut self, connection: usize) {
        self.open_connections.remove(&connection);
        self.channel.close(connection);
    }

    pub(crate) fn disconnect_all(&mut self) {
        self.open_connections.clear();
        self.channel.close_all();
    }

    /// Takes the reply to the next request on `route`.
    pub(crate) fn next_reply(&mut self, route: Route) -> Reply {
        let script = match route {
            Route::Features => &mut self.features_script,
            Route::Stream => &mut self.stream_script,
            Route::Track => &mut self.track_script,
            Route::Eval => &mut self.eval_script,
            Route::Unknown => return Reply::normal(),
        };
        script.next.pop_front().or_else(|| script.always.clone()).unwrap_or_else(Reply::normal)
    }
}
