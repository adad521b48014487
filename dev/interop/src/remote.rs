//! Remote evaluation: our client asks GrowthBook's server, and the JavaScript SDK asks ours.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use growthbook::remote_eval::RemoteEvalRequest;
use growthbook::{Client, ClientBuilder, UserContext, UserScope};
use serde_json::{Value, json};
use test_server::FeaturesServer;

use crate::{deferred, script};

const CLIENT_KEY: &str = "sdk-abc123";
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    ask_growthbooks_server()?;
    answer_javascript()
}

/// Our client gets from GrowthBook's server what it evaluates itself.
fn ask_growthbooks_server() -> Result<(), Box<dyn Error>> {
    let payload = deferred::payload();
    let mut server = NodeServer::start(&payload)?;
    let (builder, remote_exposures) = exposures_of(Client::remote_builder(CLIENT_KEY));
    let remote = builder.api_host(&server.url).start()?;
    let (builder, local_exposures) = exposures_of(Client::embedded());
    let local = builder.payload(payload.to_string()).build()?;

    let users = users();
    for user in &users {
        let answered = remote.wait_for_user(context(user), PATIENCE);
        if let Some(error) = answered.error {
            return Err(format!("no answer for {user}: {error}").into());
        }
        // GrowthBook's server does not know contextual bandits: it gives the feature's default.
        let features: Vec<&str> =
            deferred::FEATURES.into_iter().filter(|feature| *feature != "bandit").collect();
        let found = (values(&answered.scope, &features), remote_exposures.take());
        let local = local.for_user(context(user));
        let mut expected = (values(&local, &features), local_exposures.take());
        if user.get("forcedVariations").is_some() {
            // A server sends forced variations as exposures.
            expected.1.clone_from(&found.1);
        }
        if found != expected {
            return Err(format!("{user}:\nremote {found:?}\nlocal  {expected:?}").into());
        }
    }
    println!("remote evaluation: {} users have GrowthBook's answers", users.len());

    // The stream announces the change.
    let start = Instant::now();
    while remote.status().counters.streams_opened == 0 {
        if start.elapsed() > PATIENCE {
            return Err("no stream".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    server.change(&json!({"features": {"rule": {"defaultValue": "changed"}}}))?;
    let changed = || {
        let user = remote.wait_for_user("u", PATIENCE);
        user.scope.feature_value("rule", String::new()) == "changed"
    };
    while !changed() {
        if start.elapsed() > PATIENCE {
            return Err("the change was not announced".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("remote evaluation: GrowthBook's server announces a change");
    Ok(())
}

/// The JavaScript SDK gets from our server what it evaluates itself.
fn answer_javascript() -> Result<(), Box<dyn Error>> {
    let payload = deferred::payload();
    let server = FeaturesServer::start("{}");
    server.set_streaming(false);
    let client = Client::from_json(payload.to_string())?;
    server.evaluate_with(move |body| match RemoteEvalRequest::from_json(body) {
        Ok(request) => (200, client.remote_eval(&request).to_json_string()),
        Err(error) => (error.status(), error.to_string()),
    });
    let users = users();
    let question = json!({
        "host": server.url(), "clientKey": CLIENT_KEY, "payload": payload, "users": users,
        "features": deferred::FEATURES,
    });
    let answers = script::javascript("remote_client.mjs", &question)?;
    let list = |name: &str| answers[name].as_array().cloned().unwrap_or_default();
    let (remote, local) = (list("remote"), list("local"));
    if remote.len() != users.len() || server.counts().evals != users.len() {
        return Err(format!("{} answers to {} users", remote.len(), users.len()).into());
    }
    for ((user, remote), mut local) in users.iter().zip(remote).zip(local) {
        if user.get("forcedVariations").is_some() {
            local["exposures"] = remote["exposures"].clone();
        }
        if remote != local || remote["success"] != true {
            return Err(format!("{user}:\nremote {remote}\nlocal  {local}").into());
        }
    }
    println!("remote evaluation: the JavaScript SDK has our answers for {} users", users.len());
    Ok(())
}

/// The users of deferred calls, and some with forced values.
fn users() -> Vec<Value> {
    let mut users = deferred::users();
    users.extend((0..50).map(|id| json!({"attributes": {"id": id, "plan": "pro"}, "url": ""})));
    users.push(json!({
        "attributes": {"id": "forced"}, "url": "",
        "forcedVariations": {"rule-exp": 1, "parent-exp": 0},
    }));
    users
}

fn context(user: &Value) -> UserContext {
    let forced = user["forcedVariations"].as_object().into_iter().flatten();
    UserContext::from(user["attributes"].clone())
        .url(user["url"].as_str().unwrap_or_default())
        .forced_variations(forced.filter_map(|(key, index)| Some((&**key, index.as_i64()?))))
}

fn values(scope: &UserScope<'_>, features: &[&str]) -> Vec<Value> {
    features.iter().map(|feature| scope.eval_feature(*feature).value().clone()).collect()
}

/// The exposures that were reported, each with its experiment and variation.
#[derive(Clone, Default)]
struct Exposures(Arc<Mutex<BTreeSet<String>>>);

impl Exposures {
    fn take(&self) -> BTreeSet<String> {
        self.0.lock().map(|mut exposures| std::mem::take(&mut *exposures)).unwrap_or_default()
    }
}

fn exposures_of<K>(builder: ClientBuilder<K>) -> (ClientBuilder<K>, Exposures) {
    let exposures = Exposures::default();
    let seen = exposures.clone();
    let builder = builder.on_experiment_viewed(move |viewed| {
        if let Ok(mut exposures) = seen.0.lock() {
            let variation = viewed.result.variation_id;
            exposures.insert(format!("{}: {variation}", viewed.experiment.key()));
        }
    });
    (builder, exposures)
}

/// A server in Node that evaluates with GrowthBook's package. Dropping it ends it.
struct NodeServer {
    process: Child,
    url: String,
}

impl NodeServer {
    fn start(payload: &Value) -> Result<Self, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("javascript/remote_server.mjs");
        let mut node = Command::new("node");
        let process = node.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut server = NodeServer { process, url: String::new() };
        server.change(payload)?;
        let mut port = String::new();
        let output = server.process.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut port)?;
        server.url = format!("http://127.0.0.1:{}", port.trim());
        Ok(server)
    }

    /// Replaces the payload.
    fn change(&mut self, payload: &Value) -> Result<(), Box<dyn Error>> {
        let input = self.process.stdin.as_mut().ok_or("no input")?;
        writeln!(input, "{payload}")?;
        Ok(())
    }
}

impl Drop for NodeServer {
    fn drop(&mut self) {
        // It ends with its input as well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
