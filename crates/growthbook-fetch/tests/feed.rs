//! A feed against a server: refreshes at the same time.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
fn waiters_of_a_panicking_fetch_get_an_error() {
    let server = FeaturesServer::start(PAYLOAD);
    let sink = Sink::default();
    let feed = start(&server, sink.clone());
    sink.panics.store(true, Ordering::Relaxed);
    server.script_features([Reply::delayed(Duration::from_millis(200), Reply::normal())]);
    thread::scope(|scope| {
        let first = scope.spawn(|| catch_unwind(AssertUnwindSafe(|| feed.refresh())));
        assert!(server.wait_until(PATIENCE, |counts| counts.features == 1));
        let second = feed.refresh();
        assert!(first.join().unwrap().is_err());
        assert_eq!(second.unwrap_err().kind(), FetchErrorKind::Panicked);
    });
    sink.panics.store(false, Ordering::Relaxed);
    feed.refresh().unwrap();
}
