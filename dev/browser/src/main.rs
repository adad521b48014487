//! A page of the axum service in a headless browser, where the JavaScript SDK continues: `cargo xtask
//! browser`. Both agree on every flag and on sticky buckets, and each exposure is reported once.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value that lacks the member gives null"
)]

mod payload;
mod visitor;

use std::error::Error;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use axum_service::{options, router, serve};
use growthbook::cache::{DEFAULT_MEMORY_CACHE_ENTRIES, MemoryCache};
use growthbook::tracking::ExposureDeduplication;
use growthbook::{Client, Refresh};
use growthbook_tower::Devtools;
use serde_json::{Value, json};
use test_server::FeaturesServer;
use tokio::net::TcpListener;

use payload::payload;
use visitor::Visitor;

/// The version of the JavaScript SDK in `javascript/package.json`.
const SDK_VERSION: &str = "1.8.0";
/// What GrowthBook's devtools send: `{"features":{"max-items":5},"experiments":{"later-test":0}}`.
const FORCED: &str = "%7B%22features%22:%7B%22max-items%22:5%7D,\
                      %22experiments%22:%7B%22later-test%22:0%7D%7D";
/// The longest wait for the payload.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = FeaturesServer::start(&payload([0, 1]));
    let (client, exposures) = client(&server)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let devtools = Devtools::new(server.url(), "sdk-browser");
    let routes = router(client.clone(), options().devtools(devtools));
    let served = client.clone();
    tokio::spawn(async { serve(listener, routes, served, std::future::pending()).await });
    // The visits block, and the service runs on the other threads.
    tokio::task::spawn_blocking(move || {
        visits(&server, &client, &exposures, &address).map_err(|error| error.to_string())
    })
    .await??;
    Ok(())
}

/// Returns a client that reports every exposure, also a repeated one.
fn client(server: &FeaturesServer) -> Result<(Client, Receiver<String>), Box<dyn Error>> {
    let (sender, exposures) = channel();
    let client = Client::builder("sdk-browser")
        .api_host(server.url())
        .cache(MemoryCache::new(DEFAULT_MEMORY_CACHE_ENTRIES))
        .refresh(Refresh::Manual)
        .deduplicate_exposures(ExposureDeduplication::Off)
        .on_experiment_viewed(move |viewed| {
            let value = viewed.hash_value_text();
            let _ =
                sender.send(format!("{value} {}={}", viewed.experiment.key(), viewed.result.key));
        })
        .start()?;
    client.wait_ready(PATIENCE)?;
    Ok((client, exposures))
}

fn visits(
    server: &FeaturesServer,
    client: &Client,
    exposures: &Receiver<String>,
    address: &str,
) -> Result<(), Box<dyn Error>> {
    let mut visitor = Visitor::start(address)?;
    let first = visitor.visit("/?utm_source=mail")?;
    let id = check(&first, "a new user")?;
    check_exposures(&first, exposures, &id, &["button-color-test", "later-test"])?;

    // The weights change, and the user keeps both variations.
    server.set_payload(&payload([1, 0]));
    client.refresh()?;
    let second = visitor.visit("/?utm_source=mail")?;
    expect(&check(&second, "a returning user")?, &id, "the id stays")?;
    check_exposures(&second, exposures, &id, &["button-color-test", "later-test"])?;
    for feature in ["button-color", "later"] {
        let result = &second["found"][feature]["experimentResult"];
        expect(&result["stickyBucketUsed"], &json!(true), "the browser reads the cookie")?;
        expect(&result["key"], &json!("second"), "the variation stays")?;
    }

    // A developer forces a value and a variation. A forced variation is not an exposure.
    let third = visitor.visit(&format!("/?utm_source=mail&_gbdebug={FORCED}"))?;
    check(&third, "a developer")?;
    expect(&third["found"]["max-items"]["value"], &json!(5), "the forced value")?;
    expect(&third["found"]["later"]["value"], &json!(1), "the forced variation")?;
    check_exposures(&third, exposures, &id, &["button-color-test"])?;
    let events: Value = serde_json::from_str(third["events"].as_str().unwrap_or_default())?;
    expect(&events["sdkInfo"]["clientKey"], &json!("sdk-browser"), "the log for devtools")?;
    visitor.close()
}

/// Compares what the service and the browser have found. Returns the user's id.
fn check(visit: &Value, user: &str) -> Result<String, Box<dyn Error>> {
    expect(&visit["errors"], &json!([]), "the page has no errors")?;
    expect(&visit["version"], &json!(SDK_VERSION), "the version of the SDK")?;
    let rendered = visit["rendered"].as_object().ok_or("the page has no flags")?;
    for (key, ours) in rendered {
        let theirs = &visit["found"][key];
        let theirs = json!([theirs["value"], theirs["experimentResult"]["key"]]);
        expect(&theirs, ours, &format!("the value and the variation of {key}"))?;
    }
    let found = visit["found"].as_object().map_or(0, |found| found.len());
    expect(&found, &rendered.len(), "the number of flags")?;
    // The conditions are meant to hold, so that the comparison is not one of defaults.
    let on = ["new-checkout", "browser", "host", "path", "campaign", "known", "group"];
    for key in on {
        expect(&rendered[key][0], &json!(true), key)?;
    }
    expect(&rendered["abroad"][0], &json!(false), "abroad")?;
    expect(&visit["attributes"]["country"], &Value::Null, "the browser does not get the country")?;
    expect(&visit["button"], &visit["found"]["button-color"]["value"], "the color of the page")?;

    let id = visit["cookies"]["gbuuid"].as_str().ok_or("the browser has no id")?.to_owned();
    expect(&visit["attributes"]["id"], &json!(id), "the id")?;
    check_cookie(visit, &id)?;
    println!("{user}: both SDKs agree on {} flags", rendered.len());
    Ok(id)
}

/// Compares the document in the cookie with that of the browser's SDK.
fn check_cookie(visit: &Value, id: &str) -> Result<(), Box<dyn Error>> {
    let key = format!("id||{id}");
    let expected = json!({
        "attributeName": "id", "attributeValue": id,
        "assignments": {"button-color-test__0": "second", "later-test__0": "second"},
    });
    expect(&visit["documents"][&key], &expected, "the document of the browser's SDK")?;
    let name = format!("gbStickyBuckets__{key}");
    let cookie = visit["cookies"][&name].as_str().ok_or("the browser has no sticky cookie")?;
    let buckets = growthbook::sticky::read_cookies([format!("{name}={cookie}").as_str()]);
    let document = buckets.get("id", id).ok_or("the sticky cookie cannot be read")?;
    expect(&serde_json::to_value(document)?, &expected, "the document in the cookie")
}

/// Checks that the exposures of these experiments were reported once, by the browser.
fn check_exposures(
    visit: &Value,
    exposures: &Receiver<String>,
    id: &str,
    experiments: &[&str],
) -> Result<(), Box<dyn Error>> {
    expect(&visit["reports"], &json!(experiments.len()), "the number of reports of the browser")?;
    let mut reported: Vec<String> = exposures.try_iter().collect();
    reported.sort();
    let expected = experiments.iter().map(|key| format!("{id} {key}=second"));
    expect(&reported, &expected.collect(), "the reported exposures")?;
    println!("each exposure is reported once: {}", reported.len());
    Ok(())
}

fn expect<T: PartialEq + std::fmt::Debug>(
    found: &T,
    expected: &T,
    what: &str,
) -> Result<(), Box<dyn Error>> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}:\nfound    {found:?}\nexpected {expected:?}").into())
}
