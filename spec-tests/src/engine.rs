//! The ways to evaluate: with the core, with the facade's client, and in another program.

use growthbook::{Client, ClientBuilder, Embedded, UserScope};
use growthbook_core::auto::{AutoExperimentChange, AutoExperimentOptions, AutoExperimentResult};
use growthbook_core::condition::Condition;
use growthbook_core::remote_eval::RemoteEvalRequest;
use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use growthbook_core::{Experiment, GlobalContext, Payload, Snapshot, UserContext};
use serde_json::{Value, json};

use crate::case::{Mismatch, members};
use crate::functions;
use crate::reduction::Reduction;
use crate::remote::Remote;

/// The context of a case.
pub(crate) struct Context {
    /// The context's own JSON.
    pub(crate) text: String,
    /// The payload's document.
    pub(crate) payload: String,
    /// The members of the context that are not sections of the payload.
    pub(crate) settings: String,
    enabled: bool,
    qa_mode: bool,
    user: UserContext,
}

/// The sections of a payload that a context may contain.
const SECTIONS: [&str; 4] = ["features", "savedGroups", "experiments", "contextualBandits"];

impl Context {
    pub(crate) fn parse(text: &str) -> Result<Self, Mismatch> {
        let shape = |error: serde_json::Error| Mismatch::Shape(format!("context: {error}"));
        let members = members(text).map_err(shape)?;
        let member = |name: &str| {
            members.iter().find(|(member, _)| member == name).map(|(_, value)| value.get())
        };
        let sections: Vec<String> = SECTIONS
            .iter()
            .filter_map(|section| {
                let default = (*section == "features").then_some("{}");
                let text = member(section).or(default)?;
                Some(format!("{section:?}:{text}"))
            })
            .collect();
        let settings: Vec<String> = members
            .iter()
            .filter(|(name, _)| !SECTIONS.contains(&name.as_str()))
            .map(|(name, value)| format!("{}:{value}", json!(name)))
            .collect();
        let mut user = match member("attributes") {
            Some(text) => UserContext::from_attributes(
                growthbook_core::Attributes::from_json(text).map_err(shape)?,
            ),
            None => UserContext::default(),
        };
        let value = |name: &str| -> Result<Value, Mismatch> {
            member(name).map_or(Ok(Value::Null), |text| serde_json::from_str(text).map_err(shape))
        };
        if let Some(url) = value("url")?.as_str() {
            user = user.url(url);
        }
        if let Value::Array(ids) = value("remoteGroupIds")? {
            user = user.remote_group_ids(ids);
        }
        if let Value::Object(variations) = value("forcedVariations")? {
            for (key, index) in variations {
                if !index.is_null() {
                    user = user.forced_variation(key, whole(&index).unwrap_or(-1));
                }
            }
        }
        Ok(Context {
            text: text.to_owned(),
            payload: format!("{{{}}}", sections.join(",")),
            settings: format!("{{{}}}", settings.join(",")),
            enabled: value("enabled")? != json!(false),
            qa_mode: is_truthy(&value("qaMode")?),
            user,
        })
    }

    /// Returns a context for conditions: it has only attributes and saved groups.
    pub(crate) fn of_condition(
        attributes: &str,
        saved_groups: Option<&str>,
    ) -> Result<Self, Mismatch> {
        let groups = saved_groups.unwrap_or("{}");
        Context::parse(&format!(r#"{{"attributes":{attributes},"savedGroups":{groups}}}"#))
    }

    /// Whether a search for a pattern of the condition reaches its step limit.
    pub(crate) fn reaches_step_limit(&self, condition: &str) -> bool {
        let rule = format!(r#"{{"condition":{condition},"force":1}}"#);
        let payload = format!(r#"{{"features":{{"f":{{"rules":[{rule}]}}}}}}"#);
        let snapshot = Payload::from_json(payload).map(|payload| payload.compile());
        snapshot.is_ok_and(|snapshot| {
            snapshot.for_user(&self.user).is_on("f");
            !snapshot.evaluation_warnings().is_empty()
        })
    }
}

/// Reads a whole number, as in `1` or `1.0`.
fn whole(value: &Value) -> Option<i64> {
    let number = value.as_f64()?;
    (number.fract() == 0.0).then_some(number as i64)
}

/// Whether JavaScript treats the value as true.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// A way to evaluate cases.
pub(crate) trait Engine {
    fn name(&self) -> &'static str;
    fn eval_condition(&self, context: &Context, condition: &str) -> Result<Value, Mismatch>;
    /// Returns the rest of the condition after the context's attributes decide their parts.
    fn prune_condition(&self, context: &Context, condition: &str) -> Result<Value, Mismatch>;
    /// Returns the reduced payload.
    fn reduce_payload(&self, reduction: &Reduction) -> Result<Value, Mismatch>;
    fn eval_feature(&self, context: &Context, key: &str) -> Result<Value, Mismatch>;
    /// Returns the FeatureResult with sticky bucketing, and the user's documents after it, by key.
    fn eval_sticky(
        &self,
        context: &Context,
        stored: &[StickyBucketDocument],
        key: &str,
    ) -> Result<(Value, Value), Mismatch>;
    /// Returns the ExperimentResult.
    fn run(&self, context: &Context, experiment: &str) -> Result<Value, Mismatch>;
    /// Returns the payload that answers a remote client. Other programs do not answer this.
    fn remote_eval(
        &self,
        payload: &str,
        request: &RemoteEvalRequest,
        buckets: Option<&mut StickyBuckets>,
    ) -> Result<Value, Mismatch> {
        let _ = (payload, request, buckets);
        Err(Mismatch::Unsupported)
    }
    /// Returns the redirects of the payload's auto experiments.
    fn redirects(&self, context: &Context) -> Result<Value, Mismatch>;
    /// Returns the result of the pure function that a suite is named after.
    fn function(&self, suite: &str, arguments: &[Value]) -> Result<Value, Mismatch> {
        functions::call(suite, arguments)
    }
}

/// The engines that every case runs on. By default these are the core and the facade.
pub struct Engines(Vec<Box<dyn Engine>>);

impl Default for Engines {
    fn default() -> Self {
        Engines(vec![Box::new(Core), Box::new(Facade)])
    }
}

impl From<Remote> for Engines {
    fn from(program: Remote) -> Self {
        Engines(vec![Box::new(program)])
    }
}

impl Engines {
    /// Runs the test on each engine, until one fails.
    pub(crate) fn try_each(
        &self,
        test: impl Fn(&dyn Engine) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        self.0.iter().try_for_each(|engine| test(&**engine))
    }
}

pub(crate) struct Core;
struct Facade;

fn shape(error: impl std::fmt::Display) -> Mismatch {
    Mismatch::Shape(error.to_string())
}

/// Parses a condition. No user passes a condition that is not an object.
fn condition(text: &str) -> Condition {
    Condition::from_json(text).unwrap_or_else(|_| Condition::from(Value::Null))
}

/// Returns the documents by key, as in `{"id||1": {...}}`.
fn by_key(buckets: &StickyBuckets) -> Result<Value, Mismatch> {
    let documents = buckets
        .iter()
        .map(|document| Ok((document.key().to_string(), json_of(document)?)))
        .collect::<Result<serde_json::Map<_, _>, Mismatch>>()?;
    Ok(Value::Object(documents))
}

/// A store with the documents of a case. It ignores saves.
struct Stored(Vec<StickyBucketDocument>);

impl StickyBucketStore for Stored {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        Ok(self.0.iter().filter(|document| keys.contains(&document.key())).cloned().collect())
    }

    fn save(&self, _document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        Ok(())
    }
}

fn json_of(result: &impl serde::Serialize) -> Result<Value, Mismatch> {
    serde_json::to_value(result).map_err(shape)
}

fn json_of_document(payload: &Payload) -> Result<Value, Mismatch> {
    serde_json::from_str(&payload.to_json_string()).map_err(shape)
}

impl Core {
    fn snapshot(context: &Context) -> Result<(Snapshot, GlobalContext), Mismatch> {
        let payload = Payload::from_json(&context.payload).map_err(shape)?;
        let globals = GlobalContext::new().enabled(context.enabled).qa_mode(context.qa_mode);
        Ok((payload.compile(), globals))
    }
}

impl Engine for Core {
    fn name(&self) -> &'static str {
        "core"
    }

    fn eval_condition(&self, context: &Context, text: &str) -> Result<Value, Mismatch> {
        let (snapshot, globals) = Core::snapshot(context)?;
        let gb = snapshot.for_user_with(&globals, &context.user);
        Ok(gb.eval_condition(&condition(text)).into())
    }

    fn prune_condition(&self, context: &Context, text: &str) -> Result<Value, Mismatch> {
        let (snapshot, _) = Core::snapshot(context)?;
        let known = context.user.attributes();
        json_of(&growthbook_core::reduce::prune_condition(known, &condition(text), &snapshot))
    }

    fn reduce_payload(&self, reduction: &Reduction) -> Result<Value, Mismatch> {
        let payload = Payload::from_json(&reduction.payload).map_err(shape)?;
        json_of_document(&growthbook_core::reduce::reduce_payload(&payload, &reduction.options))
    }

    fn eval_feature(&self, context: &Context, key: &str) -> Result<Value, Mismatch> {
        let (snapshot, globals) = Core::snapshot(context)?;
        json_of(&snapshot.for_user_with(&globals, &context.user).eval_feature(key))
    }

    fn eval_sticky(
        &self,
        context: &Context,
        stored: &[StickyBucketDocument],
        key: &str,
    ) -> Result<(Value, Value), Mismatch> {
        let (snapshot, globals) = Core::snapshot(context)?;
        let gb = snapshot.for_user_with(&globals, &context.user);
        let mut buckets = Stored(stored.to_vec()).get_all(&gb.sticky_keys()).map_err(shape)?;
        let result = json_of(&gb.sticky(&mut buckets).eval_feature(key))?;
        Ok((result, by_key(&buckets)?))
    }

    fn run(&self, context: &Context, experiment: &str) -> Result<Value, Mismatch> {
        let (snapshot, globals) = Core::snapshot(context)?;
        let experiment = Experiment::from_json(experiment).map_err(shape)?;
        json_of(&snapshot.for_user_with(&globals, &context.user).run(&experiment))
    }

    fn remote_eval(
        &self,
        payload: &str,
        request: &RemoteEvalRequest,
        buckets: Option<&mut StickyBuckets>,
    ) -> Result<Value, Mismatch> {
        let payload = Payload::from_json(payload).map_err(shape)?;
        let snapshot = payload.compile();
        let gb = snapshot.for_user(request.user());
        json_of_document(&match buckets {
            Some(buckets) => gb.sticky(buckets).remote_eval(&payload),
            None => gb.remote_eval(&payload),
        })
    }

    fn redirects(&self, context: &Context) -> Result<Value, Mismatch> {
        let (snapshot, globals) = Core::snapshot(context)?;
        let gb = snapshot.for_user_with(&globals, &context.user);
        Ok(redirects(&gb.run_auto_experiments(&AutoExperimentOptions::new())))
    }
}

/// Returns the redirects of auto experiments, in the shape that the suite `urlRedirect` expects.
fn redirects(results: &[AutoExperimentResult<'_>]) -> Value {
    let redirect = |result: &AutoExperimentResult<'_>| match &result.change {
        AutoExperimentChange::Redirect { url_redirect, url_with_params } => Some(json!({
            "inExperiment": result.result.in_experiment,
            "urlRedirect": url_redirect,
            "urlWithParams": url_with_params,
        })),
        _ => None,
    };
    results.iter().filter_map(redirect).collect()
}

impl Facade {
    fn scope(context: &Context) -> Result<UserScope<'static>, Mismatch> {
        Facade::scope_of(Client::embedded(), context)
    }

    fn scope_of(
        builder: ClientBuilder<Embedded>,
        context: &Context,
    ) -> Result<UserScope<'static>, Mismatch> {
        let client = builder
            .payload(context.payload.as_str())
            .enabled(context.enabled)
            .qa_mode(context.qa_mode)
            .on_experiment_viewed(|_| {})
            .on_feature_usage(|_| {})
            .build()
            .map_err(shape)?;
        Ok(client.for_user(context.user.clone()))
    }
}

impl Engine for Facade {
    fn name(&self) -> &'static str {
        "facade"
    }

    fn eval_condition(&self, context: &Context, text: &str) -> Result<Value, Mismatch> {
        Ok(Facade::scope(context)?.eval_condition(&condition(text)).into())
    }

    fn prune_condition(&self, context: &Context, text: &str) -> Result<Value, Mismatch> {
        let client = Client::from_json(&context.payload).map_err(shape)?;
        let known = context.user.attributes();
        json_of(&growthbook::reduce::prune_condition(known, &condition(text), &client.snapshot()))
    }

    fn reduce_payload(&self, reduction: &Reduction) -> Result<Value, Mismatch> {
        let client = Client::from_json(&reduction.payload).map_err(shape)?;
        json_of_document(&growthbook::reduce::reduce_payload(&client.payload(), &reduction.options))
    }

    fn eval_feature(&self, context: &Context, key: &str) -> Result<Value, Mismatch> {
        json_of(&Facade::scope(context)?.eval_feature(key))
    }

    fn eval_sticky(
        &self,
        context: &Context,
        stored: &[StickyBucketDocument],
        key: &str,
    ) -> Result<(Value, Value), Mismatch> {
        let builder = Client::embedded().sticky_bucket_store(Stored(stored.to_vec()));
        let gb = Facade::scope_of(builder, context)?;
        let result = json_of(&gb.eval_feature(key))?;
        Ok((result, by_key(&gb.sticky_buckets().unwrap_or_default())?))
    }

    fn run(&self, context: &Context, experiment: &str) -> Result<Value, Mismatch> {
        let experiment = Experiment::from_json(experiment).map_err(shape)?;
        json_of(&Facade::scope(context)?.run(&experiment))
    }

    fn remote_eval(
        &self,
        payload: &str,
        request: &RemoteEvalRequest,
        buckets: Option<&mut StickyBuckets>,
    ) -> Result<Value, Mismatch> {
        let client = Client::from_json(payload).map_err(shape)?;
        json_of_document(&match buckets {
            Some(buckets) => client.remote_eval_with_sticky(request, buckets),
            None => client.remote_eval(request),
        })
    }

    fn redirects(&self, context: &Context) -> Result<Value, Mismatch> {
        let gb = Facade::scope(context)?;
        Ok(redirects(&gb.run_auto_experiments(&AutoExperimentOptions::new())))
    }
}
