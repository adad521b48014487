//! Pausing and resuming.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use growthbook::fetch::{FetchErrorKind as Kind, StreamOff, StreamState};
use growthbook::{Client, Refresh, tracking};
use test_server::{FeaturesServer, Gate, Reply};

use crate::support::{
    OFTEN, PATIENCE, builder, eventually, flag, is_streaming, manual, payload, polling, ready,
    refresh_anew, streaming, wait_for_ten_polls,
};

fn is_paused(client: &Client) -> bool {
    let status = client.status();
    assert_eq!(status.is_paused, matches!(status.stream, StreamState::Off(StreamOff::Paused)));
    status.is_paused
}

#[test]
fn paused_client_fetches_nothing() {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    let client = polling(&server);
    client.pause();
    client.pause();
    assert!(is_paused(&client));
    // A last fetch may still be under way.
    eventually("an end of the fetches", || {
        let before = server.counts().features;
        wait_for_ten_polls();
        server.counts().features == before
    });
    let before = server.counts().features;
    server.set_payload_quietly(&payload(2));
    assert_eq!(client.refresh().unwrap_err().kind(), Kind::Paused);
    assert_eq!((server.counts().features, flag(&client)), (before, 1));
    client.resume().unwrap();
    assert!(!is_paused(&client));
    eventually("the change", || flag(&client) == 2);
    client.resume().unwrap();
}

#[test]
fn waiting_for_a_paused_client_ends() {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::status(503))]);
    let client = builder(&server).start().unwrap();
    let waker = Waker::noop();
    let mut context = Context::from_waker(waker);
    let mut before = pin!(client.ready());
    assert!(before.as_mut().poll(&mut context).is_pending());
    client.pause();
    assert!(matches!(before.poll(&mut context), Poll::Ready(Err(_))));
    assert!(matches!(pin!(client.ready()).poll(&mut context), Poll::Ready(Err(_))));
    let error = client.wait_ready(PATIENCE).unwrap_err();
    assert_eq!(error.cause.map(|cause| cause.kind()), Some(Kind::Paused));
    gate.open();
    client.resume().unwrap();
    client.wait_ready(PATIENCE).unwrap();
}

#[test]
fn paused_client_closes_its_stream() {
    let server = FeaturesServer::start(&payload(1));
    let client = streaming(builder(&server));
    client.pause();
    assert!(server.wait_until(PATIENCE, |counts| counts.open_streams == 0));
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    server.set_payload(&payload(2));
    assert_eq!(flag(&client), 1);
    client.resume().unwrap();
    eventually("a stream", || is_streaming(&client));
    eventually("the missed change", || flag(&client) == 2);
    server.set_payload(&payload(3));
    eventually("the next change", || flag(&client) == 3);
}

/// The interval is so long that only resuming can cause the fetch.
#[test]
fn resumed_client_fetches_at_once() {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    let hourly = Refresh::Poll(Duration::from_secs(3600));
    let (client, other) = (ready(builder(&server).refresh(hourly)), ready(builder(&server)));
    client.pause();
    server.set_payload_quietly(&payload(2));
    client.resume().unwrap();
    eventually("the change", || flag(&client) == 2 && flag(&other) == 2);
}

#[test]
fn fetch_under_way_has_no_effect_on_a_paused_client() {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    let client = ready(builder(&server).refresh(Refresh::Poll(Duration::from_secs(3600))));
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::normal())]);
    server.set_payload_quietly(&payload(2));
    let before = server.counts().features;
    std::thread::scope(|scope| {
        let refreshing = scope.spawn(|| refresh_anew(&client));
        assert!(server.wait_until(PATIENCE, |counts| counts.features > before));
        client.pause();
        gate.open();
        // The request itself succeeds.
        refreshing.join().unwrap().unwrap();
    });
    assert_eq!(flag(&client), 1);
    client.resume().unwrap();
    eventually("the change", || flag(&client) == 2);
}

/// Clients on one host and key share their requests, but each is paused alone.
#[test]
fn pause_concerns_one_client() {
    let server = FeaturesServer::start(&payload(1));
    let changes = Arc::new(AtomicUsize::new(0));
    let counted = changes.clone();
    let (goes_on, paused) = (streaming(builder(&server)), streaming(builder(&server)));
    let _subscription = paused.subscribe(tracking::on_update(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    paused.pause();
    assert!(is_paused(&paused) && is_streaming(&goes_on));
    server.set_payload(&payload(2));
    eventually("the change", || flag(&goes_on) == 2);
    assert_eq!(flag(&paused), 1);
    paused.resume().unwrap();
    assert_eq!((flag(&paused), changes.load(Ordering::SeqCst)), (2, 1));
    server.set_payload(&payload(3));
    eventually("the next change", || flag(&goes_on) == 3 && flag(&paused) == 3);
}

#[test]
fn manual_client_is_paused_too() {
    let server = FeaturesServer::start(&payload(1));
    let client = manual(&server);
    client.pause();
    server.set_payload_quietly(&payload(2));
    assert_eq!(client.refresh().unwrap_err().kind(), Kind::Paused);
    client.resume().unwrap();
    refresh_anew(&client).unwrap();
    assert_eq!(flag(&client), 2);

    // Clients on one server share its payload.
    let unready = builder(&FeaturesServer::start("{}")).refresh(Refresh::Manual).start().unwrap();
    unready.pause();
    let cause = unready.wait_ready(PATIENCE).unwrap_err().cause;
    assert_eq!(cause.map(|cause| cause.kind()), Some(Kind::Paused));
}

#[test]
fn paused_client_can_be_closed() {
    let server = FeaturesServer::start(&payload(1));
    let client = ready(builder(&server).refresh(OFTEN));
    client.pause();
    client.close(PATIENCE).unwrap();
    client.resume().unwrap();
    assert!(matches!(client.status().stream, StreamState::Off(StreamOff::Closed)));
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}
