//! The course of a soak.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use growthbook::fetch::StreamState;
use growthbook::{Client, Refresh};

use crate::churn::Churn;
use crate::evaluate;
use crate::payload;
use crate::report::{Report, Requests};
use crate::resources::Resources;

/// How often the polling client asks.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Until caches are full and every kind of thing has happened.
const WARM_UP: Duration = Duration::from_secs(4);

/// A soak as short as this says little, a shorter one nothing.
const SHORTEST: Duration = Duration::from_secs(14);

/// Nothing takes this long, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

const STREAMING_KEY: &str = "sdk-streaming";
const POLLING_KEY: &str = "sdk-polling";

/// Soaks for about that long: half of it in quiet, half with refreshes.
pub(crate) fn run(time: Duration) -> Result<Report, Box<dyn Error>> {
    if time < SHORTEST {
        return Err(format!("less than {} seconds say nothing", SHORTEST.as_secs()).into());
    }
    let phase = (time - WARM_UP) / 2;
    let beginning = Resources::now();
    let mut churn = Churn::start();

    let still =
        [start(&churn, "sdk-1", Refresh::Manual)?, start(&churn, "sdk-2", Refresh::Manual)?];
    let (quiet, ()) = evaluate::during(&still, || thread::sleep(phase))?;
    drop(still);

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
    let client = Client::builder(key).api_host(churn.server.url()).refresh(refresh).start()?;
    client.wait_ready(PATIENCE)?;
    Ok(client)
}

/// Waits until both clients have the newest payload, and the first one its stream.
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
                "the server has version {}, the clients still {versions:?}, stream: {stream:?}",
                churn.version,
            )
            .into());
        }
        thread::sleep(Duration::from_millis(5));
    }
}
