//! The service: all requests share one client, and each request has the flags of its user.

mod checkout;
mod health;
mod page;
mod users;
mod webhook;

use std::error::Error;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::request::Parts;
use axum::routing::{get, post};
use growthbook::Client;
use growthbook::fetch::DEFAULT_CLOSE_TIMEOUT;
use growthbook_tower::{GrowthBookLayer, Options};
use tokio::net::TcpListener;
use tokio::task;

pub use users::options;
pub use webhook::webhook_router;

/// The longest list of exposures that a page may send, in bytes.
const MAX_EXPOSURES_BYTES: usize = 64 * 1024;

/// Returns the routes. All of them share the client, because a clone is a handle to the same
/// client. Routes without users are after the layer, so they have no scope.
pub fn router(client: Client, options: Options<Parts>) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/checkout", get(checkout::checkout))
        .layer(GrowthBookLayer::new(client.clone(), options))
        .route("/page.js", get(page::script))
        .route("/healthz", get(health::healthz))
        .route("/exposures", post(page::exposures))
        .layer(DefaultBodyLimit::max(MAX_EXPOSURES_BYTES))
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
