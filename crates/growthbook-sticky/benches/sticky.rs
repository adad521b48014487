//! Measures how long it takes to load a user's documents from a Redis on this machine:
//! `cargo bench --package growthbook-sticky --bench sticky --all-features`.
//!
//! Prints a table with lookups per second and the time of one lookup. It compares single `GET`s with
//! one `MGET`, and on a cluster single `GET`s with a pipeline. Then criterion measures the loads and
//! saves of the store.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may panic")]

use std::time::{Duration, Instant};

use criterion::Criterion;
use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBucketStore};
use growthbook_sticky::{RedisServers, RedisStickyBucketOptions, RedisStickyBucketStore};
use test_server::redis::{RedisCluster, RedisServer};

const USERS: usize = 1000;
const LOOKUPS: usize = 10_000;
const ATTRIBUTES: [&str; 3] = ["id", "deviceId", "company"];

fn main() {
    let (server, cluster) = (RedisServer::start(), RedisCluster::start());
    let single = store(redis::Client::open(server.url()).unwrap());
    let spread = store(RedisServers::cluster(cluster.urls()).unwrap());
    fill(&single);
    fill(&spread);

    println!("| store | documents | how | lookups/s | p50 | p99 |\n|---|---|---|---|---|---|");
    for (name, store) in [("Redis", &single), ("Cluster of 3", &spread)] {
        for documents in [1, 3] {
            let together = if name == "Redis" { "one MGET" } else { "pipelined GETs" };
            row(name, documents, together, |keys| {
                assert_eq!(store.get_all(keys).unwrap().iter().len(), documents);
            });
            row(name, documents, "single GETs", |keys| {
                for key in keys {
                    assert_eq!(store.get_all(std::slice::from_ref(key)).unwrap().iter().len(), 1);
                }
            });
        }
    }

    let mut criterion = Criterion::default().configure_from_args();
    for documents in [1, 3] {
        let keys = keys(0, documents);
        criterion.bench_function(&format!("load/{documents}"), |bencher| {
            bencher.iter(|| single.get_all(&keys).unwrap());
        });
    }
    let merging = RedisStickyBucketStore::with_options(
        redis::Client::open(server.url()).unwrap(),
        RedisStickyBucketOptions::new().merge(true),
    );
    for (name, store) in [("save/set", &single), ("save/merge", &merging)] {
        let document = document(&keys(0, 1)[0]);
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| store.save(&document).unwrap());
        });
    }
    criterion.final_summary();
}

/// Returns a store with a deadline that even a busy machine keeps.
fn store(client: impl Into<RedisServers>) -> RedisStickyBucketStore {
    let options = RedisStickyBucketOptions::new().deadline(Duration::from_secs(10));
    RedisStickyBucketStore::with_options(client, options)
}

fn fill(store: &RedisStickyBucketStore) {
    for user in 0..USERS {
        for key in keys(user, ATTRIBUTES.len()) {
            store.save(&document(&key)).unwrap();
        }
    }
}

fn row(store: &str, documents: usize, how: &str, lookup: impl Fn(&[StickyBucketKey])) {
    let users: Vec<Vec<StickyBucketKey>> = (0..USERS).map(|user| keys(user, documents)).collect();
    users.iter().for_each(|keys| lookup(keys));
    let begun = Instant::now();
    let mut times: Vec<Duration> = users
        .iter()
        .cycle()
        .take(LOOKUPS)
        .map(|keys| {
            let begun = Instant::now();
            lookup(keys);
            begun.elapsed()
        })
        .collect();
    let per_second = LOOKUPS as f64 / begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let percentile = |percent: usize| times.get(LOOKUPS * percent / 100).unwrap();
    println!(
        "| {store} | {documents} | {how} | {per_second:.0} | {:.0?} | {:.0?} |",
        percentile(50),
        percentile(99),
    );
}

fn keys(user: usize, documents: usize) -> Vec<StickyBucketKey> {
    ATTRIBUTES
        .iter()
        .take(documents)
        .map(|name| StickyBucketKey {
            attribute_name: (*name).into(),
            attribute_value: format!("user-{user}").into(),
        })
        .collect()
}

/// Returns a document with five assignments.
fn document(key: &StickyBucketKey) -> StickyBucketDocument {
    let mut document = StickyBucketDocument::new(key.clone());
    for experiment in 0..5 {
        document.assignments.insert(format!("experiment-{experiment}__0").into(), "1".into());
    }
    document
}
