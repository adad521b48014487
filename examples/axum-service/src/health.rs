//! The health of the service.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use growthbook::Client;
use growthbook::fetch::{StreamOff, StreamState};
use serde::Serialize;

/// The state of the client, for people and probes.
#[derive(Serialize)]
pub(crate) struct Health {
    /// The source of the payload.
    source: Option<&'static str>,
    /// The time since the server last sent or confirmed the payload.
    age_seconds: Option<f64>,
    /// The error of the last refresh. A later success clears it.
    last_error: Option<String>,
    stream: &'static str,
}

/// Returns 200 if the client has a payload.
///
/// A later failure of the features server does not change that, because the flags keep their
/// payload. The failure shows in `age_seconds` and `last_error`.
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
