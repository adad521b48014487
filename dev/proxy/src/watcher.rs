//! A client whose updates are timed.

use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::Client;
use growthbook::fetch::StreamState;
use test_server::{GrowthBookProxy, ProxySettings};

use crate::payload::{VERSION, document};

/// The longest wait for something that must happen. Only a broken client needs more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The time between two looks at the status of clients, which does not notify.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

pub(crate) struct Watcher {
    pub(crate) client: Client,
    updates: Arc<Updates>,
}

#[derive(Default)]
struct Updates {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Watcher {
    /// Starts a streaming client, with the default options.
    pub(crate) fn start(url: &str, key: &str) -> Result<Self, Box<dyn Error>> {
        let updates = Arc::<Updates>::default();
        let notified = Arc::clone(&updates);
        let client =
            Client::builder(key).api_host(url).on_update(move |_| notified.notify()).start()?;
        Ok(Watcher { client, updates })
    }

    /// Starts a streaming client, and waits for its payload and its stream.
    pub(crate) fn start_and_wait(url: &str, key: &str) -> Result<Self, Box<dyn Error>> {
        let watcher = Watcher::start(url, key)?;
        watcher.client.wait_ready(PATIENCE)?;
        wait_until(PATIENCE, || watcher.has_stream())
            .then_some(watcher)
            .ok_or_else(|| "the stream was not opened".into())
    }

    /// Returns the version that an evaluation sees; 0 before the first payload.
    pub(crate) fn version(&self) -> u64 {
        self.client.for_user("u").feature_value(VERSION, 0)
    }

    pub(crate) fn has_stream(&self) -> bool {
        matches!(self.client.status().stream, StreamState::Open)
    }

    /// Waits until evaluations see this version. Returns how long that took since `begin`.
    pub(crate) fn wait_for(&self, version: u64, begin: Instant) -> Result<Duration, String> {
        let mut count = self.updates.count.lock().unwrap_or_else(PoisonError::into_inner);
        while self.version() < version {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Err(format!("version {version} did not arrive in {PATIENCE:?}"));
            }
            let waited = self.updates.changed.wait_timeout(count, left);
            count = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(begin.elapsed())
    }
}

impl Updates {
    fn notify(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }
}

/// Starts a double, and waits until it can answer.
pub(crate) fn start_proxy(settings: ProxySettings, keys: &[&str]) -> GrowthBookProxy {
    let proxy = GrowthBookProxy::start(settings, keys.iter().copied(), &document(1));
    wait_until(PATIENCE, || proxy.able_since().is_some());
    proxy
}

/// Waits until this holds. Returns false after `limit`.
pub(crate) fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while !holds() {
        if begin.elapsed() > limit {
            return false;
        }
        thread::sleep(LOOK_INTERVAL);
    }
    true
}
