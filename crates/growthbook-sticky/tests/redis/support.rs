//! Helpers for the tests.

use std::time::{Duration, Instant};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBucketStore};
use growthbook_sticky::{
    RedisStickyBucketOptions, RedisStickyBucketStore, RedisStoreError, RedisStoreErrorKind,
};
use test_server::redis::{RedisReply, RedisServer};

pub(crate) fn key(name: &str, value: &str) -> StickyBucketKey {
    StickyBucketKey { attribute_name: name.into(), attribute_value: value.into() }
}

pub(crate) fn document(
    name: &str,
    value: &str,
    assignments: &[(&str, &str)],
) -> StickyBucketDocument {
    let mut document = StickyBucketDocument::new(key(name, value));
    let pairs = assignments.iter();
    document.assignments = pairs.map(|(key, value)| ((*key).into(), (*value).into())).collect();
    document
}

/// No test waits this long, unless something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Options with a deadline that even a slow machine keeps.
pub(crate) fn patient() -> RedisStickyBucketOptions {
    RedisStickyBucketOptions::new().deadline(PATIENCE)
}

pub(crate) fn store(server: &RedisServer) -> RedisStickyBucketStore {
    store_with(server, patient())
}

pub(crate) fn store_with(
    server: &RedisServer,
    options: RedisStickyBucketOptions,
) -> RedisStickyBucketStore {
    RedisStickyBucketStore::with_options(redis::Client::open(server.url()).unwrap(), options)
}

/// Returns the document of this `id`.
pub(crate) fn load(store: &impl StickyBucketStore, value: &str) -> Option<StickyBucketDocument> {
    let buckets = store.get_all(&[key("id", value)]).unwrap();
    buckets.get("id", value).cloned()
}

/// Returns the kind of the error that the store wrapped.
pub(crate) fn kind(error: &dyn std::error::Error) -> RedisStoreErrorKind {
    let source = error.source().unwrap();
    source.downcast_ref::<RedisStoreError>().unwrap().kind()
}

/// Returns the text under a key in Redis.
pub(crate) fn stored(server: &RedisServer, key: &str) -> String {
    let reply = server.command(&["GET", key]);
    reply.as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned()
}

/// Returns how often the server received this command.
pub(crate) fn calls(server: &RedisServer, command: &str) -> u64 {
    let reply = server.command(&["INFO", "commandstats"]);
    let statistics = reply.as_str().unwrap().to_owned();
    let start = format!("cmdstat_{command}:calls=");
    let line = statistics.lines().find_map(|line| line.strip_prefix(&start));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// Waits until this is so. Returns `false` if that takes too long.
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

pub(crate) fn ok() -> RedisReply {
    RedisReply::Text(b"OK".to_vec())
}
