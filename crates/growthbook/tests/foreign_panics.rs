//! Panics of code that is not ours, on the thread that refreshes. Refreshing goes on.
//!
//! There is one logger for a process. So this is not a part of the test `network`, and its tests
//! run one after another.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::{Client, Refresh};
use log::{LevelFilter, Log, Metadata, Record};
use test_server::{FeaturesServer, Gate, Reply};

/// No test waits this long, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(45);
const OFTEN: Refresh = Refresh::Poll(Duration::from_millis(20));

/// The beginning of the records for which the logger panics: `target: text`.
static BROKEN_FOR: Mutex<Option<&str>> = Mutex::new(None);
static PANICS: AtomicU32 = AtomicU32::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A logger that panics, like one that prints to a pipe without a reader.
struct BrokenLogger;

impl Log for BrokenLogger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let broken_for = *BROKEN_FOR.lock().unwrap_or_else(PoisonError::into_inner);
        let text = format!("{}: {}", record.target(), record.args());
        if broken_for.is_some_and(|beginning| text.starts_with(beginning)) {
            PANICS.fetch_add(1, Ordering::SeqCst);
            panic!("failed printing to stdout");
        }
    }

    fn flush(&self) {}
}

/// Makes the logger panic for all records that begin with this text, or for none.
fn break_logger(beginning: Option<&'static str>) {
    *BROKEN_FOR.lock().unwrap_or_else(PoisonError::into_inner) = beginning;
}

fn begin() -> MutexGuard<'static, ()> {
    let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = log::set_logger(&BrokenLogger);
    log::set_max_level(LevelFilter::Trace);
    break_logger(None);
    alone
}

fn payload(value: i64) -> String {
    format!(r#"{{"features": {{"flag": {{"defaultValue": {value}}}}}}}"#)
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "timed out waiting for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn start(server: &FeaturesServer) -> Client {
    let builder = Client::builder("sdk-1").api_host(server.url()).cache(());
    let builder = builder
        .fetch_options(|options| options.min_poll_interval_for_tests(Duration::from_millis(1)));
    builder.refresh(OFTEN).start().unwrap()
}

fn ready(server: &FeaturesServer) -> Client {
    let client = start(server);
    client.wait_ready(PATIENCE).unwrap();
    client
}

fn flag(client: &Client) -> i64 {
    client.for_user("u").feature_value("flag", -1)
}

#[test]
fn refreshing_survives_a_broken_logger() {
    let _alone = begin();
    let server = FeaturesServer::start(&payload(1));
    let client = ready(&server);
    break_logger(Some("growthbook: "));
    let before = PANICS.load(Ordering::SeqCst);
    // Failures of several kinds: each one is logged, at some level.
    server.script_features([Reply::status(503), Reply::close(), Reply::status(502)]);
    eventually("log records", || PANICS.load(Ordering::SeqCst) > before);
    server.set_payload(&payload(2));
    eventually("the new payload", || flag(&client) == 2);
}

#[test]
fn refreshing_recovers_when_the_logger_does() {
    let _alone = begin();
    let server = FeaturesServer::start(&payload(1));
    let client = ready(&server);
    // ureq writes this record under a lock, which is poisoned by the panic.
    break_logger(Some("ureq::pool: Use pooled"));
    let before = PANICS.load(Ordering::SeqCst);
    eventually("a panic within a request", || PANICS.load(Ordering::SeqCst) > before);
    server.set_payload(&payload(2));
    break_logger(None);
    eventually("the new payload", || flag(&client) == 2);
}

/// Notes that it is woken, or panics.
enum Task {
    Wakes(Arc<AtomicBool>),
    Panics,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        match &*self {
            Task::Wakes(is_woken) => is_woken.store(true, Ordering::SeqCst),
            Task::Panics => panic!("a broken executor"),
        }
    }
}

#[test]
fn panicking_waker_does_not_keep_others_asleep() {
    let _alone = begin();
    let server = FeaturesServer::start(&payload(1));
    let gate = Gate::closed();
    server.script_features([Reply::held(&gate, Reply::normal())]);
    let client = start(&server);
    let mut futures = [client.ready(), client.ready()];
    let is_woken = Arc::<AtomicBool>::default();
    let tasks = [Task::Panics, Task::Wakes(is_woken.clone())];
    for (future, task) in futures.iter_mut().zip(tasks) {
        let waker = Arc::new(task).into();
        assert!(pin!(future).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    gate.open();
    eventually("the second task", || is_woken.load(Ordering::SeqCst));
    eventually("the payload", || flag(&client) == 1);
    server.set_payload(&payload(2));
    eventually("the new payload", || flag(&client) == 2);
}
