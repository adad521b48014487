//! Closing: prompt, and without leftovers.

use growthbook::fetch::{FetchErrorKind as Kind, StreamOff, StreamState};
use test_server::Reply;

use super::{Evaluating, flag, kind, pro, value};
use crate::support::{PATIENCE, eventually, in_time};

#[test]
fn closing_ends_requests_and_the_stream() {
    let server = Evaluating::start(1);
    let remote = server.streaming().start().unwrap();
    assert_eq!(flag(&remote, pro("a")), 1);
    eventually("the stream", || matches!(remote.status().stream, StreamState::Open));
    server.server.always_evals(Reply::raw_then_hang(""));
    let waiting: Vec<_> = (0..20).map(|id| remote.user(pro(id))).collect();
    assert!(server.server.wait_until(PATIENCE, |counts| counts.evals == 9));

    remote.close(PATIENCE).unwrap();
    let closed = |user| kind(&user) == Some(Kind::Closed);
    assert!(waiting.iter().all(|future| closed(future.now())));
    assert!(server.server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    assert!(matches!(remote.status().stream, StreamState::Off(StreamOff::Closed)));
    assert!(closed(remote.wait_for_user(pro("new"), PATIENCE)));
    // Closing is not a failure, and answers stay in use.
    assert!(remote.status().last_error.is_none());
    let known = remote.wait_for_user(pro("a"), PATIENCE);
    assert!(value(&known) == 1 && known.error.is_none());
}

#[test]
fn dropping_the_last_handle_closes() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    server.server.always_evals(Reply::raw_then_hang(""));
    let other = remote.clone();
    drop(remote);
    let future = other.user(pro("a"));
    assert!(server.server.wait_until(PATIENCE, |counts| counts.evals == 1));
    in_time("dropping", move || drop(other));
    assert_eq!(kind(&future.now()), Some(Kind::Closed));
    assert!(server.server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn callback_may_close_the_client() {
    use std::sync::{Arc, OnceLock};

    let server = Evaluating::start(1);
    let handle = Arc::new(OnceLock::<growthbook::RemoteClient>::new());
    let closing = handle.clone();
    let closed = Arc::new(OnceLock::new());
    let outcome = closed.clone();
    let builder = server.builder().on_request_failed(move |_| {
        if let Some(remote) = closing.get() {
            let _ = outcome.set(remote.close(PATIENCE).is_ok());
        }
    });
    let remote = builder.start().unwrap();
    assert!(handle.set(remote.clone()).is_ok());
    server.server.always_evals(Reply::status(500));
    flag(&remote, pro("a"));
    eventually("the end", || closed.get().is_some());
    assert_eq!(closed.get(), Some(&true));
}

#[test]
fn idle_workers_end() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    flag(&remote, pro("a"));
    // The connection is kept for a few seconds.
    assert!(server.server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    flag(&remote, pro("b"));
    assert_eq!(server.server.counts().connections, 2);
    remote.close(PATIENCE).unwrap();
}
