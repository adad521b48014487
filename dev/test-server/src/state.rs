//! What a server's threads share: settings, scripts, open streams, and what happened.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Request;
use crate::channel::Channel;
use crate::http::Route;
use crate::reply::Reply;

/// What happened since the server was started. Restarts do not reset it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections accepted.
    pub connections: usize,
    /// Of these, those still open.
    pub open_connections: usize,
    /// Requests, those for unknown paths among them.
    pub requests: usize,
    /// Requests for features, scripted replies included.
    pub features: usize,
    /// Of these, those answered with 304 unscripted.
    pub not_modified: usize,
    /// Requests for a stream, scripted replies included.
    pub streams: usize,
    /// Streams that a push would reach.
    pub open_streams: usize,
}

/// One lock and one condition for everything: no test is large enough to notice.
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
    pub(crate) channel: Channel,
    pub(crate) requests: Vec<Request>,
    pub(crate) not_modified: usize,
    connections: usize,
    open_connections: HashSet<usize>,
}

/// What to say instead of the normal reply.
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
            channel: Channel::new(Instant::now()),
            requests: Vec::new(),
            not_modified: 0,
            connections: 0,
            open_connections: HashSet::new(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Poisoning is ignored: a test that failed elsewhere still has to be able to stop its server.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes everybody who waits for a change.
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

    /// `predicate` is called without the lock, so that it may ask the server more.
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
        let on = |route| self.requests.iter().filter(|request| request.route() == route).count();
        Counts {
            connections: self.connections,
            open_connections: self.open_connections.len(),
            requests: self.requests.len(),
            features: on(Route::Features),
            not_modified: self.not_modified,
            streams: on(Route::Stream),
            open_streams: self.channel.open_streams(),
        }
    }

    /// Counts a new connection and gives it its number, the first 1.
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

    /// Takes what to answer the next request on `route` with.
    pub(crate) fn next_reply(&mut self, route: Route) -> Reply {
        let script = match route {
            Route::Features => &mut self.features_script,
            Route::Stream => &mut self.stream_script,
            Route::Unknown => return Reply::normal(),
        };
        script.next.pop_front().or_else(|| script.always.clone()).unwrap_or_else(Reply::normal)
    }
}
