//! GrowthBook notifies the service of a change, so that it need not poll often.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::any;
use growthbook::Client;
use growthbook::webhook::{DEFAULT_TOLERANCE, WebhookAction, verify_webhook};
use tokio::task;

/// The longest body, in bytes. Any process can send one, since it is read before it is verified.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// The signing key that GrowthBook shows for the webhook.
type Secret = Arc<str>;

/// Why a webhook has no effect. GrowthBook shows the text, and tries twice more.
type Refusal = (StatusCode, String);

/// Returns the route `/growthbook-webhook`. In GrowthBook, the webhook may have any method and any
/// payload format.
pub fn webhook_router(client: Client, secret: impl Into<Secret>) -> Router {
    Router::new()
        .route("/growthbook-webhook", any(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state((client, secret.into()))
}

async fn receive(
    State((client, secret)): State<(Client, Secret)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    // A refresh waits for the network. An async thread must not block on that.
    let applied = task::spawn_blocking(move || apply(&client, &secret, &headers, &body)).await;
    applied.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?
}

fn apply(
    client: &Client,
    secret: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<StatusCode, Refusal> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // A time in milliseconds fits into 64 bits for a long time.
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let action = verify_webhook(secret, header, body, now, DEFAULT_TOLERANCE).map_err(|error| {
        let status = StatusCode::from_u16(error.status());
        (status.unwrap_or(StatusCode::BAD_REQUEST), error.to_string())
    })?;
    match action {
        WebhookAction::SetPayload(document) => client
            .set_payload(document.as_bytes())
            .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?,
        WebhookAction::Refresh => {
            client.refresh().map_err(|error| (StatusCode::BAD_GATEWAY, error.kind().to_string()))?
        }
        _ => {}
    }
    Ok(StatusCode::NO_CONTENT)
}
