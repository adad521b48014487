//! Refreshing without blocking, on an executor that can only wait.

use std::thread;

use growthbook::fetch::FetchErrorKind as Kind;
use growthbook::{Client, Refresh};
use test_server::{FeaturesServer, Gate, Reply};

use crate::support::{PATIENCE, block_on, builder, flag, in_time, manual, payload, polling};

#[test]
fn refresh_future_brings_the_change() {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    for client in [manual(&server), polling(&server)] {
        for value in 2..5 {
            server.set_payload_quietly(&payload(value));
            let refreshing = client.clone();
            // The future is independent of the client.
            in_time("a refresh", move || block_on(refreshing.refresh_async())).unwrap();
            // It may join a fetch that began before the change.
            in_time("a refresh", {
                let client = client.clone();
                move || block_on(client.refresh_async())
            })
            .unwrap();
            assert_eq!(flag(&client), value);
        }
    }
}

#[test]
fn refresh_future_reports_the_failure() {
    let server = FeaturesServer::start(&payload(1));
    let client = manual(&server);
    server.script_features([Reply::status(500)]);
    let failed = client.refresh_async();
    let kind = in_time("a failure", move || block_on(failed)).unwrap_err().kind();
    assert!(matches!(kind, Kind::Status { code: 500, .. }), "{kind:?}");
    client.pause();
    assert_eq!(block_on(client.refresh_async()).unwrap_err().kind(), Kind::Paused);
    client.close(PATIENCE).unwrap();
    assert_eq!(block_on(client.refresh_async()).unwrap_err().kind(), Kind::Closed);
    let embedded = Client::embedded().build().unwrap();
    assert_eq!(block_on(embedded.refresh_async()).unwrap_err().kind(), Kind::NoServer);
}

#[test]
fn refresh_futures_share_one_request() {
    let server = FeaturesServer::start(&payload(1));
    let client = manual(&server);
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::normal())]);
    let before = server.counts().features;
    let futures: Vec<_> = (0..20).map(|_| client.refresh_async()).collect();
    assert!(server.wait_until(PATIENCE, |counts| counts.features > before));
    gate.open();
    in_time("all futures", move || futures.into_iter().for_each(|it| block_on(it).unwrap()));
    assert_eq!(server.counts().features, before + 1);
}

/// Closing interrupts the request, and waits for the thread that sent it.
#[test]
fn closing_ends_a_refresh_future() {
    let server = FeaturesServer::start(&payload(1));
    let client = manual(&server);
    server.script_features([Reply::held(&Gate::closed(), Reply::normal())]);
    let before = server.counts().features;
    let future = client.refresh_async();
    let waiting = thread::spawn(move || block_on(future));
    assert!(server.wait_until(PATIENCE, |counts| counts.features > before));
    client.close(PATIENCE).unwrap();
    assert!(waiting.join().unwrap().is_err());
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn dropped_refresh_future_does_not_stop_the_fetch() {
    let server = FeaturesServer::start(&payload(1));
    let client = builder(&server).refresh(Refresh::Manual).start().unwrap();
    drop(client.refresh_async());
    assert!(server.wait_until(PATIENCE, |counts| counts.features == 1));
    in_time("the payload", {
        let client = client.clone();
        move || while flag(&client) != 1 {}
    });
}
