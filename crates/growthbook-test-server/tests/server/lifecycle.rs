//! Tests of stopping, restarting and hanging up while clients are busy.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use growthbook_test_server::{FeaturesServer, Reply};

use crate::client::{Client, PATIENCE, PAYLOAD};

/// The longest time that stopping may take.
const PROMPT: Duration = Duration::from_secs(2);

/// Returns clients in the middle of each operation that can take long.
fn busy_clients(server: &FeaturesServer) -> Vec<Client> {
    let before = server.counts();
    let url = server.url();
    let mut clients: Vec<Client> = (0..7).map(|_| Client::connect(&url)).collect();
    server.script_features([
        Reply::raw_then_hang(""),
        Reply::delayed(Duration::from_secs(600), Reply::normal()),
        // The client does not read, and the sockets cannot buffer so many bytes.
        Reply::raw(vec![b'x'; 32 << 20]),
        Reply::stalled(3),
    ]);
    for (at, client) in clients.iter_mut().take(4).enumerate() {
        client.send("/api/features/sdk-1", "");
        assert!(server.wait_until(PATIENCE, |counts| counts.features == before.features + at + 1));
    }
    clients[4].open_stream("");
    server.push(&vec![b'x'; 32 << 20]);
    clients[5].socket.write_all(b"GET /api/fea").unwrap();
    // The last client sends nothing.
    assert!(server.wait_until(PATIENCE, |counts| counts.connections == before.connections + 7));
    assert_eq!(server.counts().open_connections, 7);
    clients
}

#[test]
fn drop_ends_all_connections_promptly() {
    let server = FeaturesServer::start(PAYLOAD);
    let url = server.url();
    let clients = busy_clients(&server);
    let before = Instant::now();
    drop(server);
    assert!(before.elapsed() < PROMPT, "{:?}", before.elapsed());
    for mut client in clients {
        client.rest();
    }
    TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap_err();
}

#[test]
fn restart_uses_the_same_port() {
    let mut server = FeaturesServer::start(PAYLOAD);
    server.set_payload("[1]");
    for round in 1..=3 {
        let _clients = busy_clients(&server);
        let url = server.url();
        let before = Instant::now();
        server.stop();
        server.stop();
        assert!(before.elapsed() < PROMPT, "{:?}", before.elapsed());
        assert_eq!(server.counts().open_connections, 0);
        assert_eq!(server.counts().open_streams, 0);
        TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap_err();

        server.restart();
        assert_eq!(server.url(), url);
        let mut client = Client::connect(&url);
        assert_eq!(client.get_features().1, b"[1]");
        // The earlier events are not replayed.
        assert_eq!(client.open_stream("last-event-id: 0\r\n"), "retry: 10000\n\n");
        server.set_payload("[1]");
        assert_eq!(client.chunk().unwrap(), "id: 1 \nevent: features\ndata: [1]\n\n");
        drop(client);
        assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
        assert_eq!(server.counts().connections, round * 8);
    }
}

#[test]
fn server_still_listens_after_hanging_up() {
    let server = FeaturesServer::start(PAYLOAD);
    for _ in 0..3 {
        let clients = busy_clients(&server);
        server.hang_up();
        assert_eq!(server.counts().open_streams, 0);
        for mut client in clients {
            client.rest();
        }
        assert_eq!(Client::connect(&server.url()).get_features().0.status, 200);
        assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
    }
}

#[test]
fn reused_connection_can_close_during_a_request() {
    let server = FeaturesServer::start(PAYLOAD);
    server.script_features([Reply::normal(), Reply::close()]);
    let mut client = Client::connect(&server.url());
    assert_eq!(client.get_features().0.status, 200);
    client.send("/api/features/sdk-1", "");
    assert_eq!(client.rest(), "");
    assert_eq!(server.counts().features, 2);
}

#[test]
fn server_stops_while_clients_connect() {
    let mut server = FeaturesServer::start(PAYLOAD);
    let address = server.url().split_off("http://".len());
    for _ in 0..10 {
        thread::scope(|scope| {
            let clients: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        // The loop ends when the port refuses connections.
                        while let Ok(mut socket) = TcpStream::connect(&address) {
                            let _ = socket.write_all(b"GET /sub/x HTTP/1.1\r\n\r\n");
                            let _ = socket.read(&mut [0]);
                        }
                    })
                })
                .collect();
            let seen = server.counts().streams;
            assert!(server.wait_until(PATIENCE, |counts| counts.streams > seen + 20));
            let before = Instant::now();
            server.stop();
            assert!(before.elapsed() < PROMPT, "{:?}", before.elapsed());
            for client in clients {
                client.join().unwrap();
            }
        });
        assert_eq!(server.counts().open_connections, 0);
        assert_eq!(server.counts().open_streams, 0);
        server.restart();
    }
}

#[test]
fn wait_ends_after_a_change() {
    let server = FeaturesServer::start(PAYLOAD);
    // A predicate may use more than the counts.
    let path_is_x = || server.requests().last().is_some_and(|request| request.path == "/x");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| server.wait_until(PATIENCE, |_| path_is_x()));
        let before = Instant::now();
        Client::connect(&server.url()).get("/x", "");
        assert!(waiter.join().unwrap());
        assert!(before.elapsed() < PROMPT);
    });
    let before = Instant::now();
    assert!(!server.wait_until(Duration::from_millis(30), |counts| counts.requests == 2));
    assert!(before.elapsed() >= Duration::from_millis(30));
}
