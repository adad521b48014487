//! Helpers for the tests of the network.

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

/// Longer than any step takes on a busy machine. Only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A time in which an unwanted event would usually happen.
pub(crate) const MOMENT: Duration = Duration::from_millis(100);

/// A time limit for servers that never answer. Other servers must answer within it.
pub(crate) const SHORT: Duration = Duration::from_millis(250);

/// The interval of a polling client.
pub(crate) const OFTEN: Refresh = Refresh::Poll(Duration::from_millis(20));

pub(crate) const KEY: &str = "sdk-secret-client-key";

/// Returns a payload whose flag has this value.
pub(crate) fn payload(value: i64) -> String {
    json!({"status": 200, "features": {"flag": {"defaultValue": value}}}).to_string()
}

/// Returns a payload whose `dateUpdated` is this second of 2026.
pub(crate) fn dated(value: i64, second: u32) -> String {
    let date = format!("2026-01-01T00:00:{second:02}.000Z");
    json!({"features": {"flag": {"defaultValue": value}}, "dateUpdated": date}).to_string()
}

/// Returns a builder for this server, with a cache of its own.
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

/// Returns a client that polls often and has its first payload.
pub(crate) fn polling(server: &FeaturesServer) -> Client {
    ready(builder(server).refresh(OFTEN))
}

/// Returns a manual client that has its first payload.
pub(crate) fn manual(server: &FeaturesServer) -> Client {
    ready(builder(server).refresh(Refresh::Manual))
}

pub(crate) fn ready(builder: ClientBuilder<Connected>) -> Client {
    let client = builder.start().unwrap();
    client.wait_ready(PATIENCE).unwrap();
    client
}

/// Returns a client whose stream is open, and which has fetched since.
pub(crate) fn streaming(builder: ClientBuilder<Connected>) -> Client {
    let client = ready(builder);
    eventually("a stream", || is_streaming(&client));
    eventually("the fetch after it", || client.status().counters.not_modified >= 1);
    client
}

pub(crate) fn is_streaming(client: &Client) -> bool {
    matches!(client.status().stream, StreamState::Open)
}

/// Fetches again. A fetch that had begun before does not count.
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

/// Returns the flag's value; -1 if it is unknown.
pub(crate) fn flag(client: &Client) -> i64 {
    client.for_user("u").feature_value("flag", -1)
}

/// Returns the last failure, if there is one.
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

/// Returns the result of a function. If it takes too long, the test fails instead of hanging.
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

/// Runs a test for each case of a table, all at the same time, because they mostly wait.
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

/// A cache in memory that notes the thread of the first write, which is the client's refreshing
/// thread.
#[derive(Clone)]
pub(crate) struct Spy {
    cache: MemoryCache,
    thread: Arc<Mutex<Option<ThreadId>>>,
}

impl Spy {
    pub(crate) fn new() -> Self {
        Spy { cache: memory(), thread: Arc::default() }
    }

    /// The thread that writes.
    pub(crate) fn written_here(&self) {
        self.thread.lock().unwrap().get_or_insert(thread::current().id());
    }

    /// Returns the client's records on its refreshing thread. Waits for its first payload.
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
