//! Failing requests. The last good answer stays in use, the error has the cause, and the next
//! answer is used when the server works again.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::fetch::{ConnectionOptions, FetchErrorKind as Kind};
use growthbook::remote::RemoteUser;
use growthbook::{ClientBuilder, Remote};
use test_server::{FeaturesServer, Reply};

use super::{Evaluating, at, flag, kind, pro, value};
use crate::failures::{Elsewhere, Failure};
use crate::support::{PATIENCE, SHORT, eventually, for_each};

/// A client that asks the server before each use of an answer.
fn asking(builder: ClientBuilder<Remote>, row: &Failure) -> ClientBuilder<Remote> {
    builder
        .fetch_options(|options| row.limit(options))
        .remote_options(|options| options.hard_ttl(Duration::ZERO))
}

/// Returns the kind of failure in remote evaluation, where no reply confirms an answer.
fn expected(row: &Failure) -> Kind {
    match row.kind {
        Kind::NothingToConfirm => Kind::Status { code: 304, unrecoverable: false },
        kind => kind,
    }
}

#[test]
fn last_answer_survives_each_failure() {
    let elsewhere = Elsewhere::new();
    for_each(
        &elsewhere.failures(),
        |row| row.name,
        |row| {
            let server = Evaluating::start(1);
            server.server.set_streaming(false);
            let causes = Arc::new(Mutex::new(Vec::new()));
            let seen = causes.clone();
            let builder = asking(server.builder(), row)
                .on_request_failed(move |cause| seen.lock().unwrap().push(cause.kind()));
            let remote = builder.start().unwrap();
            assert_eq!(flag(&remote, pro("a")), 1);

            server.server.always_evals(row.reply.clone());
            let failed = |user: RemoteUser| {
                assert_eq!((value(&user), kind(&user)), (1, Some(expected(row))));
                assert!(user.age.is_some());
            };
            // The second one does not wait, since the server has just failed.
            failed(remote.wait_for_user(pro("a"), PATIENCE));
            failed(remote.wait_for_user(pro("a"), PATIENCE));
            let status = remote.status();
            assert_eq!(status.last_error.unwrap().error.kind(), expected(row));
            eventually("the callback", || !causes.lock().unwrap().is_empty());
            assert_eq!(causes.lock().unwrap()[0], expected(row));

            // Users without an answer get the fallback.
            let other = remote.wait_for_user(pro("b"), PATIENCE);
            assert_eq!((value(&other), kind(&other)), (-7, Some(expected(row))));
            assert_eq!(other.age, None);

            if row.kind.is_refusal() {
                // The client is slow to ask again.
                assert_eq!(remote.status().counters.failures, 1);
                return;
            }
            server.set(2);
            server.server.always_evals(None);
            eventually("the next answer", || flag(&remote, pro("a")) == 2);
            eventually("an answer for the other user", || flag(&remote, pro("b")) == 2);
            assert!(remote.status().last_error.is_none());
        },
    );
}

#[test]
fn unreachable_host_is_reported() {
    let elsewhere = Elsewhere::new();
    for (url, expected) in elsewhere.hosts() {
        let options = |options: growthbook::FetchOptions| options.connect_timeout(SHORT);
        let remote = at(&url).fetch_options(options).start().unwrap();
        let user = remote.wait_for_user("a", PATIENCE);
        assert_eq!((value(&user), kind(&user)), (-7, Some(expected)), "{url}");
    }
}

#[test]
fn answer_over_tls_is_read() {
    let server = FeaturesServer::start_tls(r#"{"features":{"flag":{"defaultValue":3}}}"#);
    let pem = server.root_certificate_pem().to_owned();
    let remote = at(&server.url()).fetch_options(|options| {
        options.connection(ConnectionOptions::new().root_certificates(pem))
    });
    assert_eq!(flag(&remote.start().unwrap(), pro("a")), 3);
}

#[test]
fn failing_server_is_left_alone() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    server.server.always_evals(Reply::status(503).header("retry-after", "3600"));
    for id in 0..100 {
        let user = remote.wait_for_user(pro(id), PATIENCE);
        assert_eq!(kind(&user), Some(Kind::Status { code: 503, unrecoverable: false }));
    }
    assert_eq!(server.evals(), 1);
}

#[test]
fn waiting_users_are_released_when_the_server_fails() {
    let server = Evaluating::start(1);
    let one = std::num::NonZeroUsize::MIN;
    let remote = server.builder().remote_options(|options| options.max_requests(one));
    let remote = remote.start().unwrap();
    let gate = test_server::Gate::closed();
    let refused = Reply::status(429).header("retry-after", "3600");
    server.server.always_evals(Reply::held(&gate, refused));
    let futures: Vec<_> = (0..100).map(|id| remote.user(pro(id))).collect();
    assert!(server.server.wait_until(PATIENCE, |counts| counts.evals == 1));
    gate.open();
    eventually("the failure of all", || futures.iter().all(|future| kind(&future.now()).is_some()));
    assert_eq!(server.evals(), 1);
}

#[test]
fn failure_about_one_user_stops_no_other() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    server.server.script_evals(vec![Reply::status(400); 5]);
    let bad_request = Some(Kind::Status { code: 400, unrecoverable: false });
    for id in 0..5 {
        assert_eq!(kind(&remote.wait_for_user(pro(id), PATIENCE)), bad_request);
    }
    assert_eq!(server.evals(), 5);
    assert_eq!(flag(&remote, pro("other")), 1);
}

#[test]
fn total_timeout_limits_all_redirects() {
    // Each reply is in time, but all together are not.
    let server = Evaluating::start(1);
    let redirect = || Reply::delayed(SHORT / 2, Reply::redirect(307, "?again"));
    server.server.always_evals(redirect());
    let limits =
        |options: growthbook::FetchOptions| options.read_timeout(PATIENCE).total_timeout(SHORT);
    let remote = server.builder().fetch_options(limits).start().unwrap();
    let start = Instant::now();
    assert_eq!(kind(&remote.wait_for_user(pro("a"), PATIENCE)), Some(Kind::Timeout));
    assert!(start.elapsed() < PATIENCE);
}

/// Starts a server whose reply never ends: a byte comes every few milliseconds.
fn dripping() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
            let mut alive = socket.read(&mut [0; 4096]).is_ok() && socket.write_all(head).is_ok();
            while alive {
                thread::sleep(Duration::from_millis(5));
                alive = socket.write_all(b" ").is_ok();
            }
        }
    });
    format!("http://{address}")
}

#[test]
fn total_timeout_limits_a_reply_that_drips() {
    let limits =
        |options: growthbook::FetchOptions| options.read_timeout(PATIENCE).total_timeout(SHORT);
    let remote = at(&dripping()).fetch_options(limits).start().unwrap();
    assert_eq!(kind(&remote.wait_for_user(pro("a"), PATIENCE)), Some(Kind::Timeout));
}

#[test]
fn redirect_that_changes_the_method_is_not_followed() {
    for (status, expected) in [(301, -7), (302, -7), (303, -7), (307, 1), (308, 1)] {
        let server = Evaluating::start(1);
        let remote = server.builder().start().unwrap();
        server.server.script_evals([Reply::redirect(status, "there?a=b")]);
        let user = remote.wait_for_user(pro("a"), PATIENCE);
        assert_eq!(value(&user), expected, "{status}");
        let last = server.server.requests().pop().unwrap();
        assert_eq!(last.path == "/api/eval/there?a=b", expected == 1);
    }
}

#[test]
fn closed_kept_connection_is_not_a_failure() {
    let server = Evaluating::start(1);
    let one = std::num::NonZeroUsize::MIN;
    let remote = server.builder().remote_options(|options| options.max_requests(one));
    let remote = remote.start().unwrap();
    assert_eq!(flag(&remote, pro("a")), 1);
    // The connection looks open until it is used.
    server.server.script_evals([Reply::close()]);
    assert_eq!(flag(&remote, pro("b")), 1);
    assert_eq!(remote.status().counters.failures, 0);
}

#[test]
fn failures_are_logged_once() {
    let server = Evaluating::start(1);
    let thread = Arc::new(Mutex::new(None));
    let seen = thread.clone();
    let one = std::num::NonZeroUsize::MIN;
    let remote = server
        .builder()
        .remote_options(|options| options.max_requests(one))
        .on_request_failed(move |_| {
            seen.lock().unwrap().get_or_insert(thread::current().id());
        })
        .start()
        .unwrap();
    server.server.script_evals([500, 502].map(Reply::status));
    for id in ["a", "b", "c"] {
        remote.wait_for_user(pro(id), PATIENCE);
    }
    let logged = || {
        let thread = *thread.lock().unwrap();
        thread.map(crate::logs::of).unwrap_or_default()
    };
    eventually("the end of the failure", || logged().len() >= 2);
    assert_eq!(
        logged(),
        [
            format!(
                "WARN remote evaluation fails: {}: the server answered with status 500: it may \
                 pass; otherwise check the server",
                server.server.url()
            ),
            "INFO remote evaluation works again, after 2 failures".to_owned(),
        ]
    );
}
