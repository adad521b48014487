//! Clients with a cache in Redis.

use std::time::Duration;

use growthbook::cache::RedisCache;
use growthbook::{ClientBuilder, Connected, redis};
use test_server::FeaturesServer;
use test_server::redis::RedisServer;

use crate::support::{
    OFTEN, PATIENCE, builder, eventually, flag, in_time, payload, ready, wait_for_ten_polls,
};

pub(crate) fn cache(server: &RedisServer) -> RedisCache {
    RedisCache::new(redis::Client::open(server.url()).unwrap())
}

/// A client that polls often, with its own cache.
fn polling(server: &FeaturesServer, redis: &RedisServer) -> ClientBuilder<Connected> {
    builder(server).cache(cache(redis)).refresh(OFTEN)
}

/// Returns the number of connections, without the one that asks.
fn connections(server: &RedisServer) -> usize {
    let clients = server.command(&["CLIENT", "LIST"]);
    clients.as_str().unwrap().lines().filter(|line| !line.contains("cmd=client|list")).count()
}

#[test]
fn separate_caches_do_not_block_each_other() {
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

/// After each failure, the cache does not ask Redis for a moment.
#[test]
fn status_keeps_the_cause_of_a_cache_error() {
    let (server, redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    redis.command(&["ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all", "-@scripting"]);
    let url = redis.url().replace("redis://", "redis://app:pw@");
    let cache = RedisCache::new(growthbook::redis::Client::open(url).unwrap()).deadline(PATIENCE);
    let client = ready(builder(&server).cache(cache).refresh(OFTEN));
    for errors in [4, 8, 12] {
        eventually("more failures", || client.status().counters.cache_errors >= errors);
        let error = client.status().cache_error.unwrap();
        let cause = std::error::Error::source(&*error).unwrap().to_string();
        assert!(cause.contains("NOPERM"), "{cause}");
    }
}

#[test]
fn close_ends_the_connections_of_the_cache() {
    let (server, redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    let shared = cache(&redis);
    let client = ready(builder(&server).cache(shared.clone()).refresh(OFTEN));
    eventually("both connections", || connections(&redis) == 2);
    client.close(PATIENCE).unwrap();
    eventually("their end", || connections(&redis) == 0);
    // A new client with a clone of the cache opens them again.
    let client = ready(builder(&server).cache(shared).refresh(OFTEN));
    eventually("both connections", || connections(&redis) == 2);
    server.set_payload_quietly(&payload(2));
    eventually("the change", || flag(&client) == 2);
}

#[test]
fn close_does_not_wait_for_hanging_redis() {
    const LIMIT: Duration = Duration::from_millis(20);
    let (server, redis) = (FeaturesServer::start(&payload(1)), RedisServer::start());
    let patient = cache(&redis).deadline(2 * PATIENCE);
    let client = ready(builder(&server).cache(patient).refresh(OFTEN));
    eventually("both connections", || connections(&redis) == 2);
    redis.pause();
    // The client polls meanwhile, and waits for Redis.
    wait_for_ten_polls();
    let other = client.clone();
    in_time("closing", move || other.close(LIMIT).unwrap_err());
    redis.resume();
    client.close(PATIENCE).unwrap();
    eventually("no connections", || connections(&redis) == 0);
}
