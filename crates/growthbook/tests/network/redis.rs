//! Clients with a cache in Redis.

use std::thread;
use std::time::{Duration, Instant};

use growthbook::cache::RedisCache;
use growthbook::{ClientBuilder, Connected, redis};
use test_server::FeaturesServer;
use test_server::redis::RedisServer;

use crate::support::{MOMENT, OFTEN, PATIENCE, SHORT, builder, eventually, flag, payload, ready};

pub(crate) fn cache(server: &RedisServer) -> RedisCache {
    RedisCache::new(redis::Client::open(server.url()).unwrap())
}

/// Returns a client that polls often and has a cache of its own.
fn polling(server: &FeaturesServer, redis: &RedisServer) -> ClientBuilder<Connected> {
    builder(server).cache(cache(redis)).refresh(OFTEN)
}

/// Returns the number of connections, without the one that counts.
fn connections(server: &RedisServer) -> usize {
    let clients = server.command(&["CLIENT", "LIST"]);
    clients.as_str().unwrap().lines().filter(|line| !line.contains("cmd=client|list")).count()
}

#[test]
fn clients_with_own_caches_do_not_wait() {
    let (one, other) = (RedisServer::start(), RedisServer::start());
    for servers in [[&one, &one], [&one, &other]] {
        let server = FeaturesServer::start(&payload(1));
        let clients = servers.map(|redis| ready(polling(&server, redis)));
        for value in 2..5 {
            server.set_payload_quietly(&payload(value));
            eventually("the change", || clients.iter().all(|client| flag(client) == value));
        }
    }
}

#[test]
fn closing_closes_the_connections_of_the_cache() {
    let (server, redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    let shared = cache(&redis);
    let client = ready(builder(&server).cache(shared.clone()).refresh(OFTEN));
    eventually("both connections", || connections(&redis) == 2);
    client.close(PATIENCE).unwrap();
    eventually("their end", || connections(&redis) == 0);
    // A client with a clone of the cache opens them again.
    let client = ready(builder(&server).cache(shared).refresh(OFTEN));
    eventually("both connections", || connections(&redis) == 2);
    server.set_payload_quietly(&payload(2));
    eventually("the change", || flag(&client) == 2);
}

#[test]
fn closing_is_bounded_when_redis_hangs() {
    const LIMIT: Duration = Duration::from_millis(20);
    let (server, redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    let patient = cache(&redis).deadline(PATIENCE);
    let client = ready(builder(&server).cache(patient).refresh(OFTEN));
    eventually("both connections", || connections(&redis) == 2);
    redis.pause();
    // A request to Redis hangs.
    thread::sleep(MOMENT);
    let start = Instant::now();
    assert!(client.close(LIMIT).is_err());
    assert!(start.elapsed() < LIMIT + 2 * SHORT, "{:?}", start.elapsed());
    redis.resume();
    client.close(PATIENCE).unwrap();
    eventually("no connections", || connections(&redis) == 0);
}
