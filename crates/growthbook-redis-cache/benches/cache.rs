//! Writes and reads a payload of 1 MB in Redis, and acquires the lease.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use growthbook_core::cache::{CachedPayload, FetchLease, PayloadCache, PayloadKey};
use growthbook_redis_cache::RedisCache;
use test_server::redis::RedisServer;

const MEGABYTE: usize = 1_000_000;

fn payload(number: usize) -> CachedPayload {
    let filling = "x".repeat(MEGABYTE);
    CachedPayload {
        document: format!(r#"{{"features":{{}},"number":{number},"filling":"{filling}"}}"#).into(),
        etag: None,
        streaming: false,
        fetched_at: 1,
    }
}

fn payloads(criterion: &mut Criterion) {
    let server = RedisServer::start();
    let open = || {
        let cache = RedisCache::new(redis::Client::open(server.url()).unwrap());
        cache.deadline(Duration::from_secs(10))
    };
    let (cache, other) = (open(), open());
    let key = PayloadKey::new("http://localhost", "sdk-bench");
    let documents = [payload(1), payload(2)];
    let mut group = criterion.benchmark_group("redis cache, 1 MB");
    group.throughput(Throughput::Bytes(MEGABYTE as u64));
    let mut round = 0;
    group.bench_function("put", |bencher| {
        bencher.iter(|| {
            round += 1;
            cache.put(&key, &documents[round % 2]).unwrap();
        });
    });
    group.bench_function("get", |bencher| {
        bencher.iter(|| black_box(other.get(&key).unwrap()));
    });
    group.bench_function("confirm", |bencher| {
        cache.put(&key, &documents[0]).unwrap();
        bencher.iter(|| cache.confirm(&key, &documents[0]).unwrap());
    });
    group.bench_function("acquire, known payload is fresh", |bencher| {
        let long = Duration::from_secs(3600);
        bencher.iter(|| black_box(cache.acquire(&key, Some(&documents[0]), long).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, payloads);
criterion_main!(benches);
