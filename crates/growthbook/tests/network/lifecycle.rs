//! The life of a client: its start, when it is ready, its callbacks, and its end.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::fetch::{
    ConnectionOptions, FetchErrorKind as Kind, MIN_POLL_INTERVAL, StreamState,
};
use growthbook::{Client, ClientBuilder, Connected, PayloadSource, Refresh, StartError};
use serde_json::json;
use test_server::{BlackHole, FeaturesServer, Gate, ProxyServer, Reply};

use crate::failures::quiet_server;
use crate::logs;
use crate::support::{
    KEY, OFTEN, PATIENCE, SHORT, at, block_on, builder, eventually, failure, flag, for_each,
    in_time, is_streaming, manual, memory, payload, polling, ready, spawn_blocked, streaming,
    wait_for_ten_polls,
};
#[cfg(target_os = "linux")]
use crate::support::{is_alone, our_threads};

/// Longer than any test. A wait of this length ends only when something interrupts it.
const FOREVER: Duration = Duration::from_secs(3600);

/// Sets timeouts that no test reaches.
fn patient(builder: ClientBuilder<Connected>) -> ClientBuilder<Connected> {
    builder.fetch_options(|options| {
        let options = options.connect_timeout(FOREVER).read_timeout(FOREVER);
        // A drop that does not interrupt the client hangs.
        options.total_timeout(FOREVER).close_timeout(FOREVER)
    })
}

#[test]
fn client_fetches_streams_and_closes() {
    let server = FeaturesServer::start(&payload(1));
    let client = builder(&server).start().unwrap();
    let ready = client.wait_ready(PATIENCE).unwrap();
    assert_eq!(ready.source, PayloadSource::Network);
    assert_eq!(flag(&client), 1);
    eventually("a stream", || matches!(client.status().stream, StreamState::Open));
    eventually("the fetch after it", || client.status().counters.not_modified == 1);

    server.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);

    client.close(PATIENCE).unwrap();
    assert_eq!(flag(&client), 2);
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn manual_client_fetches_on_demand() {
    let server = FeaturesServer::start(&payload(1));
    let client = builder(&server).refresh(Refresh::Manual).start().unwrap();
    assert_eq!(server.counts().requests, 0);
    client.wait_ready(PATIENCE).unwrap();
    assert_eq!(flag(&client), 1);
    server.set_payload(&payload(2));
    client.refresh().unwrap();
    assert_eq!(flag(&client), 2);
    assert_eq!(server.counts().features, 2);
}

#[test]
fn invalid_options_fail_at_start() {
    let ok = || at("http://localhost");
    let cases = [
        (at("localhost:80"), "api_host \"localhost:80\": must begin with http:// or https://"),
        (
            ok().fetch_options(|options| options.streaming_host("ws://localhost")),
            "streaming_host \"ws://localhost\": must begin with http:// or https://",
        ),
        (
            ok().refresh(Refresh::Poll(Duration::ZERO)),
            "the interval of refresh or poll_interval is zero",
        ),
        (ok().poll_interval(Duration::ZERO), "the interval of refresh or poll_interval is zero"),
        (
            ok().fetch_options(|options| options.api_header("a\n", "b")),
            "api_header or streaming_header has an invalid name",
        ),
        (
            ok().fetch_options(|options| {
                options.connection(ConnectionOptions::new().proxy("localhost"))
            }),
            "the proxy is not an address",
        ),
        (Client::builder("\n"), "the client key is empty"),
        (Client::builder("secret_abc"), "the client key is a secret API key"),
        (Client::builder("https://cdn.growthbook.io"), "the client key is an address"),
    ];
    for (builder, expected) in cases {
        let error = builder.start().unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("the client cannot start: {expected}")), "{text}");
        assert!(matches!(error, StartError::Config(_)), "{error:?}");
    }
    let error = ok().fallback("{}").start().unwrap_err();
    assert!(matches!(error, StartError::Fallback(_)), "{error:?}");
}

#[test]
fn short_poll_interval_is_raised_with_a_warning() {
    let server = FeaturesServer::start(&payload(1));
    logs::capture();
    let start = Instant::now();
    let builder = Client::builder(KEY).api_host(server.url()).cache(memory());
    let _client = builder.refresh(Refresh::Poll(Duration::from_nanos(60))).start().unwrap();
    let logged = logs::of(thread::current().id());
    assert!(logged.iter().any(|record| record.contains("the poll interval is 60ns")), "{logged:?}");
    assert!(server.wait_until(PATIENCE, |counts| counts.features >= 3));
    // Jitter takes away up to a tenth of each interval.
    assert!(start.elapsed() >= MIN_POLL_INTERVAL * 2 * 9 / 10);
}

/// An earlier failure is old news: the next attempt may succeed.
#[test]
fn ready_future_ignores_earlier_failures() {
    let server = FeaturesServer::start(&payload(1));
    let gate = Gate::closed();
    server.script_features([Reply::status(500), Reply::held(&gate, Reply::normal())]);
    let client = builder(&server).refresh(OFTEN).start().unwrap();
    assert!(server.wait_until(PATIENCE, |counts| counts.features == 2));
    let mut future = pin!(client.ready());
    assert_pending(future.as_mut());
    gate.open();
    assert_eq!(block_on(future).unwrap().source, PayloadSource::Network);
}

#[test]
fn start_does_not_wait_for_the_network() {
    let black_hole = BlackHole::open();
    let silent = FeaturesServer::start("");
    silent.always_features(Reply::raw_then_hang(""));
    let urls = [black_hole.url(), silent.url(), "http://nonexistent.invalid".to_owned()];
    for url in urls {
        for how in [Refresh::Stream, OFTEN, Refresh::Manual] {
            let url = url.clone();
            in_time("starting and dropping", move || {
                let client = patient(at(&url)).refresh(how).fallback(payload(7)).start().unwrap();
                assert_eq!(flag(&client), 7);
                drop(client);
                let client = patient(at(&url)).refresh(how).start().unwrap();
                assert_eq!(flag(&client), -1);
                assert!(client.status().source.is_none());
            });
        }
    }
}

#[test]
fn wait_ready_ends_with_its_timeout() {
    const LIMIT: Duration = Duration::from_millis(100);
    let server = FeaturesServer::start(&payload(1));
    server.always_features(Reply::raw_then_hang(""));
    for how in [Refresh::Stream, OFTEN, Refresh::Manual] {
        let wait = |builder: ClientBuilder<Connected>| {
            let client = patient(builder.refresh(how)).start().unwrap();
            let start = Instant::now();
            let outcome = in_time("waiting", move || client.wait_ready(LIMIT));
            assert!(start.elapsed() >= LIMIT);
            outcome
        };
        let error = wait(builder(&server)).unwrap_err();
        assert!(error.timed_out, "{error:?}");
        let ready = wait(builder(&server).fallback(payload(7))).unwrap();
        assert_eq!((ready.source, ready.timed_out), (PayloadSource::Fallback, true));
    }
}

#[test]
fn wait_ready_continues_after_failures() {
    let server = quiet_server();
    server.always_features(Reply::status(503));
    let client = builder(&server).refresh(OFTEN).start().unwrap();
    thread::scope(|scope| {
        let waiting = spawn_blocked(scope, || client.wait_ready(PATIENCE).unwrap());
        let before = client.status().counters.failures;
        eventually("more failures", || client.status().counters.failures >= before + 3);
        server.script_features([Reply::close(), Reply::truncated(5)]);
        assert!(!waiting.is_finished());
        server.always_features(None);
        let ready = waiting.join().unwrap();
        assert_eq!((ready.source, flag(&client)), (PayloadSource::Network, 1));
        assert!(ready.cause.is_none() && !ready.timed_out);
    });
}

#[test]
fn wait_ready_ends_after_a_refusal() {
    let server = FeaturesServer::start(&payload(1));
    server.always_features(Reply::status(401));
    for how in [Refresh::Stream, OFTEN, Refresh::Manual] {
        let client = builder(&server).refresh(how).start().unwrap();
        let error = client.wait_ready(PATIENCE).unwrap_err();
        let refused = Kind::Status { code: 401, unrecoverable: false };
        assert_eq!((error.cause.unwrap().kind(), error.timed_out), (refused, false));
    }
}

#[test]
fn close_wakes_waiting_threads() {
    let server = FeaturesServer::start(&payload(1));
    server.always_features(Reply::raw_then_hang(""));
    for how in [Refresh::Stream, OFTEN, Refresh::Manual] {
        let client = patient(builder(&server).refresh(how)).start().unwrap();
        let before = server.counts().features;
        thread::scope(|scope| {
            let wait_ready = || client.wait_ready(FOREVER).unwrap_err().cause.unwrap().kind();
            let refresh = || client.refresh().unwrap_err().kind();
            let waiting = [spawn_blocked(scope, wait_ready), spawn_blocked(scope, refresh)];
            assert!(server.wait_until(PATIENCE, |counts| counts.features > before));
            client.close(PATIENCE).unwrap();
            for waiting in waiting {
                assert_eq!(waiting.join().unwrap(), Kind::Closed);
            }
        });
        assert_eq!(client.wait_ready(FOREVER).unwrap_err().cause.unwrap().kind(), Kind::Closed);
        assert_eq!(client.refresh().unwrap_err().kind(), Kind::Closed);
        // Closing is not a failure of the server.
        assert!(failure(&client).is_none());
    }
}

/// Polls a future once, and checks that it is not complete.
fn assert_pending<F: Future>(future: Pin<&mut F>) {
    assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn ready_future_completes() {
    let server = quiet_server();
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::normal())]);
    let client = builder(&server).refresh(OFTEN).start().unwrap();
    let source = in_time("awaiting", {
        let client = client.clone();
        move || {
            let mut future = pin!(client.ready());
            assert_pending(future.as_mut());
            gate.open();
            block_on(future).unwrap().source
        }
    });
    assert_eq!(source, PayloadSource::Network);
    // A ready client needs no waiting.
    assert_eq!(block_on(client.ready()).unwrap().source, PayloadSource::Network);
}

#[test]
fn ready_future_of_manual_client_does_not_wait() {
    let server = quiet_server();
    let client = builder(&server).refresh(Refresh::Manual).start().unwrap();
    let error = block_on(client.ready()).unwrap_err();
    assert!(error.cause.is_none() && !error.timed_out);
    client.refresh().unwrap();
    assert_eq!(block_on(client.ready()).unwrap().source, PayloadSource::Network);
}

#[test]
fn short_wait_does_not_fail_a_longer_one() {
    let server = quiet_server();
    let second = Gate::closed();
    server.script_features([&Gate::closed(), &second].map(|it| Reply::held(it, Reply::normal())));
    let start = || patient(builder(&server).refresh(Refresh::Manual)).start().unwrap();
    let (hasty, other) = (start(), start());
    thread::scope(|scope| {
        let hasty = scope.spawn(move || hasty.wait_ready(SHORT).unwrap_err());
        assert!(server.wait_until(PATIENCE, |counts| counts.features == 1));
        // It joins the fetch of the other client, and fetches again when that one ends early.
        let other = scope.spawn(|| other.refresh().unwrap());
        assert!(hasty.join().unwrap().timed_out);
        second.open();
        other.join().unwrap();
    });
    assert_eq!((flag(&other), server.counts().features), (1, 2));
}

#[test]
fn ready_future_can_be_polled_often() {
    let server = quiet_server();
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::normal())]);
    let client = builder(&server).refresh(OFTEN).start().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(client.ready());
    for _ in 0..100 {
        assert_pending(future.as_mut());
    }
    gate.open();
    let start = Instant::now();
    let ready = loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(ready) => break ready.unwrap(),
            Poll::Pending => thread::yield_now(),
        }
        assert!(start.elapsed() < PATIENCE);
    };
    assert_eq!(ready.source, PayloadSource::Network);
}

#[test]
fn all_ready_futures_are_woken() {
    let server = quiet_server();
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::normal())]);
    let client = builder(&server).refresh(OFTEN).start().unwrap();
    let (sender, pending) = mpsc::channel();
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let (client, sender) = (client.clone(), sender.clone());
            thread::spawn(move || {
                let mut future = pin!(client.ready());
                assert_pending(future.as_mut());
                sender.send(()).unwrap();
                block_on(future).is_ok()
            })
        })
        .collect();
    for _ in 0..8 {
        pending.recv_timeout(PATIENCE).unwrap();
    }
    gate.open();
    in_time("awaiting", || {
        assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap()));
    });
}

#[test]
fn ready_future_ends_with_first_failure_or_close() {
    let unavailable = Kind::Status { code: 503, unrecoverable: false };
    let server = FeaturesServer::start(&payload(1));
    // Starts a client with a pending future, and runs an action. Returns the result of the future.
    let result = |reply, fallback: Option<i64>, action: Box<dyn FnOnce(&Client) + Send>| {
        server.always_features(reply);
        let builder = patient(builder(&server).refresh(Refresh::Poll(FOREVER)));
        let builder = match fallback {
            Some(value) => builder.fallback(payload(value)),
            None => builder,
        };
        let client = builder.start().unwrap();
        in_time("awaiting", move || {
            let mut future = pin!(client.ready());
            assert_pending(future.as_mut());
            action(&client);
            block_on(future)
        })
    };
    let held_failure = || {
        let gate = Gate::closed();
        let reply = Reply::held(&gate, Reply::status(503));
        (reply, Box::new(move |_: &Client| gate.open()))
    };

    let (reply, open) = held_failure();
    let error = result(reply, None, open).unwrap_err();
    assert_eq!((error.cause.unwrap().kind(), error.timed_out), (unavailable, false));

    let (reply, open) = held_failure();
    let ready = result(reply, Some(7), open).unwrap();
    assert_eq!(ready.source, PayloadSource::Fallback);
    assert_eq!(ready.cause.unwrap().kind(), unavailable);

    let close = Box::new(|client: &Client| client.close(PATIENCE).unwrap());
    let error = result(Reply::raw_then_hang(""), None, close).unwrap_err();
    assert_eq!(error.cause.unwrap().kind(), Kind::Closed);
}

#[test]
fn close_and_drop_interrupt_each_wait() {
    struct Row {
        name: &'static str,
        /// Starts a client and waits until it hangs.
        start: Box<dyn Fn() -> (Client, Vec<FeaturesServer>) + Sync>,
    }
    let black_hole = BlackHole::open();
    let hole = black_hole.url();
    // The first request hangs.
    let hangs = |reply: Reply, how: Refresh| {
        move || {
            let server = FeaturesServer::start(&payload(1));
            server.always_features(reply.clone());
            let client = patient(builder(&server).refresh(how)).start().unwrap();
            assert!(server.wait_until(PATIENCE, |counts| counts.features > 0));
            (client, vec![server])
        }
    };
    let stream_hangs = |reply: Reply| {
        move || {
            let server = FeaturesServer::start(&payload(1));
            server.always_stream(reply.clone());
            let client = ready(patient(builder(&server)));
            assert!(server.wait_until(PATIENCE, |counts| counts.streams > 0));
            (client, vec![server])
        }
    };
    let never_connects =
        move |how: fn(ClientBuilder<Connected>, &str) -> ClientBuilder<Connected>| {
            let hole = hole.clone();
            move || (patient(how(at("http://127.0.0.1:1"), &hole)).start().unwrap(), vec![])
        };
    let row = |name, start| Row { name, start };
    let rows = [
        row("connect hangs", Box::new(never_connects(|it, hole| it.api_host(hole)))),
        row(
            "connect to a proxy hangs",
            Box::new(never_connects(|it, hole| {
                it.fetch_options(|options| options.connection(ConnectionOptions::new().proxy(hole)))
            })),
        ),
        row("TLS hangs", {
            Box::new(|| {
                let server = FeaturesServer::start("");
                let url = server.url().replace("http:", "https:");
                let client = patient(at(&url)).start().unwrap();
                assert!(server.wait_until(PATIENCE, |counts| counts.connections > 0));
                (client, vec![server])
            })
        }),
        row("header hangs", Box::new(hangs(Reply::raw_then_hang(""), OFTEN))),
        row("header stalls", Box::new(hangs(Reply::raw_then_hang("HTTP/1.1 20"), OFTEN))),
        row("body stalls", Box::new(hangs(Reply::stalled(5), OFTEN))),
        row("a redirect leads nowhere", {
            Box::new(hangs(Reply::redirect(302, &black_hole.url()), OFTEN))
        }),
        row("it waits to try again", {
            Box::new(hangs(Reply::status(500).header("retry-after", "3600"), Refresh::Stream))
        }),
        row("it waits to poll", Box::new(hangs(Reply::normal(), Refresh::Poll(FOREVER)))),
        row("a stream's header hangs", Box::new(stream_hangs(Reply::raw_then_hang("")))),
        row("a stream stalls", Box::new(stream_hangs(Reply::stalled(3)))),
        row("a stream is silent", Box::new(stream_hangs(Reply::normal()))),
        row("it waits for a stream", Box::new(stream_hangs(Reply::status(404)))),
        row("a stream connects to nowhere", {
            Box::new(stream_hangs(Reply::redirect(302, &black_hole.url())))
        }),
    ];
    for_each(
        &rows,
        |row| row.name,
        |row| {
            // The client goes on to the wait that the row names. If it needs longer for that, it is
            // interrupted at an earlier point.
            let pause = || thread::sleep(Duration::from_millis(50));
            let (client, servers) = (row.start)();
            pause();
            client.close(PATIENCE).unwrap();
            // Closing twice has no further effect.
            client.close(PATIENCE).unwrap();
            assert_disconnected(&servers);

            let (client, servers) = (row.start)();
            pause();
            let handle = client.clone();
            drop(client);
            in_time("dropping", move || {
                // A scope does not keep the client running.
                let scope = handle.for_user("u");
                drop(handle);
                assert_eq!(scope.feature_value("flag", 1), 1);
            });
            assert_disconnected(&servers);
        },
    );
}

fn assert_disconnected(servers: &[FeaturesServer]) {
    for server in servers {
        assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    }
}

#[test]
fn close_does_not_wait_for_a_hanging_callback() {
    let server = FeaturesServer::start(&payload(1));
    // The callback is for changes after the start.
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::normal())]);
    let (hangs, go_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let hang = {
        let (hangs, go_on) = (hangs.clone(), go_on.clone());
        move |_: &_| {
            hangs.store(true, Ordering::Relaxed);
            while !go_on.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
            }
        }
    };
    let client = builder(&server)
        .on_update(hang)
        .fetch_options(|options| options.close_timeout(SHORT))
        .start()
        .unwrap();
    gate.open();
    eventually("the callback", || hangs.load(Ordering::Relaxed));
    // The payload is in use, and evaluation does not wait for the callback.
    assert_eq!(flag(&client), 1);
    in_time("closing and dropping", move || {
        assert!(client.close(SHORT).is_err());
        drop(client);
    });
    go_on.store(true, Ordering::Relaxed);
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn updates_list_the_changed_features() {
    let server = quiet_server();
    let updates = Arc::new(Mutex::new(Vec::new()));
    let sender = updates.clone();
    let on_update = move |change: &growthbook::PayloadChange| {
        sender.lock().unwrap().push((change.features.clone(), change.other_sections));
    };
    let document = |features: serde_json::Value| json!({"features": features}).to_string();
    server.set_payload_quietly(&document(json!({"a": {"defaultValue": 1}, "b": {}})));
    let fallback = document(json!({"a": {"defaultValue": 1}, "old": {}}));
    let builder = builder(&server).refresh(Refresh::Manual).fallback(fallback);
    let client = builder.on_update(on_update).start().unwrap();
    let expect = |keys: &[&str], other_sections| {
        client.refresh().unwrap();
        let keys = Vec::from_iter(keys.iter().map(|&key| key.to_owned()));
        assert_eq!(updates.lock().unwrap().drain(..).collect::<Vec<_>>(), [(keys, other_sections)]);
    };
    assert!(updates.lock().unwrap().is_empty());
    // The first payload is compared with the fallback.
    expect(&["b", "old"], false);
    server.set_payload_quietly(&document(json!({"a": {"defaultValue": 2}, "b": {}, "c": {}})));
    expect(&["a", "c"], false);
    let groups = json!({"features": {"c": {}}, "savedGroups": {"g": [1]}}).to_string();
    server.set_payload_quietly(&groups);
    expect(&["a", "b"], true);
    // A payload with the same content, and a failure, are not updates.
    server.set_payload_quietly(&format!(" {groups} "));
    client.refresh().unwrap();
    server.script_features([Reply::status(500)]);
    client.refresh().unwrap_err();
    assert!(updates.lock().unwrap().is_empty());
    client.set_payload(payload(1)).unwrap();
    assert_eq!(updates.lock().unwrap().len(), 1);
}

/// Returns a client whose callback runs an action with the client. The action runs once, after
/// payload 2 or a later one.
fn calling_back(
    builder: ClientBuilder<Connected>,
    action: impl Fn(&Client) + Send + Sync + 'static,
) -> (Client, Arc<AtomicUsize>) {
    let shared: Arc<Mutex<Option<Client>>> = Arc::default();
    let calls = Arc::new(AtomicUsize::new(0));
    let on_update = {
        let (shared, calls) = (Arc::downgrade(&shared), calls.clone());
        move |_: &_| {
            let Some(shared) = shared.upgrade() else { return };
            // The callback for the first payload may come late.
            let client = shared.lock().unwrap().take_if(|client| flag(client) >= 2);
            if let Some(client) = client {
                action(&client);
                calls.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let client = ready(builder.on_update(on_update));
    if client.status().counters.streams_opened > 0 {
        eventually("a stream", || is_streaming(&client));
    }

    *shared.lock().unwrap() = Some(client.clone());
    // The callback empties it, and needs it as long as the process runs.
    std::mem::forget(shared);
    (client, calls)
}

#[test]
fn callbacks_may_use_the_client() {
    type Action = fn(&Client);
    let actions: [(&str, Action); 9] = [
        ("evaluates", |client| assert!(flag(client) >= 2)),
        ("reads the status", |client| assert!(client.status().last_error.is_none())),
        ("changes settings", |client| client.set_attributes(json!({"region": "eu"}))),
        ("replaces the payload", |client| client.set_payload(payload(3)).unwrap()),
        ("waits", |client| assert!(client.wait_ready(PATIENCE).is_ok())),
        ("awaits", |client| assert!(block_on(client.ready()).is_ok())),
        ("refreshes", |client| client.refresh().unwrap()),
        ("closes", |client| client.close(PATIENCE).unwrap()),
        ("clones and drops", |client| drop(client.clone())),
    ];
    let modes = [("streaming", Refresh::Stream), ("polling", OFTEN), ("manual", Refresh::Manual)];
    let cases: Vec<_> = actions
        .iter()
        .flat_map(|action| modes.map(|mode| (format!("{} {}", mode.0, action.0), mode.1, action.1)))
        .collect();
    for_each(
        &cases,
        |case| &case.0,
        |(_, how, action)| {
            let server = FeaturesServer::start(&payload(1));
            let (client, calls) = calling_back(builder(&server).refresh(*how), *action);
            server.set_payload(&payload(2));
            if *how == Refresh::Manual {
                let client = client.clone();
                // If the callback closes the client, the fetch is over nevertheless.
                in_time("refreshing", move || client.refresh().unwrap());
            }
            eventually("the callback", || calls.load(Ordering::Relaxed) == 1);
            assert!(flag(&client) >= 2);
            in_time("dropping", move || drop(client));
        },
    );
}

#[test]
fn callback_may_drop_the_last_handle() {
    for how in [Refresh::Stream, OFTEN] {
        let server = FeaturesServer::start(&payload(1));
        let (client, calls) = calling_back(builder(&server).refresh(how), |_| ());
        drop(client);
        server.set_payload(&payload(2));
        eventually("the callback", || calls.load(Ordering::Relaxed) == 1);
        assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
        let requests = server.counts().requests;
        wait_for_ten_polls();
        assert_eq!(server.counts().requests, requests);
    }
}

#[test]
fn panic_of_a_callback_is_contained() {
    for how in [Refresh::Stream, OFTEN, Refresh::Manual] {
        let server = FeaturesServer::start(&payload(1));
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let panics = move |_: &_| {
            counted.fetch_add(1, Ordering::Relaxed);
            panic!("this callback panics");
        };
        let client = ready(builder(&server).refresh(how).on_update(panics));
        for value in 2..5 {
            let before = calls.load(Ordering::Relaxed);
            server.set_payload(&payload(value));
            if how == Refresh::Manual {
                client.refresh().unwrap();
            }
            eventually("the change", || flag(&client) == value);
            eventually("the call", || calls.load(Ordering::Relaxed) > before);
        }
        assert!(failure(&client).is_none());
        client.close(PATIENCE).unwrap();
    }
}

#[test]
fn set_payload_stays_until_the_server_has_another() {
    let server = quiet_server();
    let client = polling(&server);
    client.set_payload(payload(8)).unwrap();
    let fetches = || client.status().counters.fetches;
    let before = fetches();
    // At least one of these fetches began after the change, and is over.
    eventually("more fetches", || fetches() >= before + 3);
    assert_eq!((flag(&client), client.status().source), (8, Some(PayloadSource::Application)));
    server.set_payload_quietly(&payload(2));
    eventually("the next payload", || flag(&client) == 2);
}

#[test]
fn settings_survive_a_new_payload() {
    let server = quiet_server();
    let client = manual(&server);
    client.set_attributes(json!({"region": "eu"}));
    server.set_payload_quietly(&payload(2));
    client.refresh().unwrap();
    assert_eq!(flag(&client), 2);
    assert_eq!(serde_json::to_value(client.attributes()).unwrap(), json!({"region": "eu"}));
}

/// Counts threads and files in its own process, because other tests run at the same time.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_after_close() {
    if !is_alone("lifecycle::nothing_is_left_after_close") {
        return;
    }
    let server = FeaturesServer::start(&payload(1));
    let tls = FeaturesServer::start_tls(&payload(1));
    let proxy = ProxyServer::start();
    let black_hole = BlackHole::open();
    #[cfg(feature = "redis-cache")]
    let redis = test_server::redis::RedisServer::start();
    let round = || {
        let directory = tempfile::tempdir().unwrap();
        let clients = [
            streaming(builder(&server)),
            polling(&server),
            manual(&server),
            streaming(builder(&tls).fetch_options(|options| {
                options.connection(
                    ConnectionOptions::new().root_certificates(tls.root_certificate_pem()),
                )
            })),
            ready(
                builder(&server)
                    .fetch_options(|options| {
                        options.connection(ConnectionOptions::new().proxy(proxy.url()))
                    })
                    .refresh(OFTEN),
            ),
            ready(builder(&server).cache(growthbook::cache::FileCache::new(directory.path()))),
            patient(at(&black_hole.url())).start().unwrap(),
            patient(
                at("http://127.0.0.1:1")
                    .fetch_options(|options| options.streaming_host(black_hole.url())),
            )
            .start()
            .unwrap(),
            #[cfg(feature = "redis-cache")]
            ready(builder(&server).cache(crate::redis::cache(&redis)).refresh(OFTEN)),
            #[cfg(feature = "redis-cache")]
            streaming(builder(&server).cache(crate::redis::cache(&redis))),
            #[cfg(feature = "redis-cache")]
            ready(builder(&server).cache(crate::redis::cache(&redis)).refresh(Refresh::Manual)),
        ];
        let mut closed = Vec::new();
        for (nth, client) in clients.into_iter().enumerate() {
            if nth % 2 == 0 {
                client.close(PATIENCE).unwrap();
                closed.push(client);
            }
        }
        // `close` has waited for the threads. The system removes them from its list a little later.
        eventually("the end of the threads", || our_threads().is_empty());
        drop(closed);
        let dns = at("http://nonexistent.invalid").refresh(Refresh::Manual).start().unwrap();
        dns.refresh().unwrap_err();
    };
    // The first round creates what stays for the whole process.
    round();
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    let before = our_resources();
    for _ in 0..5 {
        round();
    }
    eventually("the threads and files of before", || our_resources() <= before);
}

/// Returns the numbers of threads and of open files of this process.
#[cfg(target_os = "linux")]
fn our_resources() -> (usize, usize) {
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    (count("task"), count("fd"))
}
