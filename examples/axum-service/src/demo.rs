//! A demonstration of the service: a features server, and requests on standard output.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
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

/// Prints a request with its cookies, and the cookies that the response sets. A real service does not
/// log them: they identify users.
pub(crate) async fn print_request(request: Request, next: Next) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let received = cookies(request.headers(), "cookie");
    let response = next.run(request).await;
    println!("{line}: {}", response.status());
    for cookie in received {
        println!("  has  {cookie}");
    }
    for cookie in cookies(response.headers(), "set-cookie") {
        println!("  sets {cookie}");
    }
    response
}

fn cookies(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|it| String::from_utf8_lossy(it.as_bytes()).into()).collect()
}

fn payload(max_items: u32) -> String {
    json!({"features": {
        "new-checkout": {"defaultValue": false, "rules": [
            {"condition": {"country": {"$in": ["US", "CA"]}}, "force": true},
        ]},
        "button-color": {"defaultValue": "blue", "rules": [{
            "key": "button-color-test", "hashVersion": 2, "variations": ["blue", "green"],
            "meta": [{"key": "0"}, {"key": "1"}],
        }]},
        "max-items": {"defaultValue": max_items},
    }})
    .to_string()
}
