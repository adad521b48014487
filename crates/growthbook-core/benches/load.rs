//! The time and memory of loading a payload: `cargo bench --bench load`.
//!
//! Loading goes from the bytes to a snapshot. The time is compared with reading the same bytes as a
//! `serde_json::Value`. One group loads a first payload of 1,000 features. The other group loads a
//! payload of 5,000 features after an earlier one.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

mod payloads;

use std::hint::black_box;
use std::thread;

use criterion::{Criterion, Throughput};
use growthbook_core::{Payload, Snapshot};
use serde::de::IgnoredAny;
use serde_json::Value;

const FEATURES: usize = 1_000;
const FEATURES_OF_UPDATE: usize = 5_000;

fn main() {
    // Every server has several threads. A process with several threads allocates more slowly.
    thread::spawn(thread::park);

    let text = payloads::payload(FEATURES);
    report_memory(&text);
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, text.as_bytes());
    measure_updates(&mut criterion);
    criterion.final_summary();
}

fn load(bytes: &[u8]) -> Snapshot {
    Payload::from_json(bytes).expect("a payload").compile()
}

/// Prints the memory of a payload and its snapshot, also as multiples of the text.
fn report_memory(text: &str) {
    let snapshot = load(text.as_bytes());
    assert!(snapshot.warnings().is_empty(), "{:?}", snapshot.warnings());

    let report = |name: &str, measured: allocation_counter::AllocationInfo| {
        let kept = measured.bytes_current;
        let times = kept as f64 / text.len() as f64;
        let allocations = measured.count_total;
        println!("{name:<10} keeps {kept} bytes, {times:.2} x the text, {allocations} allocations");
    };
    println!("text       {} bytes", text.len());
    let mut payload = None;
    let measured =
        allocation_counter::measure(|| payload = Payload::from_json(text.as_bytes()).ok());
    report("payload", measured);
    let mut snapshot = None;
    let measured =
        allocation_counter::measure(|| snapshot = payload.as_ref().map(Payload::compile));
    report("snapshot", measured);
    drop((payload, snapshot));
    let mut alone = None;
    let measured = allocation_counter::measure(|| alone = Some(load(text.as_bytes())));
    report("alone", measured);
    drop(alone);
}

fn measure(criterion: &mut Criterion, bytes: &[u8]) {
    let mut group = criterion.benchmark_group("load 1,000 features");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("skipped by serde_json", |bencher| {
        bencher.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(bytes)));
    });
    group.bench_function("read as a Value", |bencher| {
        bencher.iter_with_large_drop(|| serde_json::from_slice::<Value>(black_box(bytes)));
    });
    group.bench_function("read as a Value and dropped", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Value>(black_box(bytes)));
    });
    group.bench_function("payload found", |bencher| {
        bencher.iter(|| Payload::from_json(black_box(bytes)));
    });
    group.bench_function("snapshot", |bencher| {
        bencher.iter_with_large_drop(|| load(black_box(bytes)));
    });
    group.bench_function("snapshot and dropped", |bencher| {
        bencher.iter(|| load(black_box(bytes)));
    });
    group.finish();
}

/// Does a client's work for a payload after an earlier one.
fn update(bytes: &[u8], before: &(Payload, Snapshot)) -> (Payload, Snapshot) {
    let payload = Payload::from_json(bytes).expect("a payload").replacing(&before.0);
    let snapshot = payload.compile_after(&before.1);
    (payload, snapshot)
}

fn measure_updates(criterion: &mut Criterion) {
    let text = payloads::payload(FEATURES_OF_UPDATE);
    let (same, changed) =
        (text.as_bytes(), text.replacen("\"coverage\":0.5", "\"coverage\":0.4", 1));
    assert_ne!(text, changed, "a feature is changed");
    let payload = Payload::from_json(same).expect("a payload");
    let snapshot = payload.compile();
    let before = (payload, snapshot);

    let mut group = criterion.benchmark_group("update of 5,000 features");
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(20);
    group.bench_function("skipped by serde_json", |bencher| {
        bencher.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(same)));
    });
    group.bench_function("read as a Value", |bencher| {
        bencher.iter_with_large_drop(|| serde_json::from_slice::<Value>(black_box(same)));
    });
    group.bench_function("compiled from scratch", |bencher| {
        bencher.iter_with_large_drop(|| load(black_box(same)));
    });
    group.bench_function("nothing changed", |bencher| {
        bencher.iter_with_large_drop(|| update(black_box(same), &before));
    });
    group.bench_function("1 feature changed", |bencher| {
        bencher.iter_with_large_drop(|| update(black_box(changed.as_bytes()), &before));
    });
    group.finish();
}
