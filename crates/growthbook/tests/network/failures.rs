//! Failing fetches. The last good payload stays, `status` has the cause, and refreshing recovers by
//! itself.

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::iter;
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::fetch::{ConnectionOptions, DateProblem, FetchErrorKind as Kind};
use growthbook::{
    Client, ClientBuilder, Connected, FetchOptions, PayloadError, PayloadSource, Refresh,
};
use serde_json::json;
use test_server::{BlackHole, Counts, FeaturesServer, Reply};

use crate::support::{
    OFTEN, PATIENCE, SHORT, Spy, assert_renews_age, at, builder, dated, eventually, failure, flag,
    for_each, is_streaming, manual, payload, polling, ready, refresh_anew, spied,
    wait_for_ten_polls,
};

/// The limit of a payload in the table of failures.
pub(crate) const LIMIT: u64 = 2000;

/// One way to fail.
pub(crate) struct Failure {
    pub(crate) name: &'static str,
    pub(crate) reply: Reply,
    pub(crate) kind: Kind,
}

/// Servers that are not a GrowthBook server. A redirect can lead to them.
pub(crate) struct Elsewhere {
    black_hole: BlackHole,
    untrusted: FeaturesServer,
    without_tls: String,
}

impl Elsewhere {
    pub(crate) fn new() -> Self {
        Elsewhere {
            black_hole: BlackHole::open(),
            untrusted: FeaturesServer::start_tls(&payload(-2)),
            without_tls: http_where_tls_is_expected(),
        }
    }

    /// Returns hosts that cannot be reached, or are not trusted.
    pub(crate) fn hosts(&self) -> [(String, Kind); 5] {
        [
            ("http://nonexistent.invalid".to_owned(), Kind::Dns),
            ("http://127.0.0.1:1".to_owned(), Kind::Connect),
            (self.without_tls.clone(), Kind::Tls),
            (self.untrusted.url(), Kind::Certificate),
            (self.black_hole.url(), Kind::Timeout),
        ]
    }

    /// Returns each way in which a reply to a request without an ETag can fail.
    pub(crate) fn failures(&self) -> Vec<Failure> {
        let html = "<!DOCTYPE html><title>Please log in</title>";
        let ok = |body: &str| Reply::status(200).body(body);
        // A POST request follows a redirect only if it keeps the method.
        let to = |url: &str| Reply::redirect(307, &format!("{url}/api/features/x"));
        let status = |code| Kind::Status { code, unrecoverable: false };
        let syntax = Kind::Payload(PayloadError::Syntax { line: 1, column: 1 });
        let large = json!({"features": {}, "padding": "x".repeat(2000)}).to_string();
        let too_large = Kind::TooLarge { limit: LIMIT };
        let unrecoverable = Reply::status(400).header("x-unrecoverable", "1");
        let rows = [
            ("a host without an address", to("http://nonexistent.invalid"), Kind::Dns),
            ("connection refused", to("http://127.0.0.1:1"), Kind::Connect),
            ("a server without TLS", to(&self.without_tls), Kind::Tls),
            ("an untrusted certificate", to(&self.untrusted.url()), Kind::Certificate),
            ("connect hangs", to(&self.black_hole.url()), Kind::Timeout),
            ("header hangs", Reply::raw_then_hang(""), Kind::Timeout),
            ("header stalls", Reply::raw_then_hang("HTTP/1.1 200 OK\r\nconte"), Kind::Timeout),
            ("body stalls", Reply::stalled(9), Kind::Timeout),
            ("body is cut off", Reply::truncated(9), Kind::Interrupted),
            ("no reply", Reply::close(), Kind::Interrupted),
            ("not HTTP", Reply::raw("SSH-2.0-OpenSSH_9.9\r\n\r\n"), Kind::Protocol),
            ("HTML", ok(html).header("content-type", "text/html"), syntax),
            ("nothing", ok(""), Kind::Payload(PayloadError::Syntax { line: 1, column: 0 })),
            ("created", Reply::status(201).body(payload(-2)), status(201)),
            ("no content", Reply::status(204), status(204)),
            ("a part", Reply::status(206).body(payload(-2)), status(206)),
            ("an empty object", ok("{}"), Kind::Payload(PayloadError::MissingFeatures)),
            (
                "no features",
                ok(r#"{"status":200,"dateUpdated":"2026-01-01T00:00:00Z"}"#),
                Kind::Payload(PayloadError::MissingFeatures),
            ),
            (
                "features that are a list",
                ok(r#"{"features":[]}"#),
                Kind::Payload(PayloadError::FeaturesNotAnObject),
            ),
            ("a list", ok(r#"[{"features":{}}]"#), Kind::Payload(PayloadError::NotAnObject)),
            ("a missing decryption key", ok(r#"{"features":{},"encryptedFeatures":"a.b"}"#), {
                Kind::Payload(PayloadError::MissingDecryptionKey)
            }),
            ("not UTF-8", Reply::status(200).body([0xff]), Kind::Payload(PayloadError::NotUtf8)),
            ("not modified, but nothing is known", Reply::status(304), Kind::NothingToConfirm),
            ("bad request", Reply::status(400), status(400)),
            ("invalid key", unrecoverable, Kind::Status { code: 400, unrecoverable: true }),
            ("unauthorized", Reply::status(401), status(401)),
            ("forbidden", Reply::status(403).body(html), status(403)),
            ("not found", Reply::status(404).body(html), status(404)),
            ("gone", Reply::status(410), status(410)),
            ("too many requests", Reply::status(429).header("retry-after", "1"), status(429)),
            ("server error", Reply::status(500).body(payload(-2)), status(500)),
            ("unavailable", Reply::status(503), status(503)),
            ("a redirect in circles", Reply::redirect(307, "?again"), Kind::Redirect),
            ("a redirect to nowhere", Reply::status(302), Kind::Redirect),
            ("a redirect to a file", Reply::redirect(301, "file:///etc/passwd"), Kind::Redirect),
            ("corrupt gzip", Reply::corrupt_gzip(), Kind::Decompress),
            ("a body over the limit", ok(&large), too_large),
            ("a gzip bomb", Reply::gzip_bomb(100_000_000), too_large),
        ];
        rows.map(|(name, reply, kind)| Failure { name, reply, kind }).into()
    }
}

impl Failure {
    /// Sets the limits that this failure exceeds.
    pub(crate) fn limits(&self, builder: ClientBuilder<Connected>) -> ClientBuilder<Connected> {
        builder.fetch_options(|options| self.limit(options))
    }

    /// Sets the limits that this failure exceeds.
    pub(crate) fn limit(&self, options: FetchOptions) -> FetchOptions {
        let options = options.max_body_bytes(LIMIT);
        match self.kind {
            Kind::Timeout => options.connect_timeout(SHORT).read_timeout(SHORT),
            _ => options,
        }
    }
}

/// Starts a server that replies "bad request" to a client that speaks TLS. It runs until the process
/// ends.
fn http_where_tls_is_expected() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let _ = socket.read(&mut [0; 1024]);
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
        }
    });
    format!("https://{address}")
}

#[test]
fn polling_client_survives_each_failure() {
    let elsewhere = Elsewhere::new();
    for_each(
        &elsewhere.failures(),
        |row| row.name,
        |row| {
            let server = quiet_server();
            let spy = Spy::new();
            let client = ready(row.limits(spied(&server, spy.clone()).refresh(OFTEN)));
            assert_eq!(flag(&client), 1);
            let (logged, requests) = (spy.logged().len(), server.counts().requests);

            let start = Instant::now();
            server.always_features(row.reply.clone());
            eventually("the failure", || failure(&client).is_some());
            if row.kind.is_refusal() {
                // A client waits for minutes after a refusal.
                wait_for_ten_polls();
                assert_eq!(client.status().counters.failures, 1);
            } else {
                eventually("another attempt", || client.status().counters.failures >= 3);
            }
            assert_failed(&client, row.kind);
            let asked = server.counts().requests - requests;
            // The shortest delay is half of the interval. A redirect may lead back here five times.
            let most = (start.elapsed().as_millis() / 10 + 2) * 6;
            assert!(asked as u128 <= most, "{asked} requests are more than {most}");

            server.set_payload_quietly(&payload(2));
            server.always_features(None);
            if row.kind.is_refusal() {
                client.refresh().unwrap();
            }
            eventually("the next payload", || flag(&client) == 2);
            eventually("the end of the failure", || failure(&client).is_none());
            assert_logged_once(&spy, logged, !row.kind.is_refusal());
        },
    );
}

#[test]
fn payload_from_the_future_is_replaced() {
    let server = quiet_server();
    let future = dated(1, 1).replace("2026-", "2099-");
    server.set_payload_quietly(&future);
    let spy = Spy::new();
    let client = ready(spied(&server, spy.clone()).refresh(Refresh::Manual));
    assert_eq!(client.status().date_problem, Some(DateProblem::InUseFromFuture));
    assert_eq!(spy.logged().len(), 1, "{:#?}", spy.logged());
    assert!(spy.logged()[0].starts_with("WARN the payload in use is dated in the future"));
    client.refresh().unwrap();
    assert_eq!(spy.logged().len(), 1, "{:#?}", spy.logged());

    server.set_payload_quietly(&dated(2, 2));
    client.refresh().unwrap();
    assert_eq!((flag(&client), client.status().date_problem), (2, None));
}

#[test]
fn starting_proxy_does_not_refuse() {
    let server = FeaturesServer::start(&payload(1));
    server.always_features(Reply::status(404).body("<html>"));
    server.always_stream(Reply::status(400));
    let client = builder(&server).start().unwrap();
    let waited = thread::scope(|scope| {
        let waiting = scope.spawn(|| client.wait_ready(PATIENCE).map(|_| flag(&client)));
        eventually("some attempts", || client.status().counters.failures >= 3);
        assert!(!waiting.is_finished());
        server.always_features(None);
        waiting.join().unwrap()
    });
    assert_eq!(waited.unwrap(), 1);
    eventually("some streams that fail", || server.counts().streams >= 2);
    server.always_stream(None);
    eventually("a stream", || is_streaming(&client));
}

#[test]
fn changing_failures_are_logged_once() {
    let server = quiet_server();
    let spy = Spy::new();
    let builder = spied(&server, spy.clone()).refresh(Refresh::Manual);
    let client = ready(builder);
    let logged = spy.logged().len();
    server.script_features([502, 503, 502, 503].map(Reply::status));
    for code in [502, 503, 502, 503] {
        let kind = client.refresh().unwrap_err().kind();
        assert_eq!(kind, Kind::Status { code, unrecoverable: false });
    }
    client.refresh().unwrap();
    assert_logged_once(&spy, logged, true);
}

#[test]
fn manual_client_survives_each_failure() {
    let elsewhere = Elsewhere::new();
    for_each(
        &elsewhere.failures(),
        |row| row.name,
        |row| {
            let server = quiet_server();
            let spy = Spy::new();
            let builder = spied(&server, spy.clone()).refresh(Refresh::Manual);
            let client = ready(row.limits(builder));
            let logged = spy.logged().len();

            server.always_features(row.reply.clone());
            for failures in 1..=2 {
                let error = client.refresh().unwrap_err();
                assert_eq!(error.kind(), row.kind);
                assert_eq!(client.status().last_error.unwrap().in_a_row, failures);
                assert_failed(&client, row.kind);
            }
            assert_eq!(client.status().counters.fetches, 3);
            assert_eq!(client.status().counters.failures, 2);

            server.set_payload_quietly(&payload(2));
            server.always_features(None);
            client.refresh().unwrap();
            assert_eq!((flag(&client), failure(&client)), (2, None));
            assert_logged_once(&spy, logged, true);
        },
    );
}

#[test]
fn fallback_is_used_until_the_server_works() {
    let elsewhere = Elsewhere::new();
    for_each(
        &elsewhere.failures(),
        |row| row.name,
        |row| {
            let server = quiet_server();
            server.always_features(row.reply.clone());
            let client = row.limits(builder(&server).refresh(OFTEN)).fallback(payload(7)).start();
            let client = client.unwrap();
            assert_eq!(flag(&client), 7);
            eventually("the failure", || failure(&client) == Some(row.kind));
            assert_eq!((flag(&client), client.status().source), (7, Some(PayloadSource::Fallback)));

            server.always_features(None);
            if row.kind.is_refusal() {
                refresh_anew(&client).unwrap();
            }
            let ready = client.wait_ready(PATIENCE).unwrap();
            assert_eq!((flag(&client), ready.source), (1, PayloadSource::Network));
        },
    );
}

#[test]
fn unreachable_host_is_reported() {
    let elsewhere = Elsewhere::new();
    for_each(
        &elsewhere.hosts(),
        |(url, _)| url,
        |(url, kind)| {
            let builder = at(url).refresh(Refresh::Manual).fallback(payload(7));
            let client =
                builder.fetch_options(|options| options.connect_timeout(SHORT)).start().unwrap();
            assert_eq!(client.refresh().unwrap_err().kind(), *kind);
            assert_eq!((flag(&client), failure(&client)), (7, Some(*kind)));
        },
    );
}

#[test]
fn status_has_the_last_failure() {
    let server = quiet_server();
    let client = manual(&server);
    let html = Reply::status(200).body("<html>");
    server.script_features([html.clone(), Reply::status(503), html, Reply::status(502)]);
    let syntax = Kind::Payload(PayloadError::Syntax { line: 1, column: 1 });
    let status = |code| Kind::Status { code, unrecoverable: false };
    for (nth, kind) in [syntax, status(503), syntax, status(502)].into_iter().enumerate() {
        assert_eq!(client.refresh().unwrap_err().kind(), kind);
        let last = client.status().last_error.unwrap();
        assert_eq!((last.error.kind(), last.in_a_row), (kind, nth as u64 + 1));
    }
    client.refresh().unwrap();
    assert!(client.status().last_error.is_none());
}

#[test]
fn payload_without_features_is_used() {
    let server = quiet_server();
    let client = polling(&server);
    server.set_payload_quietly(r#"{"features":{}}"#);
    eventually("the empty payload", || flag(&client) == -1);
    assert!(client.features().is_empty());
}

#[test]
fn not_modified_confirms_the_payload_in_use() {
    let server = FeaturesServer::start(&payload(1));
    let client = manual(&server);
    assert_renews_age(&client, || client.refresh().unwrap());
    assert_eq!((flag(&client), client.status().counters.not_modified), (1, 1));
    assert_eq!(client.status().counters.updates, 1);
    assert_eq!(server.counts().not_modified, 1);
}

#[test]
fn additional_root_certificate_is_trusted() {
    let server = FeaturesServer::start_tls(&payload(1));
    let trusting = builder(&server).fetch_options(|options| {
        options
            .connection(ConnectionOptions::new().root_certificates(server.root_certificate_pem()))
    });
    let client = ready(trusting.refresh(Refresh::Manual));
    assert_eq!(flag(&client), 1);
}

#[test]
fn redirects_are_followed() {
    for_each(
        &[301, 302, 303, 307, 308].map(|it| (it, it.to_string())),
        |it| &it.1,
        |(status, _)| {
            let (server, other) = (quiet_server(), FeaturesServer::start(&payload(2)));
            let client = manual(&server);
            // The first redirect stays on the host, the second leads to the other one.
            let over_there = format!("{}/api/features/there?a=b", other.url());
            server.script_features([
                Reply::redirect(*status, "corner"),
                Reply::redirect(*status, &over_there),
            ]);
            client.refresh().unwrap();
            assert_eq!(flag(&client), 2);
            assert_eq!(server.requests().last().unwrap().path, "/api/features/corner");
            assert_eq!(other.requests().last().unwrap().path, "/api/features/there?a=b");
        },
    );
}

#[test]
fn redirect_from_tls_to_plain_http_fails() {
    let (server, other) = (FeaturesServer::start_tls(&payload(1)), quiet_server());
    let trusting = builder(&server).fetch_options(|options| {
        options
            .connection(ConnectionOptions::new().root_certificates(server.root_certificate_pem()))
    });
    let client = ready(trusting.refresh(Refresh::Manual));
    server.script_features([Reply::redirect(302, &format!("{}/api/features/x", other.url()))]);
    assert_eq!(client.refresh().unwrap_err().kind(), Kind::Redirect);
    assert_eq!(other.counts().requests, 0);
    assert_eq!(flag(&client), 1);
}

#[test]
fn redirect_to_another_host_drops_headers() {
    let (server, other) = (quiet_server(), quiet_server());
    let builder = builder(&server).fetch_options(|options| {
        options.api_header("X-Token", "t1").api_header("Authorization", "t2")
    });
    let client = ready(builder.refresh(Refresh::Manual));
    server.script_features([
        Reply::redirect(302, "/api/features/same-host"),
        Reply::redirect(302, &format!("{}/api/features/other-host", other.url())),
    ]);
    client.refresh().unwrap();
    let sent = |server: &FeaturesServer| {
        let request = server.requests().pop().unwrap();
        let sent = |name| request.header(name).map(str::to_owned);
        [sent("x-token"), sent("authorization")]
    };
    assert_eq!(server.counts().features, 3);
    assert_eq!(sent(&server), [Some("t1".to_owned()), Some("t2".to_owned())]);
    assert_eq!(other.counts().features, 1);
    assert_eq!(sent(&other), [None, None]);
}

#[test]
fn request_headers_name_the_sdk_and_the_etag() {
    let server = FeaturesServer::start(&payload(1));
    let client = manual(&server);
    client.refresh().unwrap();
    let [first, second] = server.requests().try_into().unwrap();
    let agent = concat!("growthbook-rust-sdk/", env!("CARGO_PKG_VERSION"));
    for request in [&first, &second] {
        assert_eq!(request.header("user-agent"), Some(agent));
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.header("cache-control"), None);
    }
    assert_eq!(first.header("if-none-match"), None);
    assert!(second.header("if-none-match").unwrap().starts_with("W/"));
}

#[test]
fn connection_is_kept_for_a_fetch_that_is_due_soon() {
    let server = quiet_server();
    let _client = polling(&server);
    assert!(server.wait_until(PATIENCE, |counts| counts.features >= 10));
    assert_eq!(server.counts().connections, 1);
}

#[test]
fn idle_connection_is_closed_after_the_fetch() {
    let seldom = Refresh::Poll(Duration::from_secs(3600));
    for (refresh, left) in [(Refresh::Manual, 0), (seldom, 0), (Refresh::Stream, 1)] {
        let server = FeaturesServer::start(&payload(1));
        let client = ready(builder(&server).refresh(refresh));
        let is_ready = || refresh != Refresh::Stream || is_streaming(&client);
        eventually("the stream", is_ready);
        for _ in 0..3 {
            client.refresh().unwrap();
            let is_closed = |counts: &Counts| counts.open_connections == left;
            assert!(server.wait_until(PATIENCE, is_closed), "{refresh:?}: {:?}", server.counts());
        }
        assert_eq!(client.status().counters.failures, 0);
    }
}

#[test]
fn gzip_payload_is_read() {
    let server = quiet_server();
    server.set_gzip(true);
    let client = manual(&server);
    assert_eq!(flag(&client), 1);
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("gzip"));
}

#[test]
fn payload_of_50_megabytes_is_read() {
    let features =
        json!({"flag": {"defaultValue": 1}, "large": {"defaultValue": "x".repeat(50_000_000)}});
    let server = FeaturesServer::start(&json!({"features": features}).to_string());
    let client = builder(&server).cache(()).refresh(Refresh::Manual).start().unwrap();
    client.refresh().unwrap();
    assert_eq!(flag(&client), 1);
}

#[test]
fn body_limit_is_exact() {
    let document = payload(1);
    let server = FeaturesServer::start(&document);
    server.set_streaming(false);
    let length = document.len() as u64;
    for gzip in [false, true] {
        server.set_gzip(gzip);
        let fetch = |limit| {
            let builder = builder(&server)
                .refresh(Refresh::Manual)
                .fetch_options(|options| options.max_body_bytes(limit));
            builder.start().unwrap().refresh().map_err(|error| error.kind())
        };
        assert_eq!(fetch(length), Ok(()), "gzip: {gzip}");
        let limit = length - 1;
        assert_eq!(fetch(limit), Err(Kind::TooLarge { limit }), "gzip: {gzip}");
    }
}

#[test]
fn closed_kept_connection_is_not_a_failure() {
    let server = quiet_server();
    // It keeps its connection for the next poll.
    let client = polling(&server);
    server.hang_up();
    let polls = |server: &FeaturesServer| {
        let before = server.counts().features;
        assert!(server.wait_until(PATIENCE, |counts| counts.features >= before + 5));
    };
    polls(&server);
    // The connection looks open until it is used.
    server.script_features([Reply::close()]);
    polls(&server);
    assert_eq!(client.status().counters.failures, 0);
    // The client repeats a request only once.
    server.script_features([Reply::close(), Reply::close()]);
    eventually("the failure", || client.status().counters.failures == 1);
}

#[test]
fn client_recovers_after_a_server_restart() {
    let mut server = quiet_server();
    let client = polling(&server);
    server.stop();
    eventually("the failure", || failure(&client) == Some(Kind::Connect));
    assert_eq!(flag(&client), 1);
    server.set_payload_quietly(&payload(2));
    server.restart();
    eventually("the next payload", || flag(&client) == 2);
    eventually("the end of the failure", || failure(&client).is_none());
}

#[test]
fn retry_after_is_respected() {
    let server = quiet_server();
    let client = polling(&server);
    server.script_features([Reply::status(503).header("retry-after", "1")]);
    eventually("the failure", || client.status().counters.failures == 1);
    let fetches = client.status().counters.fetches;
    eventually("the end of the failure", || failure(&client).is_none());
    assert!(client.status().counters.fetches > fetches);
    let times: Vec<Instant> = server.requests().iter().map(|request| request.received).collect();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest >= Duration::from_secs(1), "{longest:?}");
}

#[test]
fn total_timeout_limits_all_redirects() {
    // Each reply is in time, but all together are not.
    let server = quiet_server();
    server.always_features(Reply::redirect(302, "?again"));
    server.script_features(vec![Reply::delayed(SHORT / 2, Reply::redirect(302, "?again")); 5]);
    let limits = builder(&server)
        .fetch_options(|options| options.read_timeout(PATIENCE).total_timeout(SHORT));
    let client = limits.refresh(Refresh::Manual).start().unwrap();
    assert_eq!(client.refresh().unwrap_err().kind(), Kind::Timeout);
}

#[test]
#[cfg(target_os = "linux")]
fn lack_of_descriptors_is_reported() {
    let server = quiet_server();
    let child = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "failures::client_without_descriptors", "--ignored", "--nocapture"])
        .env(URL_VARIABLE, server.url())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}

#[test]
#[ignore = "it runs in a process that the test above starts"]
fn client_without_descriptors() {
    let Ok(url) = env::var(URL_VARIABLE) else { return };
    let client = at(&url).refresh(Refresh::Manual).start().unwrap();
    let nowhere = at("http://nonexistent.invalid").refresh(Refresh::Manual);
    let by_name = nowhere.start().unwrap();
    let files: Vec<File> = iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let errors = [client.refresh().unwrap_err(), by_name.refresh().unwrap_err()];
    drop(files);
    for error in errors {
        assert_eq!(error.kind(), Kind::System, "{error:?}");
        let cause = error.source().unwrap().to_string();
        assert!(cause.starts_with("Too many open files"), "{cause}");
    }
    client.refresh().unwrap();
    assert_eq!(by_name.refresh().unwrap_err().kind(), Kind::Dns);
}

/// The environment variable with the address of the server.
pub(crate) const URL_VARIABLE: &str = "GROWTHBOOK_TEST_URL";

/// Starts a server without streams and ETags, so that each fetch gets a complete payload.
pub(crate) fn quiet_server() -> FeaturesServer {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    server.set_etags(false);
    server
}

/// Checks that the first payload is still in use, and that the status has the cause.
fn assert_failed(client: &Client, kind: Kind) {
    let status = client.status();
    assert_eq!((flag(client), status.source), (1, Some(PayloadSource::Network)));
    let last = status.last_error.unwrap();
    assert_eq!(last.error.kind(), kind);
    // The text begins with the server, and has the cause and the advice.
    let (text, of_kind) = (last.error.to_string(), kind.to_string());
    assert!(text.ends_with(of_kind.rsplit(": ").next().unwrap()), "{text}");
    assert_eq!(last.in_a_row, status.counters.failures);
    assert_eq!((status.counters.updates, status.counters.older_ignored), (1, 0));
}

/// Checks the log after this many lines: one line reports the failure, and one the recovery.
fn assert_logged_once(spy: &Spy, before: usize, again: bool) {
    let fails = "WARN refreshing fails: ";
    let works = "INFO refreshing works again, after ";
    let expected: &[&str] = if again { &[fails, works] } else { &[fails] };
    eventually("the lines in the log", || spy.logged().len() >= before + expected.len());
    let logged = spy.logged().split_off(before);
    let is_expected = logged.len() == expected.len()
        && logged.iter().zip(expected).all(|(line, expected)| line.starts_with(expected));
    assert!(is_expected, "{logged:#?}");
}

/// The callback runs after the fetch has ended, so that it may fetch again.
#[test]
fn each_failed_refresh_is_reported() {
    let server = FeaturesServer::start(&payload(1));
    let causes = Arc::new(Mutex::new(Vec::new()));
    let seen = causes.clone();
    let handle = Arc::new(OnceLock::<Client>::new());
    let again = handle.clone();
    let client = builder(&server)
        .refresh(Refresh::Manual)
        .on_refresh_failed(move |cause| {
            seen.lock().unwrap().push(cause.kind());
            if let Some(client) = again.get() {
                client.refresh().unwrap();
            }
        })
        .start()
        .unwrap();
    client.refresh().unwrap();
    assert!(handle.set(client.clone()).is_ok());
    server.script_features([Reply::status(500)]);
    assert!(client.refresh().is_err());
    server.script_features([Reply::status(200).body("<html>")]);
    assert!(client.refresh().is_err());
    assert_eq!(
        *causes.lock().unwrap(),
        [
            Kind::Status { code: 500, unrecoverable: false },
            Kind::Payload(PayloadError::Syntax { line: 1, column: 1 }),
        ]
    );
}
