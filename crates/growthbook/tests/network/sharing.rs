//! Several clients in one process, and what they share.

use std::thread;
use std::time::Duration;

use growthbook::fetch::{FetchErrorKind as Kind, StreamOff, StreamState};
use growthbook::{Client, ClientBuilder, Connected, PayloadSource, Refresh};
use test_server::{FeaturesServer, Gate, Reply};

use crate::failures::quiet_server;
use crate::support::{
    OFTEN, PATIENCE, SHORT, at, builder, dated, eventually, failure, flag, is_streaming, manual,
    may_poll_often, memory, payload, ready, spawn_blocked, streaming, wait_for_ten_polls,
};

fn other_key(server: &FeaturesServer, key: &str) -> ClientBuilder<Connected> {
    may_poll_often(Client::builder(key)).api_host(server.url()).cache(memory())
}

#[test]
fn clients_of_one_key_share_a_fetch_and_a_stream() {
    let server = FeaturesServer::start(&payload(1));
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::normal())]);
    let clients: Vec<Client> = (0..8).map(|_| builder(&server).start().unwrap()).collect();
    gate.open();
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
fn concurrent_refreshes_share_one_fetch() {
    let server = FeaturesServer::start(&payload(1));
    let clients: Vec<Client> =
        (0..4).map(|_| builder(&server).refresh(Refresh::Manual).start().unwrap()).collect();
    let gate = Gate::closed();
    server.always_features(Reply::held(&gate, Reply::normal()));
    thread::scope(|scope| {
        let refreshing: Vec<_> = (0..8)
            .map(|nth: usize| {
                let client = &clients[nth % 4];
                spawn_blocked(scope, move || {
                    client.refresh().unwrap();
                    assert_eq!(flag(client), 1);
                })
            })
            .collect();
        assert!(server.wait_until(PATIENCE, |counts| counts.features == 1));
        gate.open();
        refreshing.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert_eq!((server.counts().connections, server.counts().features), (1, 1));
    assert_eq!(clients[0].status().counters.fetches, 1);
}

#[test]
fn joined_fetch_shares_its_failure() {
    let server = FeaturesServer::start(&payload(1));
    let clients = [manual(&server), manual(&server)];
    let before = server.counts().features;
    let gate = Gate::closed();
    server.always_features(Reply::held(&gate, Reply::status(500)));
    thread::scope(|scope| {
        let first = scope.spawn(|| clients[0].refresh());
        assert!(server.wait_until(PATIENCE, |counts| counts.features > before));
        let second = spawn_blocked(scope, || clients[1].refresh());
        gate.open();
        for refreshing in [first, second] {
            let kind = refreshing.join().unwrap().unwrap_err().kind();
            assert_eq!(kind, Kind::Status { code: 500, unrecoverable: false });
        }
    });
    assert_eq!(server.counts().features, before + 1);
    assert!(clients.iter().all(|client| flag(client) == 1 && failure(client).is_some()));
}

#[test]
fn keys_hosts_and_headers_are_separate() {
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
    // Dropping one client does not affect the others.
    drop(first);
    server.set_payload(&payload(3));
    eventually("the change", || flag(&second) == 3 && flag(&third) == 3);
    assert_eq!(flag(&fourth), 2);
}

#[test]
fn trailing_slashes_of_a_host_are_ignored() {
    let server = FeaturesServer::start(&payload(1));
    let first = streaming(builder(&server));
    let second = streaming(at(&(server.url() + "//")));
    assert_eq!((flag(&first), flag(&second), server.counts().streams), (1, 1, 1));
}

#[test]
fn manual_client_receives_streamed_payloads() {
    let server = FeaturesServer::start(&payload(1));
    let streaming = streaming(builder(&server));
    let manual = builder(&server).refresh(Refresh::Manual).start().unwrap();
    // The source has a payload already.
    assert_eq!((flag(&manual), manual.status().source), (1, Some(PayloadSource::Network)));
    server.set_payload(&payload(2));
    eventually("the change", || flag(&manual) == 2);

    let other = self::streaming(other_key(&server, "sdk-other"));
    streaming.close(PATIENCE).unwrap();
    assert!(server.wait_until(PATIENCE, |counts| counts.open_streams == 1));
    server.set_payload(&payload(3));
    eventually("the change on the open stream", || flag(&other) == 3);
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
fn stream_survives_clients_that_come_and_go() {
    let server = FeaturesServer::start(&payload(1));
    let stays = streaming(builder(&server));
    for value in 2..12 {
        let comes = ready(builder(&server));
        // The source may still be delivering the payload that the other clients have.
        eventually("the payload of the others", || flag(&comes) == value - 1);
        server.set_payload(&payload(value));
        eventually("the change", || flag(&comes) == value && flag(&stays) == value);
    }
    assert!(is_streaming(&stays));
    assert_eq!((server.counts().streams, server.counts().features), (1, 2));
}

#[test]
fn last_client_closes_the_connections() {
    let server = FeaturesServer::start(&payload(1));
    for round in 1..=5 {
        let clients = [streaming(builder(&server)), streaming(builder(&server))];
        assert_eq!(server.counts().streams, round);
        drop(clients);
        assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    }
}

#[test]
fn clients_start_and_end_on_many_threads() {
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
fn shortest_poll_interval_wins() {
    let server = FeaturesServer::start(&payload(1));
    server.set_streaming(false);
    let patient = ready(builder(&server).refresh(Refresh::Poll(Duration::from_secs(60))));
    let impatient = ready(builder(&server).refresh(OFTEN));
    server.set_payload_quietly(&payload(2));
    eventually("the change", || flag(&patient) == 2);
    drop(impatient);
    // A last fetch may still be under way.
    eventually("an end of the fetches", || {
        let before = server.counts().features;
        wait_for_ten_polls();
        server.counts().features == before
    });
    assert_eq!(flag(&patient), 2);
}

#[test]
fn closed_client_does_not_affect_others() {
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

#[test]
fn limits_follow_the_clients_that_are_there() {
    let server = quiet_server();
    let start = |max_body_bytes, read_timeout| {
        let builder = builder(&server).refresh(Refresh::Manual).fetch_options(|options| {
            options.max_body_bytes(max_body_bytes).read_timeout(read_timeout)
        });
        builder.start().unwrap()
    };
    let slowly = || server.script_features([Reply::delayed(SHORT * 2, Reply::normal())]);
    let strict = || start(10, SHORT);

    let first = strict();
    assert_eq!(first.refresh().unwrap_err().kind(), Kind::TooLarge { limit: 10 });
    let generous = start(1000, PATIENCE);
    // Both share the fetch.
    first.refresh().unwrap();
    first.close(PATIENCE).unwrap();
    slowly();
    generous.refresh().unwrap();

    let last = strict();
    generous.close(PATIENCE).unwrap();
    assert_eq!(last.refresh().unwrap_err().kind(), Kind::TooLarge { limit: 10 });
    slowly();
    assert_eq!(last.refresh().unwrap_err().kind(), Kind::Timeout);
}
