//! Several clients in one process: what they share, and what they do not.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use growthbook::fetch::{FetchErrorKind as Kind, StreamOff, StreamState};
use growthbook::{Client, ClientBuilder, Connected, PayloadSource, Refresh};
use test_server::{FeaturesServer, Reply};

use crate::support::{
    MOMENT, OFTEN, PATIENCE, at, builder, dated, eventually, failure, flag, is_streaming, manual,
    memory, payload, ready, streaming,
};

fn other_key(server: &FeaturesServer, key: &str) -> ClientBuilder<Connected> {
    Client::builder(key).api_host(server.url()).cache(memory())
}

#[test]
fn clients_on_one_key_share_fetch_and_stream() {
    let server = FeaturesServer::start(&payload(1));
    server.script_features([Reply::delayed(MOMENT, Reply::normal())]);
    let clients: Vec<Client> = (0..8).map(|_| builder(&server).start().unwrap()).collect();
    for client in &clients {
        client.wait_ready(PATIENCE).unwrap();
        assert_eq!(flag(client), 1);
        eventually("a stream", || is_streaming(client));
    }
    eventually("the fetch after it", || clients[0].status().counters.not_modified == 1);
    let counts = server.counts();
    assert_eq!((counts.features, counts.streams, counts.connections), (2, 1, 2));

    server.set_payload(&payload(2));
    for client in &clients {
        eventually("the change", || flag(client) == 2);
    }
    assert_eq!(server.counts().requests, counts.requests);
}

#[test]
fn only_one_fetch_runs_at_a_time() {
    let server = FeaturesServer::start(&payload(1));
    let clients: Vec<Client> =
        (0..4).map(|_| builder(&server).refresh(Refresh::Manual).start().unwrap()).collect();
    server.always_features(Reply::delayed(MOMENT, Reply::normal()));
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for nth in 0..8 {
            let (client, start) = (&clients[nth % 4], &start);
            scope.spawn(move || {
                start.wait();
                client.refresh().unwrap();
                assert_eq!(flag(client), 1);
            });
        }
    });
    // On a busy machine, a late thread begins a second fetch, which later threads share.
    let counts = server.counts();
    assert_eq!(counts.connections, 1);
    assert!(counts.features <= 3, "{}", counts.features);
    assert_eq!(clients[0].status().counters.fetches, counts.features as u64);
}

#[test]
fn failure_is_shared_by_waiting_callers() {
    let server = FeaturesServer::start(&payload(1));
    let clients = [manual(&server), manual(&server)];
    let before = server.counts().features;
    server.always_features(Reply::delayed(2 * MOMENT, Reply::status(500)));
    thread::scope(|scope| {
        let first = scope.spawn(|| clients[0].refresh());
        assert!(server.wait_until(PATIENCE, |counts| counts.features > before));
        let second = clients[1].refresh();
        for outcome in [first.join().unwrap(), second] {
            let kind = outcome.unwrap_err().kind();
            assert_eq!(kind, Kind::Status { code: 500, unrecoverable: false });
        }
    });
    assert_eq!(server.counts().features, before + 1);
    assert!(clients.iter().all(|client| flag(client) == 1 && failure(client).is_some()));
}

#[test]
fn other_keys_hosts_and_headers_are_not_shared() {
    let (server, other) = (FeaturesServer::start(&payload(1)), FeaturesServer::start(&payload(2)));
    let first = streaming(other_key(&server, "sdk-first"));
    let second = streaming(other_key(&server, "sdk-second"));
    let third = streaming(
        other_key(&server, "sdk-first")
            .fetch_options(|options| options.api_header("x-tenant", "third")),
    );
    let fourth = streaming(other_key(&other, "sdk-first"));
    assert_eq!([&first, &second, &third, &fourth].map(flag), [1, 1, 1, 2]);
    assert_eq!((server.counts().streams, other.counts().streams), (3, 1));
    let paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    let asked = |path: &str| paths.iter().filter(|asked| *asked == path).count();
    assert_eq!((asked("/api/features/sdk-first"), asked("/api/features/sdk-second")), (4, 2));
    // A client that is dropped does not affect the others.
    drop(first);
    server.set_payload(&payload(3));
    eventually("the change", || flag(&second) == 3 && flag(&third) == 3);
    assert_eq!(flag(&fourth), 2);
}

#[test]
fn trailing_slashes_do_not_separate_hosts() {
    let server = FeaturesServer::start(&payload(1));
    let first = streaming(builder(&server));
    let second = streaming(at(&(server.url() + "//")));
    assert_eq!((flag(&first), flag(&second), server.counts().streams), (1, 1, 1));
}

#[test]
fn manual_client_gets_streamed_payloads() {
    let server = FeaturesServer::start(&payload(1));
    let streaming = streaming(builder(&server));
    let manual = builder(&server).refresh(Refresh::Manual).start().unwrap();
    // At once: the source already has the payload.
    assert_eq!((flag(&manual), manual.status().source), (1, Some(PayloadSource::Network)));
    server.set_payload(&payload(2));
    eventually("the change", || flag(&manual) == 2);

    streaming.close(PATIENCE).unwrap();
    assert!(server.wait_until(PATIENCE, |counts| counts.open_streams == 0));
    server.set_payload(&payload(3));
    thread::sleep(MOMENT);
    assert_eq!(flag(&manual), 2);
    manual.refresh().unwrap();
    assert_eq!((flag(&manual), flag(&streaming)), (3, 2));
}

#[test]
fn streaming_client_may_join_a_manual_one() {
    let server = FeaturesServer::start(&payload(1));
    let manual = manual(&server);
    assert!(matches!(manual.status().stream, StreamState::Off(StreamOff::NotWanted)));
    let streaming = streaming(builder(&server));
    server.set_payload(&payload(2));
    eventually("the change", || flag(&streaming) == 2 && flag(&manual) == 2);
}

#[test]
fn clients_join_and_leave_while_others_stay() {
    let server = FeaturesServer::start(&payload(1));
    let stays = streaming(builder(&server));
    for value in 2..12 {
        let comes = ready(builder(&server));
        assert_eq!(flag(&comes), value - 1);
        server.set_payload(&payload(value));
        eventually("the change", || flag(&comes) == value && flag(&stays) == value);
    }
    assert!(is_streaming(&stays));
    assert_eq!((server.counts().streams, server.counts().features), (1, 2));
}

#[test]
fn last_client_stops_all_and_the_next_restarts() {
    let server = FeaturesServer::start(&payload(1));
    for round in 1..=5 {
        let clients = [streaming(builder(&server)), streaming(builder(&server))];
        assert_eq!(server.counts().streams, round);
        drop(clients);
        assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    }
}

#[test]
fn clients_join_and_leave_on_many_threads() {
    let server = FeaturesServer::start(&payload(1));
    thread::scope(|scope| {
        for nth in 0..6 {
            let server = &server;
            scope.spawn(move || {
                for _ in 0..15 {
                    let how = [Refresh::Stream, OFTEN, Refresh::Manual][nth % 3];
                    let client = builder(server).refresh(how).start().unwrap();
                    client.wait_ready(PATIENCE).unwrap();
                    assert_eq!(flag(&client), 1);
                    assert!(failure(&client).is_none());
                }
            });
        }
    });
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn shortest_interval_is_used_for_all() {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    let patient = ready(builder(&server).refresh(Refresh::Poll(Duration::from_secs(60))));
    let impatient = ready(builder(&server).refresh(OFTEN));
    server.set_payload_quietly(&payload(2));
    eventually("the change", || flag(&patient) == 2);
    drop(impatient);
    thread::sleep(MOMENT);
    // A fetch that was due before may still have been in progress.
    let before = server.counts().features;
    thread::sleep(MOMENT);
    assert_eq!(server.counts().features, before);
    assert_eq!(flag(&patient), 2);
}

#[test]
fn closed_client_is_separate_from_the_others() {
    let server = FeaturesServer::start(&payload(1));
    let (stays, closed) = (streaming(builder(&server)), streaming(builder(&server)));
    closed.close(PATIENCE).unwrap();
    let before = server.counts().features;
    assert_eq!(closed.refresh().unwrap_err().kind(), Kind::Closed);
    assert_eq!(server.counts().features, before);
    assert!(matches!(closed.status().stream, StreamState::Off(StreamOff::Closed)));
    server.set_payload(&payload(2));
    eventually("the change", || flag(&stays) == 2);
    assert_eq!(flag(&closed), 1);
    assert!(is_streaming(&stays));
}

#[test]
fn newer_fallback_stays_with_its_client() {
    let server = FeaturesServer::start(&dated(1, 10));
    let one = manual(&server);
    let other = builder(&server).fallback(dated(2, 20)).refresh(Refresh::Manual).start().unwrap();
    other.refresh().unwrap();
    assert_eq!((flag(&one), flag(&other)), (1, 2));
    server.set_payload_quietly(&dated(3, 30));
    one.refresh().unwrap();
    assert_eq!((flag(&one), flag(&other)), (3, 3));
}
