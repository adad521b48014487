//! Forks of a process with a running client. The child continues to evaluate, and refreshes by
//! itself.
//!
//! The test has its own `main`, because the threads of a test harness must not be forked.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[cfg(not(unix))]
fn main() {
    println!("fork: not run, because this system has no fork");
}

#[cfg(unix)]
fn main() {
    for (name, test) in unix::TESTS {
        test();
        println!("fork: {name}: ok");
    }
}

#[cfg(unix)]
mod unix {
    #[cfg(feature = "sticky-embedded")]
    use std::ops::Range;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::process;
    use std::thread;
    use std::time::{Duration, Instant};

    use fork::{Fork, waitpid_nohang};
    use growthbook::cache::MemoryCache;
    use growthbook::fetch::StreamState;
    use growthbook::{Client, Refresh};
    use test_server::{FeaturesServer, Reply};

    /// No test waits this long, unless something is broken.
    const PATIENCE: Duration = Duration::from_secs(45);

    const OFTEN: Refresh = Refresh::Poll(Duration::from_millis(20));

    pub(crate) const TESTS: &[(&str, fn())] = &[
        ("the child of a streaming process opens its own stream", streaming),
        ("the child of a polling process polls", polling),
        ("the child refreshes while a fetch of the parent hangs", while_fetching),
        ("the child of a process with a manual client refreshes", manual),
        ("a closed client stays closed in the child", closed),
        ("the child of a process with a remote client asks by itself", remote),
        ("a paused client stays paused in the child", paused),
        ("the child keeps a payload that is newer than its cache", cached),
        ("dropping a client in the child does not affect the parent", dropping),
        #[cfg(all(feature = "redis-cache", feature = "redis-sentinel"))]
        ("the child does not wait for a sentinel that the parent asks", asking_a_sentinel),
        #[cfg(feature = "sticky-embedded")]
        ("the child does not use the sticky bucket file of the parent", embedded_store),
    ];

    /// The parent's thread waits for the sentinel, and does not exist in the child.
    #[cfg(all(feature = "redis-cache", feature = "redis-sentinel"))]
    fn asking_a_sentinel() {
        use growthbook::cache::{PayloadCache, PayloadKey, RedisCache, RedisServers};
        use test_server::redis::{RedisSentinel, RedisServer};

        let master = RedisServer::start();
        let sentinel = RedisSentinel::start(&master);
        let master = format!("redis://{}", RedisSentinel::MASTER);
        let servers = RedisServers::sentinel([sentinel.url()], master).unwrap();
        let cache = RedisCache::new(servers);
        let key = PayloadKey::new("host", "key");
        sentinel.pause();
        cache.get(&key).unwrap_err();
        in_child(
            || {
                cache.get(&key).unwrap_err();
                // The thread of the child ends.
                assert!(cache.disconnect(PATIENCE / 2));
            },
            || {},
        );
    }

    fn streaming() {
        let server = FeaturesServer::start(&payload(1));
        let client = start(&server, Refresh::Stream);
        eventually("a stream", || is_streaming(&client));
        in_child(
            || {
                assert_eq!(flag(&client), 1);
                eventually("the change", || flag(&client) == 2);
                eventually("a stream", || is_streaming(&client));
                client.close(PATIENCE).unwrap();
            },
            || {
                // The child has its own stream.
                assert!(server.wait_until(PATIENCE, |counts| counts.open_streams == 2));
                server.set_payload(&payload(2));
            },
        );
        eventually("the change in the parent", || flag(&client) == 2);
        assert!(is_streaming(&client));
        assert_eq!(client.status().counters.streams_opened, 1);
    }

    fn polling() {
        let server = FeaturesServer::start(&payload(1));
        let client = start(&server, OFTEN);
        in_child(
            || eventually("the change", || flag(&client) == 2),
            || server.set_payload(&payload(2)),
        );
        eventually("the change in the parent", || flag(&client) == 2);
    }

    fn while_fetching() {
        let server = FeaturesServer::start(&payload(1));
        let client = start(&server, Refresh::Manual);
        server.script_features([Reply::raw_then_hang("")]);
        thread::scope(|threads| {
            threads.spawn(|| client.refresh());
            assert!(server.wait_until(PATIENCE, |counts| counts.features == 2));
            server.set_payload(&payload(2));
            in_child(
                || {
                    assert_eq!(flag(&client), 1);
                    client.refresh().unwrap();
                    assert_eq!(flag(&client), 2);
                },
                || {},
            );
            server.hang_up();
        });
        eventually("the change in the parent", || client.refresh().is_ok() && flag(&client) == 2);
    }

    fn manual() {
        let server = FeaturesServer::start(&payload(1));
        let client = start(&server, Refresh::Manual);
        server.set_payload(&payload(2));
        in_child(
            || {
                assert_eq!(flag(&client), 1);
                client.refresh().unwrap();
                assert_eq!(flag(&client), 2);
            },
            || {},
        );
        assert_eq!(flag(&client), 1);
    }

    fn remote() {
        let server = FeaturesServer::start(&payload(1));
        let remote = Client::remote_builder("sdk-fork").api_host(server.url()).start().unwrap();
        let flag = |user: &str| {
            let user = remote.wait_for_user(user, PATIENCE);
            (user.scope.feature_value("flag", -1), user.error.is_some())
        };
        assert_eq!(flag("a"), (1, false));
        server.always_evals(Reply::raw_then_hang(""));
        let hanging = remote.user("hangs");
        assert!(server.wait_until(PATIENCE, |counts| counts.evals >= 2));
        server.always_evals(None);
        server.set_payload(&payload(2));
        in_child(
            || {
                assert_eq!((flag("a"), flag("b")), ((2, false), (2, false)));
                remote.close(PATIENCE).unwrap();
                assert_eq!(flag("c"), (-1, true));
            },
            || {},
        );
        drop(hanging);
        assert_eq!(flag("d"), (2, false));
        remote.close(PATIENCE).unwrap();
        in_child(|| assert_eq!(flag("e"), (-1, true)), || {});
    }

    fn paused() {
        let server = FeaturesServer::start(&payload(1));
        let client = start(&server, OFTEN);
        client.pause();
        in_child(
            || {
                assert!(client.refresh().is_err() && client.status().is_paused);
                client.resume().unwrap();
                eventually("the change", || flag(&client) == 2);
            },
            || server.set_payload_quietly(&payload(2)),
        );
        assert!(client.status().is_paused);
    }

    fn closed() {
        let server = FeaturesServer::start(&payload(1));
        let client = start(&server, OFTEN);
        client.close(PATIENCE).unwrap();
        let requests = server.counts().requests;
        let other_server = FeaturesServer::start(&payload(1));
        in_child(
            || {
                // A client that is not closed polls meanwhile.
                let other = start(&other_server, OFTEN);
                eventually("polls", || other.status().counters.fetches >= 10);
                assert_eq!(flag(&client), 1);
                assert!(client.refresh().is_err());
                client.close(PATIENCE).unwrap();
            },
            || {},
        );
        assert_eq!(server.counts().requests, requests);
    }

    /// The parent puts another payload into the cache before the child reads it. The payloads have no
    /// dates, so the child does not know that it is newer. Then the server confirms it.
    fn cached() {
        let server = FeaturesServer::start(&payload(1));
        let folder = tempfile::tempdir().unwrap();
        let client = Client::builder("sdk-fork")
            .api_host(server.url())
            .refresh(Refresh::Manual)
            .cache(growthbook::cache::FileCache::new(folder.path()))
            .start()
            .unwrap();
        client.wait_ready(PATIENCE).unwrap();
        in_child(
            || {
                eventually("the parent's refresh", || cache_has(folder.path(), 2));
                client.refresh().unwrap();
                assert_eq!(flag(&client), 2);
            },
            || {
                server.set_payload(&payload(2));
                client.refresh().unwrap();
            },
        );
    }

    /// Returns whether the cache in this folder has the payload with this value.
    fn cache_has(folder: &std::path::Path, value: i64) -> bool {
        let mut files = std::fs::read_dir(folder).unwrap().flatten();
        let payload = payload(value);
        files.any(|file| {
            std::fs::read(file.path()).is_ok_and(|bytes| {
                bytes.windows(payload.len()).any(|part| part == payload.as_bytes())
            })
        })
    }

    fn dropping() {
        let server = FeaturesServer::start(&payload(1));
        let mut client = Some(start(&server, Refresh::Stream));
        eventually("a stream", || client.as_ref().is_some_and(is_streaming));
        in_child(|| drop(client.take()), || {});
        server.set_payload(&payload(2));
        let client = client.unwrap();
        eventually("the change in the parent", || flag(&client) == 2);
        assert_eq!(client.status().counters.streams_opened, 1);
    }

    #[cfg(feature = "sticky-embedded")]
    fn embedded_store() {
        use growthbook::sticky::{
            EmbeddedStickyBucketStore, StickyBucketDocument, StickyBucketKey, StickyBucketStore,
        };
        let key = |user: usize| {
            let value = user.to_string().into();
            StickyBucketKey { attribute_name: "id".into(), attribute_value: value }
        };
        let save = |store: &EmbeddedStickyBucketStore, users: Range<usize>| {
            for user in users {
                let mut document = StickyBucketDocument::new(key(user));
                document.assignments.insert("exp__0".into(), "1".into());
                store.save(&document).unwrap();
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sticky.redb");
        let mut store = Some(EmbeddedStickyBucketStore::open(&path).unwrap());
        save(store.as_ref().unwrap(), 0..50);
        let before = std::fs::read(&path).unwrap();
        in_child(
            || {
                let store = store.take().unwrap();
                assert!(store.get_all(&[key(1)]).is_err());
                drop(store.clone());
                drop(store);
            },
            || {},
        );
        assert!(std::fs::read(&path).unwrap() == before, "the child wrote to the file");
        let store = store.unwrap();
        // The parent still has the file open.
        assert!(EmbeddedStickyBucketStore::open(&path).is_err());
        save(&store, 50..100);
        drop(store);
        let store = EmbeddedStickyBucketStore::open(&path).unwrap();
        let keys = Vec::from_iter((0..100).map(key));
        assert_eq!(store.get_all(&keys).unwrap().iter().len(), 100);
    }

    /// Runs one function in a child and another one in the parent. Waits until the child succeeds.
    fn in_child(child: impl FnOnce(), parent: impl FnOnce()) {
        match fork::fork().unwrap() {
            Fork::Child => {
                let outcome = catch_unwind(AssertUnwindSafe(child));
                // Exits without dropping the server, whose threads exist only in the parent.
                process::exit(i32::from(outcome.is_err()));
            }
            Fork::Parent(id) => {
                parent();
                let start = Instant::now();
                let status = loop {
                    if let Some(status) = waitpid_nohang(id).unwrap() {
                        break status;
                    }
                    assert!(start.elapsed() < 2 * PATIENCE, "the child hangs");
                    thread::sleep(Duration::from_millis(5));
                };
                assert_eq!(status, 0, "the child failed");
            }
        }
    }

    fn start(server: &FeaturesServer, refresh: Refresh) -> Client {
        let client = Client::builder("sdk-fork")
            .api_host(server.url())
            .fetch_options(|options| options.min_poll_interval_for_tests(Duration::from_millis(1)))
            .refresh(refresh)
            .cache(MemoryCache::new(growthbook::cache::DEFAULT_MEMORY_CACHE_ENTRIES))
            .start()
            .unwrap();
        client.wait_ready(PATIENCE).unwrap();
        assert_eq!(flag(&client), 1);
        client
    }

    fn is_streaming(client: &Client) -> bool {
        matches!(client.status().stream, StreamState::Open)
    }

    fn flag(client: &Client) -> i64 {
        client.for_user("u").feature_value("flag", -1)
    }

    fn payload(value: i64) -> String {
        format!(r#"{{"features": {{"flag": {{"defaultValue": {value}}}}}}}"#)
    }

    fn eventually(what: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < PATIENCE, "timed out waiting for {what}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}
