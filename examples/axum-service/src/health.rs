//! Whether the service can answer.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use growthbook::Client;
use growthbook::fetch::{StreamOff, StreamState};
use serde::Serialize;

/// How the client is doing, for people and probes.
#[derive(Serialize)]
pub(crate) struct Health {
    /// Where the payload came from.
    source: Option<&'static str>,
    /// How long ago the server last sent or confirmed it.
    age_seconds: Option<f64>,
    /// Why the last refresh failed, unless one succeeded since.
    last_error: Option<String>,
    stream: &'static str,
}

/// 200 when there is a payload. A server that fails later is no reason to take the service out of
/// rotation: flags go on with the payload they have. It shows in `age_seconds` and `last_error`.
pub(crate) async fn healthz(State(client): State<Client>) -> (StatusCode, Json<Health>) {
    let status = client.status();
    let code = match status.source {
        Some(_) => StatusCode::OK,
        None => StatusCode::SERVICE_UNAVAILABLE,
    };
    let health = Health {
        source: status.source.map(|source| source.as_str()),
        age_seconds: status.age.map(|age| age.as_secs_f64()),
        last_error: status.last_error.map(|last| last.error.kind().to_string()),
        stream: word(&status.stream),
    };
    (code, Json(health))
}

fn word(stream: &StreamState) -> &'static str {
    match stream {
        StreamState::Open => "open",
        StreamState::Connecting => "connecting",
        StreamState::Lost { .. } => "lost",
        StreamState::Off(StreamOff::NotKnownYet) => "not known yet",
        StreamState::Off(StreamOff::Closed) => "closed",
        _ => "none",
    }
}
