//! Streams: their events, their failures, and polling in place of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::fetch::{FetchErrorKind as Kind, StreamOff, StreamState};
use growthbook::{Client, ClientBuilder, Connected, PayloadError, Refresh};
use serde_json::json;
use test_server::{BlackHole, FeaturesServer, Reply, Request};

use crate::support::{
    MOMENT, PATIENCE, SHORT, Spy, at, builder, dated, eventually, failure, flag, for_each,
    is_streaming, payload, ready, refresh_anew, streaming,
};

/// The start of a stream, with which a lost stream is opened again after the shortest delay.
const AGAIN_SOON: &[u8] = b"retry: 0\n\n";

/// The poll interval of tests without a stream.
const OFTEN: Duration = Duration::from_millis(20);

/// Returns why the stream is lost, if it is.
fn lost(client: &Client) -> Option<Kind> {
    match client.status().stream {
        StreamState::Lost { error } => Some(error.kind()),
        _ => None,
    }
}

fn is_off(client: &Client, why: StreamOff) -> bool {
    matches!(client.status().stream, StreamState::Off(reason) if reason == why)
}

fn stream_requests(server: &FeaturesServer) -> Vec<Request> {
    server.requests().into_iter().filter(|request| request.path.starts_with("/sub/")).collect()
}

/// Lets the client reconnect soon after this stream, and waits until it knows that.
fn come_back_soon(server: &FeaturesServer, client: &Client) {
    let events = client.status().counters.stream_events;
    server.push(AGAIN_SOON);
    server.push_update_notice();
    eventually("the notice", || client.status().counters.stream_events > events);
    // The fetch that follows has ended.
    refresh_anew(client).unwrap();
}

/// Waits for the longest delay after an ordinary failure.
fn wait_for_a_retry() {
    let server = FeaturesServer::start(&payload(1));
    server.always_stream(Reply::status(500));
    let _client = builder(&server).start().unwrap();
    assert!(server.wait_until(PATIENCE, |counts| counts.streams >= 2));
    // Delays have jitter.
    thread::sleep(2 * MOMENT);
}

#[test]
fn stream_that_is_not_offered_is_not_opened() {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    let client = ready(builder(&server).poll_interval(OFTEN));
    eventually("what the server offers", || is_off(&client, StreamOff::NotOffered));
    server.set_payload_quietly(&payload(2));
    eventually("the next payload", || flag(&client) == 2);
    assert_eq!(server.counts().streams, 0);

    server.set_streaming(true);
    // Only a reply with a payload says whether the server streams.
    server.set_payload_quietly(&payload(3));
    eventually("a stream", || is_streaming(&client));
}

#[test]
fn error_replies_do_not_change_streaming() {
    let server = FeaturesServer::start(&payload(1));
    let offer = |status| Reply::status(status).header("x-sse-support", "enabled");
    server.always_features(offer(500));
    let client = builder(&server).poll_interval(OFTEN).start().unwrap();
    eventually("some attempts", || client.status().counters.failures >= 3);
    assert_eq!(server.counts().streams, 0);
    assert!(is_off(&client, StreamOff::NotKnownYet));
}

#[test]
fn polling_replaces_a_stream_that_fails() {
    struct Row {
        name: &'static str,
        reply: Reply,
        kind: Kind,
        /// Whether another attempt follows soon.
        again: bool,
    }
    let black_hole = BlackHole::open();
    let status = |code| Kind::Status { code, unrecoverable: false };
    let ok = |media_type: &str| Reply::status(200).header("content-type", media_type);
    let rows = [
        ("bad request", Reply::status(400), status(400), false),
        ("not found", Reply::status(404), status(404), false),
        ("server error", Reply::status(500), status(500), true),
        ("HTML", ok("text/html").body("<html>"), Kind::NotAStream, true),
        ("a payload", ok("application/json").body(payload(-2)), Kind::NotAStream, true),
        ("no media type", Reply::status(200), Kind::NotAStream, true),
        ("a partial reply", Reply::status(206), status(206), true),
        ("header hangs", Reply::raw_then_hang(""), Kind::Timeout, true),
        ("no reply", Reply::close(), Kind::Interrupted, true),
        ("no HTTP", Reply::raw("SSH-2.0-OpenSSH_9.9\r\n\r\n"), Kind::Protocol, true),
        ("connect hangs", Reply::redirect(302, &black_hole.url()), Kind::Timeout, true),
        ("connection refused", Reply::redirect(302, "http://127.0.0.1:1"), Kind::Connect, true),
        ("a redirect in circles", Reply::redirect(302, "?again"), Kind::Redirect, true),
    ];
    let rows = rows.map(|(name, reply, kind, again)| Row { name, reply, kind, again });
    for_each(
        &rows,
        |row| row.name,
        |row| {
            let server = FeaturesServer::start(&payload(1));
            server.always_stream(row.reply.clone());
            let spy = Spy::new();
            let builder = builder(&server).cache(spy.clone()).poll_interval(OFTEN);
            let client =
                match row.kind {
                    Kind::Timeout => ready(builder.fetch_options(|options| {
                        options.connect_timeout(SHORT).read_timeout(SHORT)
                    })),
                    _ => ready(builder),
                };
            eventually("the failure", || lost(&client) == Some(row.kind));
            let attempts = server.counts().streams;
            // The payload is good.
            assert!(client.status().last_error.is_none());
            server.set_payload_quietly(&payload(2));
            eventually("the next payload", || flag(&client) == 2);

            if row.again {
                server.always_stream(None);
                eventually("a stream", || is_streaming(&client));
                let expected =
                    ["WARN changes are not streamed: ", "INFO changes are streamed again"];
                eventually("the lines in the log", || spy.logged().len() >= 2);
                let logged = spy.logged();
                let pairs = logged.iter().zip(expected);
                let is_expected = pairs.clone().all(|(line, expected)| line.starts_with(expected));
                assert!(logged.len() == 2 && is_expected, "{logged:#?}");
            } else {
                wait_for_a_retry();
                assert_eq!(server.counts().streams, attempts);
            }
        },
    );
}

#[test]
fn brief_streams_are_reported_and_slowed_down() {
    let server = FeaturesServer::start(&payload(1));
    let brief = Reply::status(200).header("content-type", "text/event-stream").body(AGAIN_SOON);
    server.always_stream(brief);
    let spy = Spy::new();
    let client = ready(builder(&server).cache(spy.clone()));
    assert!(server.wait_until(PATIENCE, |counts| counts.streams == 3));
    eventually("the reason", || lost(&client) == Some(Kind::BriefStream));
    let expected = "WARN changes are not streamed: the server ended the stream at once; polling \
                    instead";
    assert_eq!(spy.logged(), [expected]);
}

#[test]
fn open_stream_survives_a_withdrawn_offer() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server).poll_interval(OFTEN));
    server.set_streaming(false);
    server.set_payload_quietly(&payload(2));
    server.push_update_notice();
    eventually("the next payload", || flag(&client) == 2);
    thread::sleep(MOMENT);
    assert!(is_streaming(&client));
    // But it is not opened again.
    server.end_streams();
    eventually("its end", || is_off(&client, StreamOff::NotOffered));
    server.set_payload_quietly(&payload(3));
    eventually("the payload after it", || flag(&client) == 3);
    assert_eq!(server.counts().streams, 1);
}

#[test]
fn status_204_means_no_stream() {
    let server = FeaturesServer::start(&payload(1));
    server.always_stream(Reply::status(204));
    let spy = Spy::new();
    let client = ready(builder(&server).cache(spy.clone()).poll_interval(OFTEN));
    eventually("the answer", || is_off(&client, StreamOff::Declined));
    server.set_payload_quietly(&payload(2));
    eventually("the next payload", || flag(&client) == 2);
    wait_for_a_retry();
    assert_eq!(server.counts().streams, 1);
    assert_eq!(spy.logged(), ["INFO the server has no stream; polling instead"]);
}

#[test]
fn change_is_streamed_at_once() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    for value in 2..20 {
        let start = Instant::now();
        server.set_payload(&payload(value));
        eventually("the change", || flag(&client) == value);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
    assert_eq!(client.status().counters.stream_events, 18);
    eventually("their count", || client.status().counters.updates == 19);
    // No stream was opened for them.
    assert_eq!(server.counts().features, 2);
}

#[test]
fn update_notice_leads_to_a_fetch() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    server.set_payload_quietly(&payload(2));
    server.push_update_notice();
    eventually("the next payload", || flag(&client) == 2);
    assert_eq!(server.counts().features, 3);
}

#[test]
fn invalid_event_changes_only_the_counters() {
    struct Row {
        name: &'static str,
        bytes: Vec<u8>,
        /// The error, if the event should have been a payload.
        kind: Option<Kind>,
    }
    let features = |data: &str| format!("event: features\ndata: {data}\n\n").into_bytes();
    let payload_error = |error| Some(Kind::Payload(error));
    let syntax = |column| payload_error(PayloadError::Syntax { line: 1, column });
    let large = json!({"features": {}, "padding": "x".repeat(2000)}).to_string();
    let garbage: Vec<u8> = (0..50_000_u32).map(|it| (it * it / 7 % 251) as u8).collect();
    let rows = [
        ("garbage", [&b"\n"[..], &garbage, b"\n\n"].concat(), None),
        ("comments", b": hello\n\n:\n\n".repeat(100), None),
        ("pings", b"data: \n\ndata\n\n".repeat(100), None),
        ("another event", b"event: other\ndata: {\"features\":{}}\n\n".to_vec(), None),
        ("no event type", b"data: {\"features\":{}}\n\n".to_vec(), None),
        ("empty features", b"event: features\ndata: \n\n".to_vec(), None),
        ("a wish for never", b"retry: 99999999999999999999\nretry: x\n\n".to_vec(), None),
        ("HTML", features("<html>"), syntax(1)),
        ("half a payload", features(r#"{"features":"#), syntax(12)),
        ("an empty object", features("{}"), payload_error(PayloadError::MissingFeatures)),
        ("a list", features("[]"), payload_error(PayloadError::NotAnObject)),
        (
            "features that are none",
            features(r#"{"features":[]}"#),
            payload_error(PayloadError::FeaturesNotAnObject),
        ),
        (
            "a missing decryption key",
            features(r#"{"features":{},"encryptedFeatures":"a.b"}"#),
            payload_error(PayloadError::MissingDecryptionKey),
        ),
        ("an event over the limit", features(&large), Some(Kind::TooLarge { limit: 1000 })),
    ];
    let rows = rows.map(|(name, bytes, kind)| Row { name, bytes, kind });
    for_each(
        &rows,
        |row| row.name,
        |row| {
            let server = FeaturesServer::start(&payload(1));
            let spy = Spy::new();
            let client = streaming(
                builder(&server)
                    .cache(spy.clone())
                    .fetch_options(|options| options.max_body_bytes(1000)),
            );
            server.push(&row.bytes);
            if let Some(kind) = row.kind {
                let expected = format!("WARN refreshing fails: {kind}");
                eventually("the line in the log", || {
                    spy.logged().first().is_some_and(|line| line.starts_with(&expected))
                });
                assert_eq!(client.status().counters.failures, 1);
                // A fetch asks for the payload.
                eventually("the end of the failure", || failure(&client).is_none());
                assert_eq!((flag(&client), server.counts().features), (1, 3));
            }
            server.set_payload(&payload(2));
            eventually("the next payload", || flag(&client) == 2);
            eventually("its count", || client.status().counters.updates == 2);
            assert!(is_streaming(&client));
            let counters = client.status().counters;
            assert_eq!(counters.failures, u64::from(row.kind.is_some()));
            assert_eq!(counters.streams_opened, 1);
        },
    );
}

#[test]
fn many_invalid_events_cause_few_fetches_and_records() {
    let server = FeaturesServer::start(&payload(1));
    let spy = Spy::new();
    let client = streaming(builder(&server).cache(spy.clone()));
    server.push(&b"event: features\ndata: {}\n\n".repeat(200));
    eventually("all of them", || client.status().counters.stream_events == 200);
    server.push_update_notice();
    eventually("the end of the failure", || failure(&client).is_none());
    assert_eq!(server.counts().features, 3);
    eventually("the lines in the log", || spy.logged().len() >= 2);
    assert_eq!(spy.logged().len(), 2, "{:#?}", spy.logged());
    assert!(is_streaming(&client));
}

#[test]
fn older_streamed_payload_is_ignored() {
    let server = FeaturesServer::start(&dated(5, 5));
    let client = streaming(builder(&server));
    let push = |document: &str| {
        server.push(format!("event: features\ndata: {document}\n\n").as_bytes());
    };
    // The server repeats the payload.
    for _ in 0..3 {
        push(&dated(4, 4));
    }
    eventually("all of them", || client.status().counters.stream_events == 3);
    let counters = || client.status().counters;
    eventually("what became of them", || counters().older_ignored + counters().updates == 4);
    assert_eq!((flag(&client), counters().older_ignored, counters().updates), (5, 3, 1));
    assert_eq!(client.status().date_updated.as_deref(), Some("2026-01-01T00:00:05.000Z"));
    // A client that joins later keeps its payload as well.
    let later = ready(builder(&server));
    assert_eq!(flag(&later), 5);

    push(&dated(6, 6));
    eventually("a newer one", || flag(&client) == 6 && flag(&later) == 6);
    // A payload with the same date replaces the one in use.
    push(&dated(7, 6));
    eventually("one of the same time", || flag(&client) == 7);
}

#[test]
fn newer_payload_is_confirmed_after_an_older_one() {
    let server = FeaturesServer::start(&dated(5, 5));
    let client = streaming(builder(&server));
    server.push(format!("event: features\ndata: {}\n\n", dated(4, 4)).as_bytes());
    eventually("it", || client.status().counters.older_ignored == 1);
    thread::sleep(MOMENT);
    refresh_anew(&client).unwrap();
    assert_eq!(client.status().counters.not_modified, 2);
    assert!(client.status().age.unwrap() < MOMENT);
}

#[test]
fn repeated_payload_is_not_an_update() {
    let updates = Arc::new(AtomicUsize::new(0));
    let server = FeaturesServer::start(&payload(1));
    let told = updates.clone();
    let on_update = move |_: &_| {
        told.fetch_add(1, Ordering::Relaxed);
    };
    let client = streaming(builder(&server).on_update(on_update));
    let before = updates.load(Ordering::Relaxed);
    for _ in 0..3 {
        server.set_payload(&payload(2));
    }
    eventually("all of them", || client.status().counters.stream_events == 3);
    server.set_payload(&payload(3));
    eventually("the last", || flag(&client) == 3);
    eventually("what was told", || updates.load(Ordering::Relaxed) == before + 2);
    eventually("their count", || client.status().counters.updates == 3);
}

#[test]
fn event_that_is_cut_off_is_dropped() {
    let server = FeaturesServer::start(&payload(1));
    // The event is cut in the payload, at a place where the JSON is complete.
    let event = format!("id: 1 \nevent: features\ndata: {}", payload(-2));
    let greeting = "retry: 10000\n\n";
    server.script_stream([Reply::truncated(greeting.len() + event.len())]);
    let client = streaming(builder(&server).poll_interval(OFTEN));
    server.set_payload_quietly(&payload(2));
    server.push(format!("{event}\n\n").as_bytes());
    eventually("the end of the stream", || lost(&client) == Some(Kind::Interrupted));
    eventually("what the server has", || flag(&client) == 2);
    assert_eq!(client.status().counters.stream_events, 0);
}

#[test]
fn event_in_pieces_is_read() {
    let server = FeaturesServer::start(&dated(1, 1));
    let client = streaming(builder(&server).fetch_options(|options| options.read_timeout(SHORT)));
    let event = format!("event: features\r\ndata: {}\r\n\r\n", dated(2, 2));
    for piece in event.as_bytes().chunks(7) {
        server.push(piece);
        // Fetches are done meanwhile, on the thread that reads the stream.
        client.refresh().unwrap();
    }
    eventually("the payload", || flag(&client) == 2);
    assert_eq!(client.status().counters.streams_opened, 1);
}

#[test]
fn endless_garbage_does_not_stop_fetching() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                server.push(&[b'x'; 1000]);
                thread::sleep(Duration::from_millis(1));
            }
        });
        thread::sleep(MOMENT);
        server.set_payload_quietly(&payload(2));
        server.push(b"\n\n");
        server.push_update_notice();
        eventually("the next payload", || flag(&client) == 2);
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn ended_stream_reopens_and_missed_change_arrives() {
    struct Row {
        name: &'static str,
        end: fn(&mut FeaturesServer),
    }
    let rows = [
        Row { name: "in good order", end: |server| server.end_streams() },
        Row { name: "hung up", end: |server| server.hang_up() },
        Row { name: "restarted", end: FeaturesServer::restart },
    ];
    for_each(
        &rows,
        |row| row.name,
        |row| {
            let mut server = FeaturesServer::start(&payload(1));
            let client = streaming(builder(&server));
            server.set_payload(&payload(2));
            eventually("the change", || flag(&client) == 2);
            come_back_soon(&server, &client);

            let start = Instant::now();
            server.set_payload_quietly(&payload(3));
            (row.end)(&mut server);
            eventually("another stream", || client.status().counters.streams_opened == 2);
            eventually("what was missed", || flag(&client) == 3);
            // The stream was brief, so this takes a second, and more on a busy machine.
            assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
            assert!(is_streaming(&client));

            let [first, second] = stream_requests(&server).try_into().unwrap();
            for request in [&first, &second] {
                assert_eq!(request.header("accept"), Some("text/event-stream"));
                assert_eq!(request.header("cache-control"), Some("no-cache"));
                assert_eq!(request.header("accept-encoding"), None);
            }
            assert_eq!(first.header("last-event-id"), None);
            // The id of the notice, without its blank.
            assert_eq!(second.header("last-event-id"), Some("2"));
            let last = server.requests().pop().unwrap();
            assert!(last.path.starts_with("/api/features/") && last.received > second.received);

            server.set_payload(&payload(4));
            eventually("the next change", || flag(&client) == 4);
        },
    );
}

#[test]
fn fetch_after_a_reconnect_is_conditional() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    come_back_soon(&server, &client);
    let before = server.counts().not_modified;
    server.end_streams();
    eventually("another stream", || client.status().counters.streams_opened == 2);
    eventually("the fetch after it", || server.counts().not_modified == before + 1);
    assert_eq!(server.counts().features, before + 2);
}

#[test]
fn while_the_stream_is_down_the_server_is_polled() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server).poll_interval(OFTEN));
    // The server asks for ten seconds, so no stream is opened in this test.
    server.hang_up();
    eventually("the loss", || lost(&client) == Some(Kind::Interrupted));
    for value in 2..5 {
        server.set_payload_quietly(&payload(value));
        eventually("the next payload", || flag(&client) == value);
    }
    assert_eq!(server.counts().streams, 1);
}

#[test]
fn silence_within_the_limit_is_not_a_failure() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(
        builder(&server).fetch_options(|options| options.read_timeout(Duration::from_millis(50))),
    );
    server.set_silent(true);
    thread::sleep(2 * MOMENT);
    assert!(is_streaming(&client));
    server.set_payload(&payload(2));
    server.set_silent(false);
    eventually("what was held back", || flag(&client) == 2);
    assert_eq!(client.status().counters.streams_opened, 1);
}

#[test]
fn stream_that_is_silent_too_long_is_replaced() {
    const LIMIT: Duration = Duration::from_secs(1);
    const PING: Duration = Duration::from_millis(20);
    let server = FeaturesServer::start(&payload(1));
    server.set_ping_interval(PING);
    let client = streaming(builder(&server).fetch_options(|options| options.stream_timeout(LIMIT)));
    thread::sleep(LIMIT + LIMIT / 2);
    assert_eq!(client.status().counters.streams_opened, 1);

    // The connection stays open and silent.
    server.set_silent(true);
    let silent = Instant::now();
    server.set_payload_quietly(&payload(2));
    eventually("what was missed", || flag(&client) == 2);
    assert!(silent.elapsed() >= LIMIT / 2, "{:?}", silent.elapsed());
    eventually("another stream", || client.status().counters.streams_opened >= 2);
    server.set_silent(false);
    server.set_payload(&payload(3));
    eventually("the change", || flag(&client) == 3);
}

#[test]
fn failing_fetch_does_not_disturb_the_stream() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    server.always_features(Reply::status(503));
    refresh_anew(&client).unwrap_err();
    server.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);
    // A comment is a sign of life as well.
    eventually("the end of the failure", || failure(&client).is_none());
    assert!(is_streaming(&client));
}

#[test]
fn streaming_host_is_used() {
    let api = FeaturesServer::start(&payload(1));
    let stream = FeaturesServer::start(&payload(-2));
    let builder = builder(&api).fetch_options(|options| {
        options
            .streaming_host(stream.url() + "/")
            .api_header("x-api", "a")
            .streaming_header("x-stream", "s")
    });
    let client = streaming(builder);
    stream.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);
    assert_eq!((api.counts().streams, stream.counts().features), (0, 0));
    let fetch = &api.requests()[0];
    assert_eq!((fetch.header("x-api"), fetch.header("x-stream")), (Some("a"), None));
    let [open] = stream.requests().try_into().unwrap();
    assert_eq!((open.header("x-api"), open.header("x-stream")), (None, Some("s")));
}

#[test]
fn redirected_stream_gets_no_headers() {
    let server = FeaturesServer::start(&payload(1));
    let other = FeaturesServer::start(&payload(1));
    server.script_stream([Reply::redirect(307, &format!("{}/sub/there", other.url()))]);
    let client = streaming(
        builder(&server).fetch_options(|options| options.streaming_header("x-token", "t")),
    );
    other.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);
    let [asked] = stream_requests(&server).try_into().unwrap();
    let [followed] = stream_requests(&other).try_into().unwrap();
    assert_eq!(asked.header("x-token"), Some("t"));
    assert_eq!((followed.path.as_str(), followed.header("x-token")), ("/sub/there", None));
}

#[test]
fn streams_work_over_tls() {
    let server = FeaturesServer::start_tls(&payload(1));
    let client = streaming(
        builder(&server)
            .fetch_options(|options| options.root_certificates(server.root_certificate_pem())),
    );
    server.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);
}

#[test]
fn scope_keeps_its_payload_during_updates() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    let scope = client.for_user("u");
    server.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);
    assert_eq!(scope.feature_value("flag", -1), 1);
    assert_eq!(client.for_user("u").feature_value("flag", -1), 2);
}

#[test]
fn answers_of_one_scope_agree_while_payloads_change() {
    let both = |value: i64| {
        let feature = json!({"defaultValue": value});
        let date = format!("2026-01-01T00:00:00.{value:03}Z");
        json!({"features": {"left": feature, "right": feature}, "dateUpdated": date}).to_string()
    };
    let server = FeaturesServer::start(&both(0));
    let client = streaming(builder(&server));
    let last = 200;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut seen = 0;
                while seen < last {
                    let user = client.for_user("u");
                    let left = user.feature_value("left", -1);
                    assert_eq!(left, user.feature_value("right", -2));
                    assert!(left >= seen, "{left} came after {seen}");
                    seen = left;
                }
            });
        }
        for value in 1..=last {
            server.set_payload(&both(value));
        }
    });
}

#[test]
fn polling_client_opens_no_stream() {
    let server = FeaturesServer::start(&payload(1));
    let polling: fn(ClientBuilder<Connected>) -> ClientBuilder<Connected> =
        |it| it.refresh(Refresh::Poll(OFTEN));
    let manual: fn(ClientBuilder<Connected>) -> ClientBuilder<Connected> =
        |it| it.refresh(Refresh::Manual);
    for how in [polling, manual] {
        let client = ready(how(at(&server.url())));
        client.refresh().unwrap();
        assert!(is_off(&client, StreamOff::NotWanted));
        client.close(PATIENCE).unwrap();
        assert!(is_off(&client, StreamOff::Closed));
    }
    assert_eq!(server.counts().streams, 0);
}
