//! Payloads: the Redis cache from the Python SDK's documentation, and our cache.

use std::error::Error;
use std::time::Duration;

use growthbook::cache::RedisCache;
use growthbook::{Client, PayloadSource, Refresh, redis};
use serde_json::{Value, json};
use test_server::FeaturesServer;
use test_server::redis::RedisServer;

use crate::script;

const CLIENT_KEY: &str = "sdk-interop";
const DECRYPTION_KEY: &str = "Zvwv/+uhpFDznZ6SX28Yjg==";
/// `{"feature":{"defaultValue":true}}`
const ENCRYPTED: &str = concat!(
    r#"{"features":{},"encryptedFeatures":"m5ylFM6ndyOJA2OPadubkw==."#,
    r#"Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj"}"#
);
const FEATURES: [&str; 4] = ["greeting", "limit", "colour", "feature"];

fn plain() -> String {
    json!({
        "status": 200,
        "dateUpdated": "2026-01-01T00:00:00.000Z",
        "features": {
            "greeting": {"defaultValue": "hello", "rules": [
                {"condition": {"country": "日本"}, "force": "こんにちは"},
                {"condition": {"id": {"$inGroup": "insiders"}}, "force": "psst"},
            ]},
            "limit": {"defaultValue": 1.5, "rules": [
                {"hashAttribute": "id", "hashVersion": 2, "coverage": 0.5, "force": 100},
            ]},
            "colour": {"defaultValue": null, "rules": [
                {"key": "colours", "seed": "s", "hashAttribute": "id", "hashVersion": 2,
                 "variations": ["red", "grün", {"hex": "#00f"}], "weights": [0.3, 0.3, 0.4]},
            ]},
        },
        "savedGroups": {"insiders": ["ünal", 42]},
    })
    .to_string()
}

fn users() -> Vec<Value> {
    let mut users: Vec<Value> = (0..20).map(|id| json!({"id": format!("user-{id}")})).collect();
    users.extend([
        json!({"id": 42}),
        json!({"id": 42.5, "country": "日本"}),
        json!({"id": "ünal"}),
        json!({"id": "", "country": "日本"}),
        json!({}),
    ]);
    users
}

pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    python_reads_ours("plain", &plain())?;
    we_read_pythons("plain", &plain())?;
    python_reads_ours("encrypted, shared in clear", ENCRYPTED)?;
    we_read_pythons("encrypted", ENCRYPTED)
}

/// We fetch the payload, and the server stops. Then the Python SDK must find it in Redis.
fn python_reads_ours(what: &str, payload: &str) -> Result<(), Box<dyn Error>> {
    let (mut server, redis) = (FeaturesServer::start(payload), RedisServer::start());
    let client = client(&server, &redis)?;
    client.wait_ready(Duration::from_secs(10))?;
    let requests = server.counts().requests;
    server.stop();
    let theirs = python(&server, &redis)?;
    compare(&client, &theirs)?;
    same(&server.counts().requests, &requests, "requests")?;
    println!("payloads: {what}: the Python SDK reads our payload");
    Ok(())
}

/// The Python SDK fetches the payload, and the server stops. Then we must find it in Redis.
fn we_read_pythons(what: &str, payload: &str) -> Result<(), Box<dyn Error>> {
    let (mut server, redis) = (FeaturesServer::start(payload), RedisServer::start());
    let theirs = python(&server, &redis)?;
    server.stop();
    let client = client(&server, &redis)?;
    same(&client.status().source, &Some(PayloadSource::Cache), "source")?;
    compare(&client, &theirs)?;
    println!("payloads: {what}: we read the payload of the Python SDK");
    Ok(())
}

fn client(server: &FeaturesServer, redis: &RedisServer) -> Result<Client, Box<dyn Error>> {
    let key = DECRYPTION_KEY.parse::<growthbook::DecryptionKey>()?;
    let cache = RedisCache::new(redis::Client::open(redis.url())?)
        .deadline(Duration::from_secs(2))
        .share_in_clear(key.clone());
    let builder = Client::builder(CLIENT_KEY).api_host(server.url()).decryption_key(key);
    Ok(builder.refresh(Refresh::Manual).cache(cache).start()?)
}

fn python(server: &FeaturesServer, redis: &RedisServer) -> Result<Value, Box<dyn Error>> {
    let question = json!({
        "redis": redis.url(), "apiHost": server.url(), "clientKey": CLIENT_KEY,
        "decryptionKey": DECRYPTION_KEY, "users": users(), "features": FEATURES,
    });
    script::python("payload_cache.py", &question)
}

fn compare(client: &Client, theirs: &Value) -> Result<(), Box<dyn Error>> {
    let mut ours = Vec::new();
    for attributes in users() {
        let scope = client.for_user(attributes);
        let values = FEATURES.map(|key| (key, scope.eval_feature(key).value().clone()));
        ours.push(Value::from_iter(values));
    }
    same(&Value::from(ours), theirs, "values")
}

fn same<T: PartialEq + std::fmt::Debug>(
    ours: &T,
    theirs: &T,
    what: &str,
) -> Result<(), Box<dyn Error>> {
    if ours == theirs {
        return Ok(());
    }
    Err(format!("the {what} differ:\n  ours   {ours:?}\n  theirs {theirs:?}").into())
}
