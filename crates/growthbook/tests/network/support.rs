//! Helpers for the tests.

#[cfg(target_os = "linux")]
use std::path::PathBuf;
use std::pin::pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Scope, ScopedJoinHandle, Thread, ThreadId};
use std::time::{Duration, Instant};

use growthbook::cache::{CachedPayload, MemoryCache, PayloadCache, PayloadCacheError, PayloadKey};
use growthbook::fetch::{FetchErrorKind, StreamState};
use growthbook::{Client, ClientBuilder, Connected, FetchError, PayloadSource, Refresh};
use serde_json::json;
use test_server::FeaturesServer;

use crate::logs;

/// No test waits this long, unless something is broken. A client with the default poll interval does
/// not poll within this time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);

/// A time limit that passes while a server hangs. A working server replies within it, also on a busy
/// machine.
pub(crate) const SHORT: Duration = Duration::from_millis(500);

/// How often a polling client fetches in a test.
pub(crate) const OFTEN: Refresh = Refresh::Poll(Duration::from_millis(20));

pub(crate) const KEY: &str = "sdk-secret-client-key";

/// A payload whose flag has this value.
pub(crate) fn payload(value: i64) -> String {
    json!({"status": 200, "features": {"flag": {"defaultValue": value}}}).to_string()
}

/// The same payload with the date of its last change: this second of 2026.
pub(crate) fn dated(value: i64, second: u32) -> String {
    let date = format!("2026-01-01T00:00:{second:02}.000Z");
    json!({"features": {"flag": {"defaultValue": value}}, "dateUpdated": date}).to_string()
}

/// A client for this server, with its own cache.
pub(crate) fn builder(server: &FeaturesServer) -> ClientBuilder<Connected> {
    at(&server.url())
}

pub(crate) fn at(url: &str) -> ClientBuilder<Connected> {
    logs::capture();
    may_poll_often(Client::builder(KEY)).api_host(url).cache(memory())
}

/// Allows poll intervals that are too short for programs.
pub(crate) fn may_poll_often(builder: ClientBuilder<Connected>) -> ClientBuilder<Connected> {
    builder.fetch_options(|options| options.min_poll_interval_for_tests(Duration::from_millis(1)))
}

pub(crate) fn memory() -> MemoryCache {
    MemoryCache::new(growthbook::cache::DEFAULT_MEMORY_CACHE_ENTRIES)
}

/// A client that polls this server often, and has its first payload.
pub(crate) fn polling(server: &FeaturesServer) -> Client {
    ready(builder(server).refresh(OFTEN))
}

/// A client that fetches from this server on demand, and has its first payload.
pub(crate) fn manual(server: &FeaturesServer) -> Client {
    ready(builder(server).refresh(Refresh::Manual))
}

pub(crate) fn ready(builder: ClientBuilder<Connected>) -> Client {
    let client = builder.start().unwrap();
    client.wait_ready(PATIENCE).unwrap();
    client
}

/// A client with an open stream. The fetch after the opening is over.
pub(crate) fn streaming(builder: ClientBuilder<Connected>) -> Client {
    let client = ready(builder);
    eventually("a stream", || is_streaming(&client));
    eventually("the fetch after it", || client.status().counters.not_modified >= 1);
    client
}

pub(crate) fn is_streaming(client: &Client) -> bool {
    matches!(client.status().stream, StreamState::Open)
}

/// Refreshes with a fetch that begins now. A refresh may also join a fetch that began before.
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

/// Returns the value of the flag; -1 if it is unknown.
pub(crate) fn flag(client: &Client) -> i64 {
    client.for_user("u").feature_value("flag", -1)
}

/// Returns the kind of the last failure, unless refreshing works again.
pub(crate) fn failure(client: &Client) -> Option<FetchErrorKind> {
    client.status().last_error.map(|last| last.error.kind())
}

/// Checks that the age of the payload counts from a time during the action.
#[track_caller]
pub(crate) fn assert_renews_age(client: &Client, action: impl FnOnce()) {
    // The age is exact to a millisecond.
    const PRECISION: Duration = Duration::from_millis(10);
    let age = || client.status().age.unwrap();
    eventually("a payload of some age", || age() >= 3 * PRECISION);
    let start = Instant::now();
    action();
    let age = age();
    assert!(age < start.elapsed() + PRECISION, "{age:?}");
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "timed out waiting for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs an action that must not hang. If it hangs, the test fails.
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

/// Runs a test for each case of a table. The cases run at the same time, because they wait more than
/// they compute.
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

/// Runs a future on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Waits until another client has polled ten times, as often as [`OFTEN`]. A client that polls so
/// often, or whose fetch is due now, would have fetched by then.
pub(crate) fn wait_for_ten_polls() {
    let server = FeaturesServer::start(&payload(1));
    let _client = builder(&server).refresh(OFTEN).start().unwrap();
    assert!(server.wait_until(PATIENCE, |counts| counts.features >= 10));
}

/// Starts a thread and returns when it is blocked, which means that the action waits.
pub(crate) fn spawn_blocked<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    action: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    let (sender, receiver) = mpsc::channel();
    let thread = scope.spawn(move || {
        sender.send(SystemThread::current()).unwrap();
        action()
    });
    receiver.recv_timeout(PATIENCE).unwrap().wait_until_blocked();
    thread
}

/// Whether this process runs only this test. If not, a process that does is run, and must succeed.
#[cfg(target_os = "linux")]
#[track_caller]
pub(crate) fn is_alone(test: &str) -> bool {
    const ALONE: &str = "GROWTHBOOK_TEST_IS_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    let output = alone.args(["--exact", test, "--nocapture"]).env(ALONE, "").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    false
}

/// Returns the names of the threads of clients.
#[cfg(target_os = "linux")]
pub(crate) fn our_threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("growthbook")).collect()
}

/// A thread as the operating system knows it.
#[derive(Clone)]
pub(crate) struct SystemThread {
    /// Where Linux reports the state of the thread.
    #[cfg(target_os = "linux")]
    stat: PathBuf,
}

impl SystemThread {
    #[cfg(target_os = "linux")]
    pub(crate) fn current() -> Self {
        SystemThread { stat: std::fs::canonicalize("/proc/thread-self/stat").unwrap() }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn current() -> Self {
        SystemThread {}
    }

    /// Waits until the thread is blocked or has ended. A thread also blocks on a lock for a short
    /// time, so it has to be blocked several times in a row.
    #[cfg(target_os = "linux")]
    pub(crate) fn wait_until_blocked(&self) {
        let is_blocked = || {
            std::fs::read_to_string(&self.stat).map_or(true, |stat| {
                stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('S'))
            })
        };
        let pause = || thread::sleep(Duration::from_millis(2));
        eventually("a blocked thread", || {
            (0..5).all(|_| {
                is_blocked() && {
                    pause();
                    true
                }
            })
        });
    }

    /// Other systems do not report the state of a thread.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn wait_until_blocked(&self) {
        thread::sleep(Duration::from_millis(200));
    }
}

/// A client for this server with a cache that has a [`Spy`]. It refreshes on one thread, which it does
/// not share with other clients.
pub(crate) fn spied(
    server: &FeaturesServer,
    cache: impl PayloadCache + 'static,
) -> ClientBuilder<Connected> {
    builder(server).cache(cache).fetch_options(|options| options.own_threads_for_tests())
}

/// A cache in memory that remembers the thread of its first write. A [`spied`] client refreshes there.
#[derive(Clone)]
pub(crate) struct Spy {
    cache: MemoryCache,
    thread: Arc<Mutex<Option<ThreadId>>>,
}

impl Spy {
    pub(crate) fn new() -> Self {
        Spy { cache: memory(), thread: Arc::default() }
    }

    /// Notes a write on this thread.
    pub(crate) fn written_here(&self) {
        self.thread.lock().unwrap().get_or_insert(thread::current().id());
    }

    /// Returns the log of the thread on which the client refreshes. Waits for its first payload.
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
