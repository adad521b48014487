//! What the tests of the network have in common.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use growthbook::cache::{CachedPayload, MemoryCache, PayloadCache, PayloadCacheError, PayloadKey};
use growthbook::fetch::{FetchErrorKind, StreamState};
use growthbook::{Client, ClientBuilder, Connected, FetchError, PayloadSource, Refresh};
use serde_json::json;
use test_server::FeaturesServer;

use crate::logs;

/// Longer than anything here takes on a busy machine; no test waits for it unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough for what must not happen to happen, mostly.
pub(crate) const MOMENT: Duration = Duration::from_millis(100);

/// A time limit for servers that never answer; other servers have to answer within it.
pub(crate) const SHORT: Duration = Duration::from_millis(250);

/// How often a polling client asks in a test.
pub(crate) const OFTEN: Refresh = Refresh::Poll(Duration::from_millis(20));

pub(crate) const KEY: &str = "sdk-secret-client-key";

/// A payload whose flag has this value.
pub(crate) fn payload(value: i64) -> String {
    json!({"status": 200, "features": {"flag": {"defaultValue": value}}}).to_string()
}

/// The same, with the time of its last change: this second of 2026.
pub(crate) fn dated(value: i64, second: u32) -> String {
    let date = format!("2026-01-01T00:00:{second:02}.000Z");
    json!({"features": {"flag": {"defaultValue": value}}, "dateUpdated": date}).to_string()
}

/// A client for this server with a cache of its own.
pub(crate) fn builder(server: &FeaturesServer) -> ClientBuilder<Connected> {
    at(&server.url())
}

pub(crate) fn at(url: &str) -> ClientBuilder<Connected> {
    logs::capture();
    Client::builder(KEY).api_host(url).cache(memory())
}

pub(crate) fn memory() -> MemoryCache {
    MemoryCache::new(growthbook::cache::DEFAULT_MEMORY_CACHE_ENTRIES)
}

/// A client that polls this server often, and has its first payload.
pub(crate) fn polling(server: &FeaturesServer) -> Client {
    ready(builder(server).refresh(OFTEN))
}

/// A client that asks this server when told to, and has its first payload.
pub(crate) fn manual(server: &FeaturesServer) -> Client {
    ready(builder(server).refresh(Refresh::Manual))
}

pub(crate) fn ready(builder: ClientBuilder<Connected>) -> Client {
    let client = builder.start().unwrap();
    client.wait_ready(PATIENCE).unwrap();
    client
}

/// A client whose stream is open, and what it missed before fetched.
pub(crate) fn streaming(builder: ClientBuilder<Connected>) -> Client {
    let client = ready(builder);
    eventually("a stream", || is_streaming(&client));
    eventually("the fetch after it", || client.status().counters.not_modified >= 1);
    client
}

pub(crate) fn is_streaming(client: &Client) -> bool {
    matches!(client.status().stream, StreamState::Open)
}

/// Asks the server anew: a fetch that had begun before may be over, but is not ours.
#[track_caller]
pub(crate) fn refresh_anew(client: &Client) -> Result<(), FetchError> {
    loop {
        let before = client.status().counters.fetches;
        let outcome = client.refresh();
        if client.status().counters.fetches > before {
            return outcome;
        }
    }
}

/// The flag's value; -1 when it is unknown.
pub(crate) fn flag(client: &Client) -> i64 {
    client.for_user("u").feature_value("flag", -1)
}

/// What failed last, unless all is well.
pub(crate) fn failure(client: &Client) -> Option<FetchErrorKind> {
    client.status().last_error.map(|last| last.error.kind())
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// What this returns, unless it takes for ever: then the test fails, and does not hang.
#[track_caller]
pub(crate) fn in_time<T: Send + 'static>(
    what: &str,
    action: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(action()));
    match receiver.recv_timeout(PATIENCE) {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}

/// Runs a test for each case of a table, all at the same time: they wait more than they compute.
#[track_caller]
pub(crate) fn for_each<C: Sync>(
    cases: &[C],
    name: impl Fn(&C) -> &str + Sync,
    test: impl Fn(&C) + Sync,
) {
    let test = &test;
    let failed: Vec<&str> = thread::scope(|scope| {
        let start = |case| {
            let thread = thread::Builder::new().name(name(case).to_owned());
            (name(case), thread.spawn_scoped(scope, move || test(case)).unwrap())
        };
        let running: Vec<_> = cases.iter().map(start).collect();
        let failed = running.into_iter().filter_map(|(name, run)| run.join().err().map(|_| name));
        failed.collect()
    });
    assert!(failed.is_empty(), "failed: {failed:?}");
}

/// A cache in memory that knows on which thread its client wrote first, which is where it
/// refreshes.
#[derive(Clone)]
pub(crate) struct Spy {
    cache: MemoryCache,
    thread: Arc<Mutex<Option<ThreadId>>>,
}

impl Spy {
    pub(crate) fn new() -> Self {
        Spy { cache: memory(), thread: Arc::default() }
    }

    /// It is written on this thread.
    pub(crate) fn written_here(&self) {
        self.thread.lock().unwrap().get_or_insert(thread::current().id());
    }

    /// What the client logged where it refreshes. Waits for its first payload.
    pub(crate) fn logged(&self) -> Vec<String> {
        let thread = || *self.thread.lock().unwrap();
        eventually("a payload in the cache", || thread().is_some());
        thread().map(logs::of).unwrap_or_default()
    }
}

impl PayloadCache for Spy {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        self.cache.get(key)
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.written_here();
        self.cache.put(key, payload)
    }

    fn source(&self) -> PayloadSource {
        self.cache.source()
    }
}
