//! A connected client, with a server of this example.

use std::error::Error;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use growthbook::fetch::StreamState;
use growthbook::{Client, Status};
use test_server::FeaturesServer;

/// Longer than any step takes, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut server = FeaturesServer::start(&payload("blue"));
    let client = Client::builder("sdk-quickstart")
        .api_host(server.url())
        // How often the server is asked while there is no stream. The default is a minute.
        .poll_interval(Duration::from_secs(1))
        .start()?;

    let ready = client.wait_ready(PATIENCE)?;
    writeln!(out, "ready: a payload from {}, button-color is {:?}", ready.source, color(&client))?;
    until(|| matches!(client.status().stream, StreamState::Open))?;
    writeln!(out, "  {}", describe(&client.status()))?;

    let changed = Instant::now();
    server.set_payload(&payload("green"));
    until(|| color(&client) == "green")?;
    writeln!(out, "changed: evaluation sees it {:.1?} after the server", changed.elapsed())?;

    server.stop();
    until(|| client.status().last_error.is_some())?;
    writeln!(out, "server stopped: button-color is still {:?}", color(&client))?;
    writeln!(out, "  {}", describe(&client.status()))?;

    server.set_payload(&payload("red"));
    let restarted = Instant::now();
    server.restart();
    until(|| color(&client) == "red")?;
    writeln!(out, "server back: button-color is \"red\" after {:.0?}", restarted.elapsed())?;
    writeln!(out, "  {}", describe(&client.status()))?;

    client.close(PATIENCE)?;
    writeln!(out, "closed: button-color is still {:?}", color(&client))?;
    Ok(())
}

fn payload(color: &str) -> String {
    format!(r#"{{"features": {{"button-color": {{"defaultValue": "{color}"}}}}}}"#)
}

fn color(client: &Client) -> String {
    client.for_user("user-1").feature_value("button-color", String::new())
}

/// Prints the status, as an operator would want it.
fn describe(status: &Status) -> String {
    let stream = match &status.stream {
        StreamState::Open => "open".to_owned(),
        StreamState::Lost { error } => format!("lost ({error}), polling meanwhile"),
        other => format!("{other:?}"),
    };
    let age = status.age.map_or("-".to_owned(), |age| format!("{age:.1?}"));
    let error = status.last_error.as_ref().map_or("none".to_owned(), |last| last.error.to_string());
    let (fetches, updates) = (status.counters.fetches, status.counters.updates);
    format!(
        "status: confirmed {age} ago; stream {stream}; last error: {error}; \
         fetches: {fetches}, updates: {updates}"
    )
}

fn until(holds: impl Fn() -> bool) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > PATIENCE {
            return Err("it took too long".into());
        }
        thread::sleep(Duration::from_micros(50));
    }
    Ok(())
}
