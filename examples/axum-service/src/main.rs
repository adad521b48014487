//! A web service whose requests share one GrowthBook client.
//!
//! `cargo run -p axum-service -- --demo` needs no GrowthBook account. It starts its own features
//! server, which changes a flag every few seconds. It prints requests, their cookies, and exposures.
//! Without `--demo`, `GROWTHBOOK_CLIENT_KEY` is the client key of the SDK connection.
//! `GROWTHBOOK_API_HOST` is its server; the default is GrowthBook's own. With
//! `GROWTHBOOK_WEBHOOK_SECRET`, the service receives GrowthBook's SDK webhooks at
//! `/growthbook-webhook`.

mod demo;

use std::env;
use std::error::Error;

use axum::middleware;
use axum_service::{options, router, serve, webhook_router};
use growthbook::Client;
use growthbook::fetch::DEFAULT_API_HOST;
use tokio::net::TcpListener;

const ADDRESS: &str = "127.0.0.1:3000";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let demo = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => None,
        ["--demo"] => Some(demo::start()),
        _ => return Err("usage: axum-service [--demo]".into()),
    };
    let (api_host, client_key) = match &demo {
        Some(server) => (server.url(), "sdk-demo".to_owned()),
        None => from_environment()?,
    };

    // This does not wait. The service is up at once. It is ready (`/healthz`) when it has a
    // payload.
    let client = Client::builder(client_key)
        .api_host(api_host)
        // The layer calls it after the response. A real service queues exposures here for its
        // warehouse. The Cargo feature `tracking` sends them to GrowthBook.
        .on_experiment_viewed(|viewed| {
            let user = viewed.user.id().unwrap_or_default();
            println!("exposure: {user} sees {} = {}", viewed.experiment.key(), viewed.result.key);
        })
        .on_update(|change| eprintln!("flags changed: {:?}", change.features))
        .start()?;

    let mut routes = router(client.clone(), options());
    if let Ok(secret) = env::var("GROWTHBOOK_WEBHOOK_SECRET") {
        routes = routes.merge(webhook_router(client.clone(), secret));
    }
    if demo.is_some() {
        routes = routes.layer(middleware::from_fn(demo::print_request));
    }
    let listener = TcpListener::bind(ADDRESS).await?;
    println!("try: curl 'http://{ADDRESS}/checkout?user=user-1&country=US'");
    println!("     curl 'http://{ADDRESS}/healthz'");
    println!("     a browser at http://{ADDRESS}/");
    serve(listener, routes, client, ctrl_c()).await?;
    println!("stopped");
    Ok(())
}

fn from_environment() -> Result<(String, String), Box<dyn Error + Send + Sync>> {
    let api_host = env::var("GROWTHBOOK_API_HOST").unwrap_or_else(|_| DEFAULT_API_HOST.into());
    let client_key = env::var("GROWTHBOOK_CLIENT_KEY").map_err(
        |_| "GROWTHBOOK_CLIENT_KEY is not set: set it, or use --demo, which needs no account",
    )?;
    Ok((api_host, client_key))
}

/// Waits for the signal. If the process cannot receive it, waits forever, so that the service goes
/// on.
async fn ctrl_c() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        eprintln!("ctrl-c cannot stop the service gracefully: {error}");
        std::future::pending::<()>().await;
    }
}
