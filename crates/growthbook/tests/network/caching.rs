//! The payload that a client starts with: from the fallback, the cache or the server.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use growthbook::cache::{
    CachedPayload, FileCache, MemoryCache, PayloadCache, PayloadCacheError, PayloadKey, UnixMillis,
};
use growthbook::fetch::{DateProblem, FetchErrorKind as Kind};
use growthbook::{Client, ClientBuilder, Connected, PayloadSource, Refresh};
use test_server::{FeaturesServer, Gate, Reply};

use crate::failures::quiet_server;
use crate::logs;
use crate::support::{
    KEY, OFTEN, PATIENCE, Spy, SystemThread, at, builder, dated, eventually, failure, flag,
    for_each, is_streaming, memory, payload, ready, refresh_anew, spied,
};

const RARELY: Refresh = Refresh::Poll(Duration::from_secs(60));

/// An address without a server.
const NOWHERE: &str = "http://127.0.0.1:1";

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_millis() as UnixMillis
}

/// A cached payload. The server does not know its ETag.
fn kept(document: &str, fetched_at: UnixMillis) -> CachedPayload {
    let etag = Some("W/\"kept\"".into());
    CachedPayload { document: document.into(), etag, streaming: true, fetched_at }
}

/// A cache with this payload, for clients of this address.
fn memory_with(url: &str, payload: &CachedPayload) -> MemoryCache {
    let cache = memory();
    cache.put(&PayloadKey::new(url, KEY), payload).unwrap();
    cache
}

fn document_in(cache: &impl PayloadCache, server: &FeaturesServer) -> Option<String> {
    let kept = cache.get(&PayloadKey::new(server.url(), KEY)).unwrap();
    kept.map(|kept| kept.document.to_string())
}

fn source(client: &Client) -> Option<PayloadSource> {
    client.status().source
}

#[test]
fn next_client_starts_with_the_cached_payload() {
    let directory = tempfile::tempdir().unwrap();
    let memory = memory();
    type WithCache<'a> = &'a (dyn Fn(ClientBuilder<Connected>) -> ClientBuilder<Connected> + Sync);
    let in_memory: WithCache<'_> = &|builder| builder.cache(memory.clone());
    let in_a_file: WithCache<'_> = &|builder| builder.cache(FileCache::new(directory.path()));
    let cases =
        [("memory", in_memory, PayloadSource::Cache), ("file", in_a_file, PayloadSource::File)];
    for_each(
        &cases,
        |case| case.0,
        |(_, with_cache, expected)| {
            let mut server = FeaturesServer::start(&payload(1));
            let first = ready(with_cache(builder(&server)).refresh(Refresh::Manual));
            assert_eq!((flag(&first), source(&first)), (1, Some(PayloadSource::Network)));
            drop(first);

            server.stop();
            let second = with_cache(builder(&server)).fallback(payload(7)).refresh(OFTEN);
            let second = second.start().unwrap();
            assert_eq!((flag(&second), source(&second)), (1, Some(*expected)));
            assert_eq!(second.wait_ready(PATIENCE).unwrap().source, *expected);
            server.restart();
            eventually("a confirmation", || server.counts().not_modified > 0);
            assert_eq!(flag(&second), 1);
            server.set_payload_quietly(&payload(2));
            eventually("the next payload", || flag(&second) == 2);
            assert_eq!(source(&second), Some(PayloadSource::Network));
        },
    );
}

#[test]
fn cache_replaces_fallback_and_server_replaces_both() {
    let server = FeaturesServer::start(&payload(3));
    let cache = memory_with(&server.url(), &kept(&payload(2), now()));
    let builder = builder(&server).cache(cache.clone()).fallback(payload(1));
    let client = builder.refresh(Refresh::Manual).start().unwrap();
    assert_eq!((flag(&client), source(&client)), (2, Some(PayloadSource::Cache)));
    client.refresh().unwrap();
    assert_eq!((flag(&client), source(&client)), (3, Some(PayloadSource::Network)));
    assert_eq!(document_in(&cache, &server), Some(payload(3)));
}

#[test]
fn older_payload_never_replaces_a_newer_one() {
    struct Row {
        name: &'static str,
        fallback: u32,
        cached: u32,
        server: u32,
        at_first: PayloadSource,
        then: PayloadSource,
    }
    let rows = [
        ("newer and newer", 1, 2, 3, PayloadSource::Cache, PayloadSource::Network),
        ("an older server", 1, 3, 2, PayloadSource::Cache, PayloadSource::Cache),
        ("an older cache", 2, 1, 3, PayloadSource::Fallback, PayloadSource::Network),
        ("a newer fallback", 3, 1, 2, PayloadSource::Fallback, PayloadSource::Fallback),
        ("the same date", 1, 1, 1, PayloadSource::Cache, PayloadSource::Network),
    ];
    let rows = rows.map(|(name, fallback, cached, server, at_first, then)| Row {
        name,
        fallback,
        cached,
        server,
        at_first,
        then,
    });
    for_each(
        &rows,
        |row| row.name,
        |row| {
            let server = FeaturesServer::start(&dated(3, row.server));
            let cache = memory_with(&server.url(), &kept(&dated(2, row.cached), now()));
            let builder = builder(&server).cache(cache.clone()).fallback(dated(1, row.fallback));
            let client = builder.refresh(Refresh::Manual).start().unwrap();
            let value = |of| match of {
                PayloadSource::Fallback => 1,
                PayloadSource::Cache => 2,
                _ => 3,
            };
            assert_eq!((flag(&client), source(&client)), (value(row.at_first), Some(row.at_first)));
            // An older payload is not a failure.
            client.refresh().unwrap();
            client.refresh().unwrap();
            assert_eq!((flag(&client), source(&client)), (value(row.then), Some(row.then)));
            assert!(failure(&client).is_none());
            assert!(client.status().age.unwrap() < PATIENCE);
            if row.then == PayloadSource::Cache {
                assert_eq!(document_in(&cache, &server), Some(dated(2, row.cached)));
            }
        },
    );
}

/// Returns a payload that is dated in the future.
fn from_future(value: i64) -> String {
    dated(value, 1).replace("2026-", "2099-")
}

#[test]
fn fallback_from_the_future_is_replaced() {
    let server = FeaturesServer::start(&dated(2, 2));
    let client =
        builder(&server).fallback(from_future(1)).refresh(Refresh::Manual).start().unwrap();
    assert_eq!(flag(&client), 1);
    client.refresh().unwrap();
    assert_eq!((flag(&client), client.status().date_problem), (2, None));
}

#[test]
fn cached_payload_from_the_future_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    #[cfg(feature = "redis-cache")]
    let redis = test_server::redis::RedisServer::start();
    let caches: Vec<Arc<dyn PayloadCache>> = vec![
        Arc::new(memory()),
        Arc::new(FileCache::new(directory.path())),
        #[cfg(feature = "redis-cache")]
        Arc::new(crate::redis::cache(&redis)),
    ];
    for cache in caches {
        let server = FeaturesServer::start(&dated(2, 2));
        cache.put(&PayloadKey::new(server.url(), KEY), &kept(&from_future(1), now())).unwrap();
        let start = || {
            let builder = builder(&server).cache(cache.clone()).refresh(Refresh::Manual);
            builder.start().unwrap()
        };
        let client = start();
        let problem = client.status().date_problem;
        assert_eq!((flag(&client), problem), (1, Some(DateProblem::InUseFromFuture)));
        client.refresh().unwrap();
        assert_eq!((flag(&client), client.status().date_problem), (2, None));
        client.close(PATIENCE).unwrap();
        // The cache has it as well, for the next start.
        assert_eq!(flag(&start()), 2);
    }
}

#[test]
fn stale_payload_is_used_during_the_first_fetch() {
    let ages = [
        ("old", now() - 3_600_000),
        ("of unknown age", 0),
        // The clock was set back.
        ("from the future", now() + 3_600_000),
        ("from the end of time", u64::MAX),
    ];
    for_each(
        &ages,
        |case| case.0,
        |(_, fetched_at)| {
            let server = FeaturesServer::start(&payload(2));
            let cache = memory_with(&server.url(), &kept(&payload(1), *fetched_at));
            let gate = Gate::closed();
            server.script_features([Reply::held(&gate, Reply::normal())]);
            let client = builder(&server).cache(cache).refresh(RARELY).start().unwrap();
            assert!(server.wait_until(PATIENCE, |counts| counts.features == 1));
            assert_eq!((flag(&client), source(&client)), (1, Some(PayloadSource::Cache)));
            gate.open();
            eventually("the server's payload", || flag(&client) == 2);
            let requests = server.requests();
            assert_eq!(requests[0].header("if-none-match"), Some("W/\"kept\""));
        },
    );
}

#[test]
fn stale_payload_is_used_while_the_server_fails() {
    let server = quiet_server();
    server.always_features(Reply::status(500));
    let cache = memory_with(&server.url(), &kept(&payload(5), 1));
    let client = builder(&server).cache(cache).refresh(OFTEN).start().unwrap();
    eventually("failures", || client.status().counters.failures >= 3);
    assert_eq!((flag(&client), source(&client)), (5, Some(PayloadSource::Cache)));
    assert!(client.status().age.unwrap() > Duration::from_secs(1_000_000_000));
    // The client is ready nevertheless.
    assert_eq!(client.wait_ready(PATIENCE).unwrap().source, PayloadSource::Cache);
    server.always_features(None);
    eventually("the server's payload", || flag(&client) == 1);
    eventually("its age", || client.status().age.unwrap() < PATIENCE);
}

#[test]
fn payload_of_unknown_age_has_no_age() {
    let server = quiet_server();
    server.always_features(Reply::status(500));
    let cache = memory_with(&server.url(), &kept(&payload(5), 0));
    let client = builder(&server).cache(cache).refresh(OFTEN).start().unwrap();
    // The payload counts as old.
    eventually("a request", || client.status().counters.failures >= 1);
    assert_eq!((flag(&client), client.status().age), (5, None));
    server.always_features(None);
    eventually("the server's payload", || flag(&client) == 1);
    assert!(client.status().age.is_some());
}

#[test]
fn fresh_payload_delays_the_first_poll() {
    let server = FeaturesServer::start(&payload(2));
    let cache = memory_with(&server.url(), &kept(&payload(1), now()));
    let client = builder(&server).cache(cache.clone()).refresh(RARELY).start().unwrap();
    // A client with an old payload fetches at once.
    let control = FeaturesServer::start(&payload(2));
    let old = memory_with(&control.url(), &kept(&payload(1), 1));
    let _control = builder(&control).cache(old).refresh(RARELY).start().unwrap();
    assert!(control.wait_until(PATIENCE, |counts| counts.features >= 1));
    assert_eq!((flag(&client), server.counts().requests), (1, 0));
    drop(client);
    // The application can shorten the time for which a payload is fresh.
    let impatient = builder(&server)
        .cache(cache)
        .refresh(RARELY)
        .fetch_options(|options| options.cache_ttl(Duration::ZERO));
    let client = impatient.start().unwrap();
    eventually("the server's payload", || flag(&client) == 2);
}

#[test]
fn fresh_payload_does_not_delay_the_stream() {
    let server = FeaturesServer::start(&payload(2));
    let cache = memory_with(&server.url(), &kept(&payload(1), now()));
    let client = builder(&server).cache(cache).start().unwrap();
    eventually("a stream", || is_streaming(&client));
    eventually("the server's payload", || flag(&client) == 2);
}

#[test]
fn confirmation_renews_the_cached_payload() {
    let server = FeaturesServer::start(&payload(1));
    let cache = memory();
    let first = ready(builder(&server).cache(cache.clone()).refresh(Refresh::Manual));
    let key = PayloadKey::new(server.url(), KEY);
    let fetched_at = || cache.get(&key).unwrap().unwrap().fetched_at;
    let before = fetched_at();
    eventually("the clock", || now() > before);
    first.refresh().unwrap();
    assert_eq!(first.status().counters.not_modified, 1);
    assert!(fetched_at() > before);
}

#[test]
fn invalid_cached_document_is_ignored() {
    for document in ["", "{}", "<html>", r#"{"features":{},"encryptedFeatures":"a.b"}"#, "\0"] {
        let server = FeaturesServer::start(&payload(2));
        let cache = memory_with(&server.url(), &kept(document, now()));
        let builder = builder(&server).cache(cache.clone()).fallback(payload(1));
        let client = builder.refresh(RARELY).start().unwrap();
        assert!(failure(&client).is_none());
        eventually("the server's payload", || flag(&client) == 2);
        // The request is not conditional.
        assert_eq!(server.requests()[0].header("if-none-match"), None);
        eventually("the payload in the cache", || document_in(&cache, &server) == Some(payload(2)));
    }
}

#[test]
fn damaged_cache_file_is_ignored_and_replaced() {
    struct Row {
        name: &'static str,
        damage: fn(Vec<u8>) -> Vec<u8>,
    }
    let rows = [
        Row { name: "empty", damage: |_| Vec::new() },
        Row { name: "cut off", damage: |file| file[..file.len() / 2].to_vec() },
        Row { name: "grown", damage: |file| [file, vec![0]].concat() },
        Row { name: "zeros", damage: |file| vec![0; file.len()] },
        Row { name: "something else", damage: |_| payload(-2).into_bytes() },
        Row {
            name: "a flipped bit",
            damage: |mut file| {
                *file.last_mut().unwrap() ^= 1;
                file
            },
        },
    ];
    for_each(
        &rows,
        |row| row.name,
        |row| {
            let directory = tempfile::tempdir().unwrap();
            let server = FeaturesServer::start(&payload(1));
            let with_file = || builder(&server).cache(FileCache::new(directory.path()));
            drop(ready(with_file().refresh(Refresh::Manual)));
            let file = only_file(directory.path().into());
            let whole = fs::read(&file).unwrap();
            fs::write(&file, (row.damage)(whole)).unwrap();

            let client = with_file().fallback(payload(7)).refresh(Refresh::Manual).start().unwrap();
            assert_eq!((flag(&client), source(&client)), (7, Some(PayloadSource::Fallback)));
            assert!(client.status().cache_error.is_none());
            client.refresh().unwrap();
            assert_eq!(flag(&client), 1);
            drop(client);
            let client = with_file().refresh(Refresh::Manual).start().unwrap();
            assert_eq!((flag(&client), source(&client)), (1, Some(PayloadSource::File)));
        },
    );
}

fn only_file(directory: PathBuf) -> PathBuf {
    let [file] = Vec::from_iter(fs::read_dir(directory).unwrap()).try_into().unwrap();
    file.unwrap().path()
}

#[test]
fn unwritable_cache_directory_is_only_reported() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a file");
    fs::write(&file, "").unwrap();
    let server = quiet_server();
    let builder = builder(&server).cache(FileCache::new(file.join("below")));
    let client = ready(builder.refresh(OFTEN));
    for value in 2..5 {
        server.set_payload_quietly(&payload(value));
        eventually("the next payload", || flag(&client) == value);
    }
    let status = client.status();
    assert!(status.last_error.is_none() && status.cache_error.is_some());
    assert!(status.counters.cache_errors >= 4, "{:?}", status.counters);
}

/// A cache with scripted troubles.
#[derive(Clone)]
struct Broken {
    cache: Spy,
    get: Arc<Mutex<Trouble>>,
    put: Arc<Mutex<Trouble>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Error,
    Panic,
    Slow,
}

impl Broken {
    fn new(get: Trouble, put: Trouble) -> Self {
        let new = |trouble| Arc::new(Mutex::new(trouble));
        Broken { cache: Spy::new(), get: new(get), put: new(put) }
    }

    fn repair(&self) {
        *self.get.lock().unwrap() = Trouble::None;
        *self.put.lock().unwrap() = Trouble::None;
    }
}

impl Trouble {
    fn make(self) -> Result<(), PayloadCacheError> {
        match self {
            Trouble::None => Ok(()),
            Trouble::Error => Err(PayloadCacheError::new("no space left on device")),
            Trouble::Panic => panic!("this cache panics"),
            Trouble::Slow => {
                thread::sleep(Duration::from_millis(50));
                Ok(())
            }
        }
    }
}

impl PayloadCache for Broken {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        let trouble = *self.get.lock().unwrap();
        trouble.make()?;
        self.cache.get(key)
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.cache.written_here();
        let trouble = *self.put.lock().unwrap();
        trouble.make()?;
        self.cache.put(key, payload)
    }
}

#[test]
fn cache_may_fail_panic_and_be_slow() {
    let cases = [
        ("it is full", Trouble::None, Trouble::Error),
        ("it cannot be read", Trouble::Error, Trouble::None),
        ("it is gone", Trouble::Error, Trouble::Error),
        ("it panics when read", Trouble::Panic, Trouble::None),
        ("it panics when written", Trouble::None, Trouble::Panic),
        ("it is slow", Trouble::Slow, Trouble::Slow),
    ];
    for_each(
        &cases,
        |case| case.0,
        |(_, get, put)| {
            let fails = |trouble| matches!(trouble, Trouble::Error | Trouble::Panic);
            let server = FeaturesServer::start(&payload(1));
            let cache = Broken::new(*get, *put);
            let client = ready(spied(&server, cache.clone()).refresh(OFTEN));
            for value in 2..5 {
                server.set_payload_quietly(&payload(value));
                eventually("the next payload", || flag(&client) == value);
            }
            assert!(failure(&client).is_none());
            // The log of the refreshing thread and of this thread.
            let logged = |level: &str| {
                let lines = [cache.cache.logged(), logs::of(thread::current().id())].concat();
                lines.iter().filter(|line| line.starts_with(level)).count()
            };
            if fails(*put) {
                // The client tries again with each payload and each confirmation.
                eventually("the errors' count", || client.status().counters.cache_errors >= 4);
                assert!(client.status().cache_error.is_some());
                assert_eq!((logged("WARN"), logged("INFO")), (1, 0));
            }
            cache.repair();
            // The payload that could not be written is written now.
            eventually("the payload in the cache", || {
                document_in(&cache, &server) == Some(payload(4))
            });
            eventually("the end of the trouble", || client.status().cache_error.is_none());
            let lines = usize::from(fails(*get) || fails(*put));
            eventually("a line in the log", || logged("INFO") == lines);
            assert_eq!(logged("WARN"), lines);
        },
    );
}

/// A cache that reports a write and blocks it until the test lets it pass.
#[derive(Clone)]
struct Gated {
    cache: MemoryCache,
    arrived: Sender<()>,
    /// Lets the next write pass; `None` if writes do not block.
    pass: Arc<Mutex<Option<Receiver<()>>>>,
}

impl PayloadCache for Gated {
    fn get(&self, key: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        self.cache.get(key)
    }

    fn put(&self, key: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        // Only the first write blocks.
        let pass = self.pass.lock().unwrap().take();
        if let Some(pass) = pass {
            self.arrived.send(()).unwrap();
            pass.recv_timeout(PATIENCE).unwrap();
        }
        self.cache.put(key, payload)
    }
}

impl Gated {
    /// Returns an open cache, a receiver for the start of each blocked write, and a sender that
    /// releases a blocked write.
    fn new() -> (Self, Receiver<()>) {
        let (arrived, has_arrived) = mpsc::channel();
        (Gated { cache: memory(), arrived, pass: Arc::default() }, has_arrived)
    }

    /// Blocks the next write until the returned sender releases it.
    fn block_next_write(&self) -> Sender<()> {
        let (open, pass) = mpsc::channel();
        *self.pass.lock().unwrap() = Some(pass);
        open
    }
}

#[test]
fn evaluation_does_not_wait_for_the_cache() {
    let server = FeaturesServer::start(&payload(1));
    let (cache, has_arrived) = Gated::new();
    let client = ready(builder(&server).cache(cache.clone()).refresh(Refresh::Manual));
    server.set_payload_quietly(&payload(2));
    let open = cache.block_next_write();
    thread::scope(|scope| {
        scope.spawn(|| client.refresh().unwrap());
        has_arrived.recv_timeout(PATIENCE).unwrap();
        for _ in 0..100 {
            assert_eq!(flag(&client), 2);
            assert!(client.status().last_error.is_none());
        }
        // Fails if the write is no longer blocked.
        open.send(()).unwrap();
    });
}

#[test]
fn newest_payload_is_written_last() {
    let server = FeaturesServer::start(&payload(1));
    let (cache, has_arrived) = Gated::new();
    let streaming_thread: Arc<Mutex<Option<SystemThread>>> = Arc::default();
    let on_update = {
        let streaming_thread = streaming_thread.clone();
        move |_: &_| *streaming_thread.lock().unwrap() = Some(SystemThread::current())
    };
    let client = builder(&server).cache(cache.clone()).on_update(on_update).start().unwrap();
    eventually("a stream", || is_streaming(&client));
    eventually("the fetch after it", || client.status().counters.not_modified == 1);
    let streaming_thread = streaming_thread.lock().unwrap().clone().unwrap();

    // One thread writes the payload that it fetched, and is blocked. Another receives a newer
    // payload from the stream.
    let open = cache.block_next_write();
    server.set_payload_quietly(&payload(2));
    thread::scope(|scope| {
        scope.spawn(|| refresh_anew(&client).unwrap());
        has_arrived.recv_timeout(PATIENCE).unwrap();
        server.set_payload(&payload(3));
        eventually("the newer payload", || flag(&client) == 3);
        // It waits until it may write the newer payload.
        streaming_thread.wait_until_blocked();
        open.send(()).unwrap();
    });
    client.close(PATIENCE).unwrap();
    assert_eq!(document_in(&cache, &server), Some(payload(3)));
}

#[test]
fn client_without_a_cache_starts_empty() {
    let server = FeaturesServer::start(&payload(1));
    let without = || builder(&server).cache(()).refresh(Refresh::Manual);
    drop(ready(without()));
    assert_eq!(flag(&without().start().unwrap()), -1);
}

#[test]
fn client_works_with_only_a_cache() {
    let cache = memory_with(NOWHERE, &kept(&payload(1), 0));
    let client = at(NOWHERE).cache(cache).refresh(Refresh::Manual).start().unwrap();
    assert_eq!(client.wait_ready(Duration::ZERO).unwrap().source, PayloadSource::Cache);
    assert_eq!(client.refresh().unwrap_err().kind(), Kind::Connect);
    assert_eq!(flag(&client), 1);
}

/// A cache may return any ETag. One that cannot be sent must not stop refreshing.
#[test]
fn etag_that_cannot_be_sent_is_ignored() {
    for etag in ["W/\"\u{7}\"", "line\nbreak", "ü", &"x".repeat(200_000)] {
        let server = quiet_server();
        server.set_payload_quietly(&payload(2));
        let mut kept = kept(&payload(1), 0);
        kept.etag = Some(etag.into());
        let cache = memory_with(&server.url(), &kept);
        let client = builder(&server).refresh(Refresh::Manual).cache(cache).start().unwrap();
        assert_eq!(flag(&client), 1);
        client.refresh().unwrap();
        assert_eq!(flag(&client), 2);
        assert!(server.requests().iter().all(|it| it.header("if-none-match").is_none()));
    }
}

/// The first client has the payload from its cache, and the server only confirms it.
#[test]
fn shared_payload_is_put_into_each_cache() {
    let server = quiet_server();
    server.set_etags(true);
    let first = memory();
    builder(&server)
        .refresh(Refresh::Manual)
        .cache(first.clone())
        .start()
        .unwrap()
        .refresh()
        .unwrap();

    let start = |cache| builder(&server).refresh(Refresh::Manual).cache(cache).start().unwrap();
    let one = start(first);
    let second = memory();
    let other = start(second.clone());
    assert_eq!(flag(&other), 1);
    other.refresh().unwrap();
    assert_eq!(other.status().counters.not_modified, 1);
    assert_eq!(document_in(&second, &server), Some(payload(1)));
    drop(one);
}
