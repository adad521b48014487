//! Many client keys in one process. Each test counts threads, so it runs in a process of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use growthbook::{Client, ClientBuilder, Connected};
use test_server::{FeaturesServer, Reply};

use crate::support::{
    OFTEN, PATIENCE, eventually, flag, is_alone, is_streaming, may_poll_often, memory, our_threads,
    payload, ready,
};

/// The most threads of a process while no task hangs: 16 run tasks, and one waits.
const FEW_THREADS: usize = 17;
/// The most threads of a process.
const MAX_THREADS: usize = 64;

/// A client with a key of its own. It waits for a hanging server for longer than any test.
fn client(server: &FeaturesServer, number: usize) -> ClientBuilder<Connected> {
    const FOREVER: Duration = Duration::from_secs(3600);
    may_poll_often(Client::builder(format!("sdk-{number}")))
        .api_host(server.url())
        .cache(memory())
        .fetch_options(|options| options.read_timeout(FOREVER).total_timeout(FOREVER))
}

/// A server that accepts requests and never answers.
fn hanging_server() -> FeaturesServer {
    let server = FeaturesServer::start(&payload(1));
    server.always_features(Reply::raw_then_hang(""));
    server
}

#[test]
fn many_keys_share_a_few_threads() {
    const KEYS: usize = 200;
    if !is_alone("keys::many_keys_share_a_few_threads") {
        return;
    }
    let server = FeaturesServer::start(&payload(1));
    let clients: Vec<Client> =
        (0..KEYS).map(|number| client(&server, number).start().unwrap()).collect();
    for client in &clients {
        client.wait_ready(PATIENCE).unwrap();
    }
    eventually("all streams", || clients.iter().all(is_streaming));
    assert!(our_threads().len() <= MAX_THREADS);
    // A busy machine may make tasks slow, and then there are more threads for a short time.
    eventually("few threads", || our_threads().len() <= FEW_THREADS);
    // A stream is a connection, and an idle connection for fetches is not kept.
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == KEYS));

    server.set_payload(&payload(2));
    eventually("the update of each key", || clients.iter().all(|client| flag(client) == 2));
    // The update came on the streams that were open.
    assert!(clients.iter().all(|client| client.status().counters.streams_opened == 1));

    for client in &clients {
        client.close(PATIENCE).unwrap();
    }
    eventually("the end of the threads", || our_threads().is_empty());
    assert!(server.wait_until(PATIENCE, |counts| counts.open_connections == 0));
}

#[test]
fn one_key_needs_one_thread() {
    if !is_alone("keys::one_key_needs_one_thread") {
        return;
    }
    let server = FeaturesServer::start(&payload(1));
    let client = ready(client(&server, 0));
    eventually("a stream", || is_streaming(&client));
    server.set_payload(&payload(2));
    eventually("the update", || flag(&client) == 2);
    assert_eq!(our_threads().len(), 1);
}

#[test]
fn hanging_keys_do_not_stop_others() {
    if !is_alone("keys::hanging_keys_do_not_stop_others") {
        return;
    }
    let (works, hangs) = (FeaturesServer::start(&payload(1)), hanging_server());
    let streams = ready(client(&works, 0));
    let polls = ready(client(&works, 1).refresh(OFTEN));
    eventually("a stream", || is_streaming(&streams));

    // More than the 16 quick tasks: 20 servers that hang, and 10 callbacks that block.
    let hanging: Vec<Client> =
        (100..120).map(|number| client(&hangs, number).start().unwrap()).collect();
    assert!(hangs.wait_until(PATIENCE, |counts| counts.features == 20));
    let go_on = Arc::new(AtomicBool::new(false));
    let blocked: Vec<Client> = (200..210)
        .map(|number| {
            let go_on = go_on.clone();
            let block = move |_: &_| {
                while !go_on.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(1));
                }
            };
            ready(client(&works, number).on_update(block))
        })
        .collect();

    works.set_payload(&payload(2));
    eventually("the updates", || flag(&streams) == 2 && flag(&polls) == 2);
    // A client that starts meanwhile gets its payload too.
    let late = ready(client(&works, 2));
    assert_eq!(flag(&late), 2);
    go_on.store(true, Ordering::Relaxed);
    drop((hanging, blocked));
}

#[test]
fn threads_have_a_limit_while_keys_hang() {
    if !is_alone("keys::threads_have_a_limit_while_keys_hang") {
        return;
    }
    let (works, hangs) = (FeaturesServer::start(&payload(1)), hanging_server());
    let idle = ready(client(&works, 0));
    eventually("a stream", || is_streaming(&idle));
    let number = MAX_THREADS + 10;
    let hanging: Vec<Client> =
        (100..100 + number).map(|number| client(&hangs, number).start().unwrap()).collect();
    eventually("the most threads", || our_threads().len() == MAX_THREADS);
    let waiting = client(&works, 1).start().unwrap();
    // Closing does not need a free thread.
    idle.close(PATIENCE).unwrap();
    assert!(hangs.wait_until(PATIENCE, |counts| counts.features == MAX_THREADS));
    assert_eq!(our_threads().len(), MAX_THREADS);
    drop(hanging);
    waiting.wait_ready(PATIENCE).unwrap();
}
