//! The service: all requests share one client, and each request has the flags of its user.

mod checkout;
mod exposures;
mod flags;
mod health;
mod webhook;

use std::error::Error;

use axum::Router;
use axum::routing::get;
use growthbook::Client;
use growthbook::fetch::DEFAULT_CLOSE_TIMEOUT;
use tokio::net::TcpListener;
use tokio::task;

pub use exposures::{Exposures, exposures};
pub use webhook::webhook_router;

/// Returns the routes. All of them share the client, because a clone is a handle to the same
/// client.
pub fn router(client: Client) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/checkout", get(checkout::checkout))
        .with_state(client)
}

/// Serves the routes until `shutdown`. Then waits for current requests to end, and closes the
/// client, which ends its plugins.
///
/// # Errors
///
/// When the listener fails, or the client's thread does not end in time.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    client: Client,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    axum::serve(listener, routes).with_graceful_shutdown(shutdown).await?;
    // Closing waits for the client's thread. An async thread must not block on that.
    task::spawn_blocking(move || client.close(DEFAULT_CLOSE_TIMEOUT)).await??;
    Ok(())
}
