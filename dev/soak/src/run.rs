//! The course of a soak.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use growthbook::fetch::StreamState;
use growthbook::{Client, Refresh};
use test_server::Resources;

use crate::churn::Churn;
use crate::evaluate;
use crate::payload;
use crate::report::{Report, Requests};

/// The interval of the polling client.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The warm-up. After it, caches are full, and the server has restarted.
const WARM_UP: Duration = Duration::from_secs(4);

/// The shortest useful soak.
const SHORTEST: Duration = Duration::from_secs(14);

/// The longest wait. Only a broken client needs more.
const PATIENCE: Duration = Duration::from_secs(30);

const STREAMING_KEY: &str = "sdk-streaming";
const POLLING_KEY: &str = "sdk-polling";

/// Runs a soak of about this length: half of it without refreshes, half with them.
pub(crate) fn run(time: Duration) -> Result<Report, Box<dyn Error>> {
    if time < SHORTEST {
        return Err(format!("a soak needs at least {} seconds", SHORTEST.as_secs()).into());
    }
    let phase = (time - WARM_UP) / 2;
    let beginning = Resources::now();
    let mut churn = Churn::start();

    let without_refresh =
        [start(&churn, "sdk-1", Refresh::Manual)?, start(&churn, "sdk-2", Refresh::Manual)?];
    let (quiet, ()) = evaluate::during(&without_refresh, || thread::sleep(phase))?;
    drop(without_refresh);

    let begin = Instant::now();
    let clients = [
        start(&churn, STREAMING_KEY, Refresh::Stream)?,
        start(&churn, POLLING_KEY, Refresh::Poll(POLL_INTERVAL))?,
    ];
    evaluate::during(&clients, || churn.run(WARM_UP))?;
    settle(&clients, &churn)?;
    let warm = Resources::at_rest();

    let (busy, ()) = evaluate::during(&clients, || churn.run(phase))?;
    settle(&clients, &churn)?;
    let end = Resources::at_rest();

    let lived = begin.elapsed();
    let requests = [
        Requests::of_streaming(&churn.server, STREAMING_KEY, lived, churn.restarts),
        Requests::of_polling(&churn.server, POLLING_KEY, lived, churn.restarts),
    ];
    let updates = clients.each_ref().map(|client| client.status().counters.updates);
    let (changes, restarts, payload_bytes) = (churn.changes, churn.restarts, churn.payload_bytes());
    for client in &clients {
        client.close(PATIENCE)?;
    }
    drop(churn);
    let closed = Resources::at_rest();
    drop(clients);
    let dropped = Resources::back_to(beginning, PATIENCE);
    Ok(Report {
        phase,
        payload_bytes,
        changes,
        restarts,
        quiet,
        busy,
        requests,
        updates,
        resources: [beginning, warm, end, closed, dropped],
    })
}

fn start(churn: &Churn, key: &str, refresh: Refresh) -> Result<Client, Box<dyn Error>> {
    let client = Client::builder(key)
        .api_host(churn.server.url())
        .fetch_options(|options| options.min_poll_interval_for_tests(POLL_INTERVAL))
        .refresh(refresh)
        .start()?;
    client.wait_ready(PATIENCE)?;
    Ok(client)
}

/// Waits until both clients have the newest payload, and the streaming client has its stream.
fn settle(clients: &[Client; 2], churn: &Churn) -> Result<(), Box<dyn Error>> {
    let [streaming, _] = clients;
    let start = Instant::now();
    loop {
        let versions =
            clients.each_ref().map(|client| payload::version(&client.for_user("settle")));
        let stream = streaming.status().stream;
        if versions == [churn.version; 2] && matches!(stream, StreamState::Open) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!(
                "the server has version {}, but the clients {versions:?}; the stream is {stream:?}",
                churn.version,
            )
            .into());
        }
        thread::sleep(Duration::from_millis(5));
    }
}
