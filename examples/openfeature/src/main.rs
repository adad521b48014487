//! Flags through OpenFeature's client API: `cargo run -p openfeature`.
//!
//! It needs no GrowthBook account, because it starts its own features server. With
//! `GROWTHBOOK_CLIENT_KEY`, it asks GrowthBook instead.

use std::env;
use std::error::Error;
use std::time::Duration;

use growthbook::Client;
use growthbook_openfeature::GrowthBookProvider;
use open_feature::{EvaluationContext, OpenFeature, StructValue};
use openfeature::{shop_page, visitor};
use serde_json::json;
use test_server::FeaturesServer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let demo = env::var("GROWTHBOOK_CLIENT_KEY").is_err().then(demo_server);
    let client_key = env::var("GROWTHBOOK_CLIENT_KEY").unwrap_or_else(|_| "sdk-demo".into());
    let mut builder = Client::builder(client_key)
        .on_experiment_viewed(|viewed| {
            let (experiment, variation) = (viewed.experiment.key(), viewed.result.key);
            println!("  exposure: {experiment} = {variation}");
        })
        .event_logger(|event| {
            // The logger receives exposures and feature usage, too.
            if event.name == "Purchase" {
                println!("  event: {}", event.name);
            }
        });
    if let Some(server) = &demo {
        builder = builder.api_host(server.url());
    }
    let client = builder.start()?;

    // OpenFeature takes one handle on the provider. The application keeps one to track events.
    let provider = GrowthBookProvider::new(client.clone()).ready_timeout(Duration::from_secs(3));
    let flags = {
        let mut api = OpenFeature::singleton_mut().await;
        let everywhere = EvaluationContext::default().with_custom_field("app", "shop");
        api.set_evaluation_context(everywhere).await;
        api.set_provider(provider.clone()).await;
        api.create_client()
    };

    for (name, context) in [
        ("Ann", visitor(Some("user-1"), "US")),
        ("Bob", visitor(Some("user-2"), "FR")),
        ("a guest", visitor(None, "FR")),
    ] {
        println!("{name}: {}", shop_page(&flags, &context).await);
    }
    let purchase = StructValue::default().with_field("value", 9.5);
    if let Err(error) = provider.track("Purchase", &visitor(Some("user-1"), "US"), &purchase) {
        eprintln!("the purchase is not tracked: {error:?}");
    }

    // Closing waits for plugins and sockets, so it belongs on a thread that may block.
    let closed = tokio::task::spawn_blocking(move || client.close(Duration::from_secs(3))).await?;
    if closed.is_err() {
        eprintln!("the client is still closing");
    }
    println!("stopped");
    Ok(())
}

fn demo_server() -> FeaturesServer {
    let payload = json!({"features": {
        "new-checkout": {"defaultValue": false, "rules": [
            {"id": "us", "condition": {"country": "US", "app": "shop"}, "force": true},
        ]},
        "button-color": {"defaultValue": "blue", "rules": [
            {"key": "button-color-test", "hashVersion": 2, "variations": ["blue", "green"]},
        ]},
        "max-items": {"defaultValue": 25},
        "limits": {"defaultValue": {"rps": 50, "seats": null}},
    }});
    FeaturesServer::start(&payload.to_string())
}
