//! The service: one client for all, and for each request the flags of its user.

mod checkout;
mod flags;
mod health;

use std::error::Error;

use axum::Router;
use axum::routing::get;
use growthbook::Client;
use growthbook::fetch::DEFAULT_CLOSE_TIMEOUT;
use tokio::net::TcpListener;
use tokio::task;

/// The routes. The client is shared: its clones are handles on the same one.
pub fn router(client: Client) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/checkout", get(checkout::checkout))
        .with_state(client)
}

/// Serves until `shutdown`, lets requests under way end, then closes the client.
///
/// # Errors
///
/// When the listener fails, or the client's thread does not end in time.
pub async fn serve(
    listener: TcpListener,
    client: Client,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    axum::serve(listener, router(client.clone())).with_graceful_shutdown(shutdown).await?;
    // It waits for the client's thread, which is nothing to do on an async one.
    task::spawn_blocking(move || client.close(DEFAULT_CLOSE_TIMEOUT)).await??;
    Ok(())
}
