//! What the Proxy and its API know.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ProxySettings;
use crate::channel::{Channel, Step};

/// The delay before the API is asked again for its connections after a failure.
const LISTING_RETRY: Duration = Duration::from_secs(1);

/// The state, with one lock and one condition variable. That is fast enough for tests.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: ProxySettings,
    /// The payload of the API.
    pub(super) payload: String,
    pub(super) is_api_reachable: bool,
    /// The keys of the API.
    keys: BTreeMap<String, Kind>,
    /// `None` while the Proxy is down.
    run: Option<Run>,
    runs: u64,
    connections: usize,
    /// The streams that a thread still writes, including their last bytes.
    written_streams: usize,
}

/// The kind of a client key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    RemoteEvaluation,
}

/// The memory of the Proxy between its start and its end.
#[derive(Debug)]
struct Run {
    number: u64,
    /// It answers no further request.
    is_ending: bool,
    /// When the keys were first listed. The routes exist from then on.
    able_since: Option<Instant>,
    keys: HashMap<String, Listed>,
}

/// A key that the Proxy knows.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) kind: Kind,
    pub(super) kept: Option<Kept>,
    /// `None` until the key's first fetch.
    channel: Option<Channel>,
}

/// A kept payload.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) payload: String,
    pub(super) fetched: Instant,
}

impl Shared {
    pub(super) fn new(settings: ProxySettings, payload: &str) -> Self {
        let state = State {
            settings,
            payload: payload.to_owned(),
            is_api_reachable: true,
            keys: BTreeMap::new(),
            run: None,
            runs: 0,
            connections: 0,
            written_streams: 0,
        };
        Shared { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Locks the state. Ignores poisoning: a failed test must still be able to stop its server.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and notifies all threads that wait for a change.
    pub(super) fn update<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `predicate` holds. Returns false after `timeout`.
    pub(super) fn wait_until(&self, timeout: Duration, predicate: impl Fn(&State) -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        while !predicate(&state) {
            if Instant::now() >= deadline {
                return false;
            }
            state = self.wait(state, deadline);
        }
        true
    }

    /// Waits as long as the API takes for an answer. Returns false if the Proxy ends meanwhile.
    pub(super) fn ask_api(&self, run: u64) -> bool {
        let latency = self.lock().settings.api_latency;
        !self.wait_until(latency, |state| !state.is_running(run))
    }

    /// Lists the keys of the API at an interval, until this run ends.
    pub(super) fn list_keys(&self, run: u64) {
        while self.ask_api(run) {
            let pause = self.update(|state| state.list_keys(Instant::now()));
            if self.wait_until(pause, |state| !state.is_running(run)) {
                break;
            }
        }
    }

    /// Waits for the next action of a stream. Returns [`Step::Wait`] after `patience`.
    pub(super) fn next_step(&self, run: u64, key: &str, id: usize, patience: Duration) -> Step {
        let give_up = Instant::now() + patience;
        let mut state = self.lock();
        let step = loop {
            match state.step(run, key, id, Instant::now()) {
                Step::Wait(_) if Instant::now() >= give_up => break Step::Wait(give_up),
                Step::Wait(deadline) => state = self.wait(state, deadline.min(give_up)),
                step => break step,
            }
        };
        drop(state);
        if step == Step::End {
            // Another thread may wait until the channel has removed the stream.
            self.changed.notify_all();
        }
        step
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, deadline: Instant) -> MutexGuard<'a, State> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The life of the Proxy.
impl State {
    /// Starts the Proxy and returns the number of the run.
    pub(super) fn start(&mut self) -> u64 {
        self.runs += 1;
        self.run = Some(Run {
            number: self.runs,
            is_ending: false,
            able_since: None,
            keys: HashMap::new(),
        });
        self.runs
    }

    pub(super) fn stop(&mut self) {
        self.run = None;
    }

    pub(super) fn is_running(&self, run: u64) -> bool {
        self.run.as_ref().is_some_and(|current| current.number == run)
    }

    /// Whether this run answers requests.
    pub(super) fn answers(&self, run: u64) -> bool {
        self.run.as_ref().is_some_and(|current| current.number == run && !current.is_ending)
    }

    pub(super) fn able_since(&self) -> Option<Instant> {
        self.run.as_ref()?.able_since
    }

    /// Returns the number of a new connection.
    pub(super) fn connect(&mut self) -> usize {
        self.connections += 1;
        self.connections
    }

    pub(super) fn add_key(&mut self, key: &str, kind: Kind) {
        self.keys.insert(key.to_owned(), kind);
    }

    /// Takes over the keys of the API. Returns the time until the next listing.
    fn list_keys(&mut self, now: Instant) -> Duration {
        let Some(run) = &mut self.run else { return Duration::ZERO };
        if !self.is_api_reachable {
            return if run.able_since.is_some() {
                self.settings.listing_interval
            } else {
                LISTING_RETRY
            };
        }
        run.able_since.get_or_insert(now);
        run.keys.retain(|key, _| self.keys.contains_key(key));
        for (key, kind) in &self.keys {
            let new = Listed { kind: *kind, kept: None, channel: None };
            run.keys.entry(key.clone()).or_insert(new).kind = *kind;
        }
        self.settings.listing_interval
    }
}

/// Payloads and streams.
impl State {
    pub(super) fn listed(&self, key: &str) -> Option<&Listed> {
        self.run.as_ref()?.keys.get(key)
    }

    /// The Proxy receives the payload of the API, as the answer to a fetch of this key.
    pub(super) fn keep(&mut self, key: &str, now: Instant) {
        let (settings, payload) = (self.settings, &self.payload);
        let listed = self.run.as_mut().and_then(|run| run.keys.get_mut(key));
        if let Some(listed) = listed {
            listed.kept = Some(Kept { payload: payload.clone(), fetched: now });
            listed.open_channel(settings, now);
        }
    }

    /// The Proxy receives the payload of the API, for all keys, and sends it to their streams.
    pub(super) fn receive_push(&mut self, now: Instant) {
        let (settings, payload) = (self.settings, &self.payload);
        for listed in self.run.iter_mut().flat_map(|run| run.keys.values_mut()) {
            listed.kept = Some(Kept { payload: payload.clone(), fetched: now });
            let kind = listed.kind;
            let channel = listed.open_channel(settings, now);
            match kind {
                Kind::Plain => channel.publish("features", payload),
                Kind::RemoteEvaluation => channel.publish("features-updated", ""),
            }
        }
    }

    /// Opens a stream and returns its first bytes; `None` if the key has no channel.
    pub(super) fn open_stream(
        &mut self,
        key: &str,
        id: usize,
        last_event_id: Option<&str>,
        now: Instant,
    ) -> Option<Vec<u8>> {
        let opening = self.channel(key)?.open(id, last_event_id, now);
        self.written_streams += 1;
        Some(opening)
    }

    /// A stream that was opened is not written any more.
    pub(super) fn close_stream(&mut self, key: &str, id: usize) {
        self.written_streams -= 1;
        if let Some(channel) = self.channel(key) {
            channel.close(id);
        }
    }

    pub(super) fn open_streams(&self) -> usize {
        let keys = self.run.iter().flat_map(|run| run.keys.values());
        keys.filter_map(|listed| listed.channel.as_ref()).map(Channel::open_streams).sum()
    }

    /// Whether every stream has ended, and all of it was sent.
    pub(super) fn is_all_sent(&self) -> bool {
        self.written_streams == 0
    }

    /// Ends every stream, and answers no further request.
    pub(super) fn end(&mut self) {
        if let Some(run) = &mut self.run {
            run.is_ending = true;
        }
        self.channels().for_each(Channel::end_all);
    }

    pub(super) fn set_stream_lifetime(&mut self, lifetime: Duration) {
        self.settings.stream_lifetime = lifetime;
        self.channels().for_each(|channel| channel.lifetime = Some(lifetime));
    }

    fn step(&mut self, run: u64, key: &str, id: usize, now: Instant) -> Step {
        if !self.is_running(run) {
            return Step::Closed;
        }
        self.channel(key).map_or(Step::Closed, |channel| channel.step(id, now))
    }

    fn channel(&mut self, key: &str) -> Option<&mut Channel> {
        self.run.as_mut()?.keys.get_mut(key)?.channel.as_mut()
    }

    fn channels(&mut self) -> impl Iterator<Item = &mut Channel> {
        let keys = self.run.iter_mut().flat_map(|run| run.keys.values_mut());
        keys.filter_map(|listed| listed.channel.as_mut())
    }
}

impl Listed {
    fn open_channel(&mut self, settings: ProxySettings, now: Instant) -> &mut Channel {
        self.channel.get_or_insert_with(|| {
            let mut channel = Channel::new(now);
            channel.lifetime = Some(settings.stream_lifetime);
            channel.set_ping_interval(settings.ping_interval, now);
            channel
        })
    }
}
