//! The stream on which the server announces changes.

use std::time::Duration;

use growthbook::RemoteClient;
use growthbook::fetch::{StreamOff, StreamState};
use test_server::{Gate, Reply};

use super::{Evaluating, flag, kind, pro, value};
use crate::support::{PATIENCE, SHORT, eventually};

fn is_open(remote: &RemoteClient) -> bool {
    matches!(remote.status().stream, StreamState::Open)
}

/// A client that follows the stream, and has the answer of one user.
fn following(server: &Evaluating) -> RemoteClient {
    let remote = server.streaming().start().unwrap();
    assert_eq!(flag(&remote, pro("a")), 1);
    eventually("the stream", || is_open(&remote));
    remote
}

fn announce(server: &Evaluating, remote: &RemoteClient) {
    let before = remote.status().counters.changes;
    server.server.push_update_notice();
    eventually("the notice", || remote.status().counters.changes > before);
}

#[test]
fn announced_change_is_live_with_the_next_call() {
    let server = Evaluating::start(1);
    let remote = following(&server);
    server.set(2);
    announce(&server, &remote);
    assert_eq!(flag(&remote, pro("a")), 2);
    assert_eq!(remote.status().counters.streams_opened, 1);
}

#[test]
fn answer_before_a_change_is_used_if_the_server_fails() {
    let server = Evaluating::start(1);
    let remote = following(&server);
    announce(&server, &remote);
    server.server.always_evals(Reply::status(500));
    let user = remote.wait_for_user(pro("a"), PATIENCE);
    assert_eq!(value(&user), 1);
    assert!(kind(&user).is_some());
}

#[test]
fn request_from_before_a_change_is_repeated() {
    let server = Evaluating::start(1);
    let remote = following(&server);
    let gate = Gate::closed();
    server.server.script_evals([Reply::held(&gate, Reply::normal())]);
    let early = remote.user(pro("b"));
    assert!(server.server.wait_until(PATIENCE, |counts| counts.evals == 2));
    announce(&server, &remote);
    let late = remote.user(pro("b"));
    assert_eq!(server.evals(), 2);
    gate.open();
    // The late caller gets the answer of a request that was sent after the change.
    eventually("both answers", || early.now().error.is_none() && late.now().error.is_none());
    assert_eq!(server.evals(), 3);
}

#[test]
fn lost_stream_makes_answers_stale() {
    let server = Evaluating::start(1);
    let remote = following(&server);
    server.set(2);
    server.server.hang_up();
    // No notice of the change reaches the client.
    eventually("another stream", || remote.status().counters.streams_opened == 2);
    eventually("the next answer", || flag(&remote, pro("a")) == 2);
}

#[test]
fn stream_that_fails_is_reported_and_opened_again() {
    let server = Evaluating::start(1);
    server.server.script_stream([Reply::status(500)]);
    let remote = server.streaming().start().unwrap();
    flag(&remote, pro("a"));
    eventually("the failure", || matches!(remote.status().stream, StreamState::Lost { .. }));
    eventually("the stream", || is_open(&remote));
    assert_eq!(remote.status().counters.failures, 0);
}

#[test]
fn stream_is_followed_only_if_wanted_and_offered() {
    let server = Evaluating::start(1);
    server.server.set_streaming(false);
    let offered = server.streaming().start().unwrap();
    let stream = |remote: &RemoteClient| match remote.status().stream {
        StreamState::Off(why) => Some(why),
        _ => None,
    };
    assert_eq!(stream(&offered), Some(StreamOff::NotKnownYet));
    flag(&offered, pro("a"));
    assert_eq!(server.server.counts().streams, 0);

    server.server.set_streaming(true);
    let manual = server.builder().start().unwrap();
    flag(&manual, pro("a"));
    assert_eq!(stream(&manual), Some(StreamOff::NotWanted));

    // The server offers it from now on.
    flag(&offered, pro("b"));
    eventually("the stream", || is_open(&offered));
    assert_eq!(server.server.counts().streams, 1);
}

#[test]
fn silent_stream_is_replaced() {
    let server = Evaluating::start(1);
    let limits = |options: growthbook::FetchOptions| options.stream_timeout(SHORT);
    let remote = server.streaming().fetch_options(limits).start().unwrap();
    flag(&remote, pro("a"));
    eventually("another stream", || remote.status().counters.streams_opened >= 2);
    assert!(server.server.wait_until(Duration::ZERO, |counts| counts.streams >= 2));
}
