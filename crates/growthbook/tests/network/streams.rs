//! Streams: their events, their failures, and polling while there is none.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::fetch::{ConnectionOptions, FetchErrorKind as Kind, StreamOff, StreamState};
use growthbook::{Client, ClientBuilder, Connected, PayloadError, Refresh};
use serde_json::json;
use test_server::{BlackHole, FeaturesServer, ProxyServer, Reply, Request};

use crate::support::{
    PATIENCE, SHORT, Spy, assert_renews_age, at, builder, dated, eventually, failure, flag,
    for_each, is_streaming, payload, ready, refresh_anew, spied, streaming,
};

/// Asks the client to reopen a lost stream after the shortest delay.
const REOPEN_SOON: &[u8] = b"retry: 0\n\n";

/// Asks the client not to reopen a lost stream within a test.
const REOPEN_LATE: &[u8] = b"retry: 3600000\n\n";

/// How often a client polls while there is no stream.
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

/// Sends a reopening delay, and waits until the client has read it and has fetched after that.
fn send_retry(server: &FeaturesServer, client: &Client, retry: &[u8]) {
    let events = client.status().counters.stream_events;
    server.push(retry);
    server.push_update_notice();
    eventually("the notice", || client.status().counters.stream_events > events);
    refresh_anew(client).unwrap();
}

/// Waits until another client has tried three times to open a stream that fails. By then a client
/// that tries again has done so at least once.
fn wait_for_retries() {
    let server = FeaturesServer::start(&payload(1));
    server.always_stream(Reply::status(500));
    let _client = builder(&server).start().unwrap();
    assert!(server.wait_until(PATIENCE, |counts| counts.streams >= 3));
}

#[test]
fn stream_is_opened_only_when_offered() {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    let client = ready(builder(&server).poll_interval(OFTEN));
    eventually("the server's offer", || is_off(&client, StreamOff::NotOffered));
    server.set_payload_quietly(&payload(2));
    eventually("the next payload", || flag(&client) == 2);
    assert_eq!(server.counts().streams, 0);

    server.set_streaming(true);
    // The server offers streams with a payload only.
    server.set_payload_quietly(&payload(3));
    eventually("a stream", || is_streaming(&client));
}

#[test]
fn failed_reply_does_not_offer_a_stream() {
    let server = FeaturesServer::start(&payload(1));
    let offer = |status| Reply::status(status).header("x-sse-support", "enabled");
    server.always_features(offer(500));
    let client = builder(&server).poll_interval(OFTEN).start().unwrap();
    eventually("some attempts", || client.status().counters.failures >= 3);
    assert_eq!(server.counts().streams, 0);
    assert!(is_off(&client, StreamOff::NotKnownYet));
}

#[test]
fn polling_replaces_a_failed_stream() {
    struct Row {
        name: &'static str,
        reply: Reply,
        kind: Kind,
        /// Whether the client tries again soon.
        again: bool,
    }
    let black_hole = BlackHole::open();
    let status = |code| Kind::Status { code, unrecoverable: false };
    let ok = |media_type: &str| Reply::status(200).header("content-type", media_type);
    let rows = [
        ("bad request", Reply::status(400), status(400), true),
        ("not found", Reply::status(404), status(404), true),
        ("forbidden", Reply::status(403), status(403), false),
        ("server error", Reply::status(500), status(500), true),
        ("HTML", ok("text/html").body("<html>"), Kind::NotAStream, true),
        ("a payload", ok("application/json").body(payload(-2)), Kind::NotAStream, true),
        ("no media type", Reply::status(200), Kind::NotAStream, true),
        ("a partial reply", Reply::status(206), status(206), true),
        ("header hangs", Reply::raw_then_hang(""), Kind::Timeout, true),
        ("no reply", Reply::close(), Kind::Interrupted, true),
        ("not HTTP", Reply::raw("SSH-2.0-OpenSSH_9.9\r\n\r\n"), Kind::Protocol, true),
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
            let builder = spied(&server, spy.clone()).poll_interval(OFTEN);
            let client =
                match row.kind {
                    Kind::Timeout => ready(builder.fetch_options(|options| {
                        options.connect_timeout(SHORT).read_timeout(SHORT)
                    })),
                    _ => ready(builder),
                };
            eventually("the failure", || lost(&client) == Some(row.kind));
            let attempts = server.counts().streams;
            // A failed stream is not a failed refresh.
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
                wait_for_retries();
                assert_eq!(server.counts().streams, attempts);
            }
        },
    );
}

#[test]
fn brief_streams_are_reported_once() {
    let server = FeaturesServer::start(&payload(1));
    let brief = Reply::status(200).header("content-type", "text/event-stream").body(REOPEN_SOON);
    server.always_stream(brief);
    let spy = Spy::new();
    let client = ready(spied(&server, spy.clone()));
    assert!(server.wait_until(PATIENCE, |counts| counts.streams == 3));
    eventually("the reason", || lost(&client) == Some(Kind::BriefStream));
    let expected = "WARN changes are not streamed: the server ended the stream at once: check that \
                    proxies do not cut or buffer streams; polling instead";
    assert_eq!(spy.logged(), [expected]);
}

#[test]
fn open_stream_continues_without_an_offer() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server).poll_interval(OFTEN));
    server.set_streaming(false);
    server.set_payload_quietly(&payload(2));
    server.push_update_notice();
    eventually("the next payload", || flag(&client) == 2);
    let events = client.status().counters.stream_events;
    server.set_payload(&payload(22));
    eventually("another event", || client.status().counters.stream_events > events);
    assert!(is_streaming(&client));
    // The client does not open another one after it.
    server.end_streams();
    eventually("its end", || is_off(&client, StreamOff::NotOffered));
    server.set_payload_quietly(&payload(3));
    eventually("the payload after it", || flag(&client) == 3);
    assert_eq!(server.counts().streams, 1);
}

#[test]
fn no_content_declines_the_stream() {
    let server = FeaturesServer::start(&payload(1));
    server.always_stream(Reply::status(204));
    let spy = Spy::new();
    let client = ready(spied(&server, spy.clone()).poll_interval(OFTEN));
    eventually("the answer", || is_off(&client, StreamOff::Declined));
    server.set_payload_quietly(&payload(2));
    eventually("the next payload", || flag(&client) == 2);
    wait_for_retries();
    assert_eq!(server.counts().streams, 1);
    assert_eq!(spy.logged(), ["INFO the server has no stream; polling instead"]);
}

#[test]
fn change_is_streamed() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    for value in 2..20 {
        server.set_payload(&payload(value));
        eventually("the change", || flag(&client) == value);
    }
    assert_eq!(client.status().counters.stream_events, 18);
    eventually("their count", || client.status().counters.updates == 19);
    // The client did not fetch them.
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
        /// The failure, if the event should have been a payload.
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
        ("invalid retry delays", b"retry: 99999999999999999999\nretry: x\n\n".to_vec(), None),
        ("HTML", features("<html>"), syntax(1)),
        ("half a payload", features(r#"{"features":"#), syntax(12)),
        ("an empty object", features("{}"), payload_error(PayloadError::MissingFeatures)),
        ("a list", features("[]"), payload_error(PayloadError::NotAnObject)),
        (
            "features that are a list",
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
                spied(&server, spy.clone()).fetch_options(|options| options.max_body_bytes(1000)),
            );
            server.push(&row.bytes);
            if let Some(kind) = row.kind {
                let expected = format!("WARN refreshing fails: {kind}");
                eventually("the line in the log", || {
                    spy.logged().first().is_some_and(|line| line.starts_with(&expected))
                });
                assert_eq!(client.status().counters.failures, 1);
                // The client fetches the payload instead.
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
fn invalid_events_cause_one_fetch_and_one_warning() {
    let server = FeaturesServer::start(&payload(1));
    let spy = Spy::new();
    let client = streaming(spied(&server, spy.clone()));
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
    // A server may repeat an event.
    for _ in 0..3 {
        push(&dated(4, 4));
    }
    eventually("all of them", || client.status().counters.stream_events == 3);
    let counters = || client.status().counters;
    eventually("their counts", || counters().older_ignored + counters().updates == 4);
    assert_eq!((flag(&client), counters().older_ignored, counters().updates), (5, 3, 1));
    assert_eq!(client.status().date_updated.as_deref(), Some("2026-01-01T00:00:05.000Z"));
    // It does not replace the payload of a later client either.
    let later = ready(builder(&server));
    assert_eq!(flag(&later), 5);

    push(&dated(6, 6));
    eventually("a newer one", || flag(&client) == 6 && flag(&later) == 6);
    // A payload of the same date replaces the one in use.
    push(&dated(7, 6));
    eventually("one of the same time", || flag(&client) == 7);
}

#[test]
fn newer_payload_is_confirmed_after_an_older_one() {
    let server = FeaturesServer::start(&dated(5, 5));
    let client = streaming(builder(&server));
    server.push(format!("event: features\ndata: {}\n\n", dated(4, 4)).as_bytes());
    eventually("the older payload", || client.status().counters.older_ignored == 1);
    assert_renews_age(&client, || refresh_anew(&client).unwrap());
    assert_eq!(client.status().counters.not_modified, 2);
}

#[test]
fn fetch_after_a_streamed_update_is_conditional() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    server.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);
    let before = server.counts();
    assert_renews_age(&client, || refresh_anew(&client).unwrap());
    let after = server.counts();
    let new = (after.features - before.features, after.not_modified - before.not_modified);
    assert_eq!(new, (1, 1));
    assert_eq!(flag(&client), 2);
}

/// The endpoint's tag is not the one that the client computes.
#[test]
fn unknown_tag_leads_to_a_whole_document() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    server.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);
    let whole = |value| Reply::status(200).header("etag", "\"v2\"").body(payload(value));
    // The same document with the server's own tag, and then another document.
    server.script_features([whole(2), whole(3)]);
    let before = server.requests().len();
    refresh_anew(&client).unwrap();
    assert_eq!(flag(&client), 2);
    refresh_anew(&client).unwrap();
    assert_eq!(flag(&client), 3);
    let requests = server.requests();
    let tags = requests[before..].iter().map(|request| request.header("if-none-match"));
    let tags: Vec<&str> = tags.flatten().collect();
    assert!(matches!(tags[..], [computed, "\"v2\""] if computed.starts_with("W/")), "{tags:?}");
}

#[test]
fn repeated_event_keeps_the_tag_of_the_server() {
    let server = FeaturesServer::start(&payload(1));
    let whole = Reply::status(200).header("etag", "\"v1\"").header("x-sse-support", "enabled");
    server.always_features(whole.body(payload(1)));
    let client = ready(builder(&server));
    eventually("a stream", || is_streaming(&client));
    server.push(format!("event: features\ndata: {}\n\n", payload(1)).as_bytes());
    eventually("the event", || client.status().counters.stream_events == 1);
    refresh_anew(&client).unwrap();
    refresh_anew(&client).unwrap();
    let last = server.requests().pop().unwrap();
    assert_eq!(last.header("if-none-match"), Some("\"v1\""));
}

#[test]
fn repeated_payload_is_not_an_update() {
    let updates = Arc::new(AtomicUsize::new(0));
    let server = FeaturesServer::start(&payload(1));
    let counter = updates.clone();
    let on_update = move |_: &_| {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    let client = streaming(builder(&server).on_update(on_update));
    let before = updates.load(Ordering::Relaxed);
    for _ in 0..3 {
        server.set_payload(&payload(2));
    }
    eventually("all of them", || client.status().counters.stream_events == 3);
    server.set_payload(&payload(3));
    eventually("the last", || flag(&client) == 3);
    eventually("the callbacks", || updates.load(Ordering::Relaxed) == before + 2);
    eventually("their count", || client.status().counters.updates == 3);
}

#[test]
fn incomplete_event_is_dropped() {
    let server = FeaturesServer::start(&payload(1));
    // The event ends within the payload, where it is complete JSON.
    let event = format!("id: 1 \nevent: features\ndata: {}", payload(-2));
    let greeting = "retry: 10000\n\n";
    server.script_stream([Reply::truncated(greeting.len() + event.len())]);
    let client = streaming(builder(&server).poll_interval(OFTEN));
    server.set_payload_quietly(&payload(2));
    server.push(format!("{event}\n\n").as_bytes());
    eventually("the end of the stream", || lost(&client) == Some(Kind::Interrupted));
    eventually("the payload of the server", || flag(&client) == 2);
    assert_eq!(client.status().counters.stream_events, 0);
}

#[test]
fn event_in_pieces_is_read_between_fetches() {
    let server = FeaturesServer::start(&dated(1, 1));
    let client = streaming(builder(&server).fetch_options(|options| options.read_timeout(SHORT)));
    let event = format!("event: features\r\ndata: {}\r\n\r\n", dated(2, 2));
    for piece in event.as_bytes().chunks(7) {
        server.push(piece);
        // The thread that reads the stream also fetches in between.
        client.refresh().unwrap();
    }
    eventually("the payload", || flag(&client) == 2);
    assert_eq!(client.status().counters.streams_opened, 1);
}

#[test]
fn endless_garbage_does_not_block_fetches() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    let (pushed, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) && start.elapsed() < 2 * PATIENCE {
                server.push(&[b'x'; 1000]);
                pushed.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        eventually("garbage", || pushed.load(Ordering::Relaxed) >= 50);
        server.set_payload_quietly(&payload(2));
        server.push(b"\n\n");
        server.push_update_notice();
        eventually("the next payload", || flag(&client) == 2);
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn ended_stream_is_reopened_and_caught_up() {
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
            // The last delay counts.
            server.push(REOPEN_LATE);
            send_retry(&server, &client, REOPEN_SOON);

            server.set_payload_quietly(&payload(3));
            (row.end)(&mut server);
            eventually("another stream", || client.status().counters.streams_opened == 2);
            eventually("the missed change", || flag(&client) == 3);
            assert!(is_streaming(&client));

            let [first, second] = stream_requests(&server).try_into().unwrap();
            for request in [&first, &second] {
                assert_eq!(request.header("accept"), Some("text/event-stream"));
                assert_eq!(request.header("cache-control"), Some("no-cache"));
                assert_eq!(request.header("accept-encoding"), None);
            }
            assert_eq!(first.header("last-event-id"), None);
            // The id of the notice, without the space that the server sends after it.
            assert_eq!(second.header("last-event-id"), Some("2"));
            let last = server.requests().pop().unwrap();
            assert!(last.path.starts_with("/api/features/") && last.received > second.received);

            server.set_payload(&payload(4));
            eventually("the next change", || flag(&client) == 4);
        },
    );
}

/// Otherwise the client would wait as long as the server's `retry` says, which is an hour here.
#[test]
fn broken_stream_that_worked_is_replaced_at_once() {
    const HEALTHY: Duration = Duration::from_millis(5_100);
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    send_retry(&server, &client, REOPEN_LATE);
    thread::sleep(HEALTHY);
    server.set_payload_quietly(&payload(2));
    server.hang_up();
    eventually("another stream", || client.status().counters.streams_opened == 2);
    eventually("the missed update", || flag(&client) == 2);
}

/// The poll interval is longer than a test, and so is the server's `retry`.
#[test]
fn brief_streams_are_not_deaf_in_between() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    send_retry(&server, &client, REOPEN_LATE);
    server.end_streams();
    eventually("its end", || !is_streaming(&client));
    server.set_payload_quietly(&payload(2));
    eventually("the next payload", || flag(&client) == 2);
}

/// Runs an action while the server sends these bytes again and again.
fn while_sending<T>(server: &FeaturesServer, bytes: &[u8], action: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let sending = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                server.push(bytes);
                thread::sleep(Duration::from_millis(5));
            }
        });
        let outcome = catch_unwind(AssertUnwindSafe(action));
        is_over.store(true, Ordering::Relaxed);
        sending.join().unwrap();
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[test]
fn invalid_events_do_not_postpone_fetches() {
    let large = "x".repeat(5_000);
    for event in ["event: features\ndata: <html>\n\n".to_owned(), format!("data: {large}\n\n")] {
        let server = FeaturesServer::start(&payload(1));
        let client =
            streaming(builder(&server).fetch_options(|options| options.max_body_bytes(1_000)));
        server.always_features(Reply::status(500));
        while_sending(&server, event.as_bytes(), || {
            let before = server.counts().features;
            assert!(server.wait_until(PATIENCE, |counts| counts.features >= before + 2));
            server.set_payload_quietly(&payload(2));
            server.always_features(None);
            eventually("the next payload", || flag(&client) == 2);
        });
        assert!(is_streaming(&client));
    }
}

#[test]
fn notices_lead_to_one_fetch_a_second() {
    let notice = b"event: features-updated\ndata: \n\n";
    for reply in [None, Some(Reply::status(500))] {
        let server = FeaturesServer::start(&payload(1));
        let _client = streaming(builder(&server));
        server.always_features(reply);
        let (start, before) = (Instant::now(), server.counts().features);
        while_sending(&server, notice, || {
            assert!(server.wait_until(PATIENCE, |counts| counts.features >= before + 4));
        });
        let fetches = server.counts().features - before;
        // The first one, and one in each second.
        let most = 2 + start.elapsed().as_secs();
        assert!(fetches as u64 <= most, "{fetches} fetches in {:?}", start.elapsed());
    }
}

#[test]
fn fetch_after_a_reconnect_is_conditional() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    send_retry(&server, &client, REOPEN_SOON);
    let before = server.counts().not_modified;
    server.end_streams();
    eventually("another stream", || client.status().counters.streams_opened == 2);
    eventually("the fetch after it", || server.counts().not_modified == before + 1);
    assert_eq!(server.counts().features, before + 2);
}

#[test]
fn server_is_polled_while_the_stream_is_down() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server).poll_interval(OFTEN));
    send_retry(&server, &client, REOPEN_LATE);
    // A stream that lived for some seconds is replaced at once.
    server.always_stream(Reply::status(500));
    server.hang_up();
    eventually("the loss", || lost(&client).is_some());
    for value in 2..5 {
        server.set_payload_quietly(&payload(value));
        eventually("the next payload", || flag(&client) == value);
    }
    assert!(server.counts().streams <= 2);
}

#[test]
fn silent_stream_outlives_the_read_timeout() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server).fetch_options(|options| options.read_timeout(SHORT)));
    server.set_silent(true);
    thread::sleep(SHORT + SHORT / 2);
    assert!(is_streaming(&client));
    server.set_payload(&payload(2));
    server.set_silent(false);
    eventually("the held change", || flag(&client) == 2);
    assert_eq!(client.status().counters.streams_opened, 1);
}

#[test]
fn stream_silent_for_too_long_is_replaced() {
    const LIMIT: Duration = Duration::from_secs(2);
    const PING: Duration = Duration::from_millis(20);
    let server = FeaturesServer::start(&payload(1));
    server.set_ping_interval(PING);
    let client = streaming(builder(&server).fetch_options(|options| options.stream_timeout(LIMIT)));
    // Pings keep the stream open.
    thread::sleep(LIMIT + LIMIT / 2);
    assert_eq!(client.status().counters.streams_opened, 1);

    // The connection stays open, but the server sends nothing.
    server.set_silent(true);
    let silent = Instant::now();
    server.set_payload_quietly(&payload(2));
    eventually("the missed change", || flag(&client) == 2);
    assert!(silent.elapsed() >= LIMIT / 2, "{:?}", silent.elapsed());
    eventually("another stream", || client.status().counters.streams_opened >= 2);
    server.set_silent(false);
    server.set_payload(&payload(3));
    eventually("the change", || flag(&client) == 3);
}

#[test]
fn failed_fetch_does_not_end_the_stream() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    server.always_features(Reply::status(503));
    refresh_anew(&client).unwrap_err();
    server.set_payload(&payload(2));
    eventually("the change", || flag(&client) == 2);
    // A streamed payload ends the failure.
    eventually("the end of the failure", || failure(&client).is_none());
    assert!(is_streaming(&client));
}

#[test]
fn streaming_host_is_used_for_streams() {
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
fn stream_redirect_drops_headers() {
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
    let client = streaming(builder(&server).fetch_options(|options| {
        options
            .connection(ConnectionOptions::new().root_certificates(server.root_certificate_pem()))
    }));
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
fn scope_sees_one_payload_during_updates() {
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
fn polling_and_manual_clients_open_no_stream() {
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

#[test]
fn dripping_proxy_does_not_stop_polling() {
    let server = FeaturesServer::start(&payload(1));
    let streams = FeaturesServer::start(&payload(1));
    let proxy = ProxyServer::start();
    proxy.drip(&streams.url());
    let client = ready(builder(&server).refresh(Refresh::Stream).fetch_options(|options| {
        let options = options
            .streaming_host(streams.url())
            .connection(ConnectionOptions::new().proxy(proxy.url()));
        options.connect_timeout(SHORT).poll_interval(OFTEN)
    }));
    let is_lost = |state: StreamState| match state {
        StreamState::Lost { error } => error.kind() == Kind::Proxy,
        _ => false,
    };
    eventually("the end of the attempt", || is_lost(client.status().stream));
    server.set_payload_quietly(&payload(2));
    eventually("the poll", || flag(&client) == 2);
}

#[test]
fn opening_a_stream_has_a_limit() {
    let server = FeaturesServer::start(&payload(1));
    // Each reply is in time, but all together are not.
    server.always_stream(Reply::delayed(SHORT / 2, Reply::redirect(302, "?again")));
    let limits = builder(&server).fetch_options(|options| options.total_timeout(SHORT));
    let client = ready(limits.refresh(Refresh::Stream));
    let is_lost = |state: StreamState| match state {
        StreamState::Lost { error } => error.kind() == Kind::Timeout,
        _ => false,
    };
    eventually("the end of the attempt", || is_lost(client.status().stream));
}
