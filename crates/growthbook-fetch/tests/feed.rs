//! A feed against a server: refreshes at the same time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use growthbook_core::{PayloadChange, PayloadError, PayloadSource};
use growthbook_fetch::{Feed, FetchErrorKind, FetchOptions, Offered, PayloadSink, Refresh};
use test_server::{FeaturesServer, Reply};

const PATIENCE: Duration = Duration::from_secs(20);
const PAYLOAD: &str = r#"{"features": {}}"#;

/// A sink that applies every document, or panics.
#[derive(Clone, Default)]
struct Sink {
    panics: Arc<AtomicBool>,
}

impl PayloadSink for Sink {
    fn offer(&self, _: &str, _: PayloadSource) -> Result<Offered, PayloadError> {
        assert!(!self.panics.load(Ordering::Relaxed), "this sink panics");
        Ok(Offered::Applied { change: PayloadChange::default() })
    }
}

/// The value of a panic. Its destructor panics as well.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic_any(PanicsWhenDropped);
    }
}

/// A sink that applies every document except the first one of the server.
struct BrokenSink(Arc<AtomicU32>);

impl PayloadSink for BrokenSink {
    fn offer(&self, _: &str, _: PayloadSource) -> Result<Offered, PayloadError> {
        if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            panic_any(PanicsWhenDropped);
        }
        Ok(Offered::Applied { change: PayloadChange::default() })
    }
}

fn start(server: &FeaturesServer, sink: Sink) -> Feed {
    let options = FetchOptions::new("sdk-1").api_host(server.url()).refresh(Refresh::Manual);
    Feed::start(&options, Arc::new(()), sink).unwrap()
}

#[test]
fn late_waiter_gets_the_outcome_of_its_fetch() {
    let server = FeaturesServer::start(PAYLOAD);
    let feed = start(&server, Sink::default());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..300).for_each(|_| feed.refresh().unwrap()));
        }
    });
}

#[test]
fn panicking_fetch_is_an_error_for_all_callers() {
    let server = FeaturesServer::start(PAYLOAD);
    let sink = Sink::default();
    let feed = start(&server, sink.clone());
    sink.panics.store(true, Ordering::Relaxed);
    server.script_features([Reply::delayed(Duration::from_millis(200), Reply::normal())]);
    thread::scope(|scope| {
        let first = scope.spawn(|| feed.refresh());
        assert!(server.wait_until(PATIENCE, |counts| counts.features == 1));
        let second = feed.refresh();
        for outcome in [first.join().unwrap(), second] {
            assert_eq!(outcome.unwrap_err().kind(), FetchErrorKind::Panicked);
        }
    });
    assert_eq!(feed.status().counters.failures, 1);
    sink.panics.store(false, Ordering::Relaxed);
    feed.refresh().unwrap();
}

#[test]
fn worker_survives_a_panic_with_a_panicking_value() {
    let server = FeaturesServer::start(PAYLOAD);
    let interval = Refresh::Poll(Duration::from_millis(20));
    let options = FetchOptions::new("sdk-1").api_host(server.url()).refresh(interval);
    let options = options.min_poll_interval_for_tests(Duration::from_millis(20));
    let offered = Arc::<AtomicU32>::default();
    let feed = Feed::start(&options, Arc::new(()), BrokenSink(offered.clone())).unwrap();
    feed.wait_ready(PATIENCE).unwrap();
    assert_eq!(offered.load(Ordering::Relaxed), 2);
}
