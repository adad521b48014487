//! Waiting for the first payload.

use std::thread;
use std::time::Duration;

use growthbook::Client;
use growthbook_support::{Level, log};
use tokio::sync::oneshot;

/// Waits until the client has a payload, at most this long. Failures are logged.
///
/// It waits on a thread of its own, because the executor is unknown: it may have no timer.
pub(crate) async fn wait(client: &Client, timeout: Duration) {
    let (sender, receiver) = oneshot::channel();
    let client = client.clone();
    let wait = move || {
        let outcome = client.wait_ready(timeout);
        // Afterwards the thread must not have the last handle on the client.
        drop(client);
        // The receiver is gone if the future was dropped.
        let _ = sender.send(outcome);
    };
    let thread = thread::Builder::new().name("growthbook-openfeature".into());
    if let Err(error) = thread.spawn(wait) {
        log!(Level::Warn, "OpenFeature does not wait for a payload, without a thread: {error}");
        return;
    }
    // Without an answer, the thread has panicked: the logger of the application may do so.
    if let Ok(Err(error)) = receiver.await {
        log!(Level::Warn, "OpenFeature starts without a payload: {error}");
    }
}
