//! Remote evaluation: clients that let a server evaluate.

mod answers;
mod asking;
mod changes;
mod closing;
mod failures;

use std::time::Duration;

use growthbook::fetch::FetchErrorKind;
use growthbook::remote::RemoteUser;
use growthbook::remote_eval::{RemoteEvalError, RemoteEvalRequest};
use growthbook::{Client, ClientBuilder, Refresh, Remote, RemoteClient};
use serde_json::{Value, json};
use test_server::FeaturesServer;

use crate::logs;
use crate::support::{KEY, PATIENCE};

/// A server that evaluates a payload for each user.
struct Evaluating {
    server: FeaturesServer,
    /// Evaluates for the server.
    client: Client,
}

impl Evaluating {
    /// Starts a server whose flag has this value for users of the plan "pro", and 0 for others.
    fn start(value: i64) -> Self {
        let client = Client::from_json(rules(value)).unwrap();
        let server = FeaturesServer::start("{}");
        let evaluating = client.clone();
        server.evaluate_with(move |body| match RemoteEvalRequest::from_json(body) {
            Ok(request) => (200, evaluating.remote_eval(&request).to_json_string()),
            Err(error) => (error.status(), RemoteEvalError::INVALID_INPUT.into()),
        });
        Evaluating { server, client }
    }

    /// Changes the flag's value for users of the plan "pro".
    fn set(&self, value: i64) {
        self.client.set_payload(rules(value)).unwrap();
    }

    /// A client of this server, whose answers are fresh for the whole test.
    fn builder(&self) -> ClientBuilder<Remote> {
        at(&self.server.url())
    }

    /// A client that also follows the stream. Opening it makes answers stale once.
    fn streaming(&self) -> ClientBuilder<Remote> {
        self.builder().fetch_options(|options| options.refresh(Refresh::Stream))
    }

    fn evals(&self) -> usize {
        self.server.counts().evals
    }
}

fn at(url: &str) -> ClientBuilder<Remote> {
    const FOREVER: Duration = Duration::from_secs(1_000_000);
    logs::capture();
    Client::remote_builder(KEY)
        .api_host(url)
        .fallback(r#"{"features":{"flag":{"defaultValue":-7}}}"#)
        .fetch_options(|options| options.refresh(Refresh::Manual))
        .remote_options(|options| options.soft_ttl(FOREVER).hard_ttl(FOREVER))
}

fn rules(value: i64) -> String {
    json!({"features": {"flag": {"defaultValue": 0, "rules": [
        {"condition": {"plan": "pro"}, "force": value}
    ]}}})
    .to_string()
}

/// A user of the plan "pro".
fn pro(id: impl Into<Value>) -> Value {
    json!({"id": id.into(), "plan": "pro"})
}

/// Returns the flag of a user, whom the client waits for.
#[track_caller]
fn flag(remote: &RemoteClient, user: Value) -> i64 {
    value(&remote.wait_for_user(user, PATIENCE))
}

/// Returns the flag of a user: -7 if there is no answer.
fn value(user: &RemoteUser) -> i64 {
    user.scope.feature_value("flag", -1)
}

/// Returns the kind of the user's error.
fn kind(user: &RemoteUser) -> Option<FetchErrorKind> {
    user.error.as_ref().and_then(|error| error.cause.as_ref()).map(|cause| cause.kind())
}
