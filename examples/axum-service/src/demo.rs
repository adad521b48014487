//! A features server for a demonstration of the service.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::json;
use test_server::FeaturesServer;

/// How often the limit changes.
const INTERVAL: Duration = Duration::from_secs(5);

/// Starts a server that changes a flag every few seconds, until the process ends.
pub(crate) fn start() -> Arc<FeaturesServer> {
    let server = Arc::new(FeaturesServer::start(&payload(25)));
    let changed = server.clone();
    thread::spawn(move || {
        for max_items in [50, 25].into_iter().cycle() {
            thread::sleep(INTERVAL);
            changed.set_payload(&payload(max_items));
        }
    });
    server
}

fn payload(max_items: u32) -> String {
    json!({"features": {
        "new-checkout": {"defaultValue": false, "rules": [
            {"condition": {"country": {"$in": ["US", "CA"]}}, "force": true},
        ]},
        "button-color": {"defaultValue": "blue", "rules": [
            {"key": "button-color-test", "hashVersion": 2, "variations": ["blue", "green"]},
        ]},
        "max-items": {"defaultValue": max_items},
    }})
    .to_string()
}
