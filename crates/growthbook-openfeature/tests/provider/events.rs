//! Exposures, logged events, hooks, and evaluations on many threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use growthbook::Client;
use growthbook_openfeature::GrowthBookProvider;
use open_feature::{
    EvaluationContext, EvaluationDetails, EvaluationError, EvaluationErrorCode as Code,
    EvaluationOptions, Hook, HookContext, HookHints, HookWrapper, StructValue, Value as FlagValue,
    async_trait,
};
use serde_json::{Value, json};

use crate::support::{code, flags_of, user};

fn features() -> Value {
    json!({
        "split": {"defaultValue": 0, "rules": [
            {"key": "exp", "variations": [1, 2], "weights": [0, 1]},
        ]},
    })
}

/// A client that counts exposures and uses of features.
fn counting() -> (Client, Arc<[AtomicUsize; 2]>) {
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let (exposures, uses) = (counts.clone(), counts.clone());
    let client = Client::embedded()
        .features(features())
        .on_experiment_viewed(move |_| add(&exposures[0]))
        .on_feature_usage(move |_| add(&uses[1]))
        .build()
        .unwrap();
    (client, counts)
}

fn add(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
}

fn count(counts: &[AtomicUsize; 2]) -> [usize; 2] {
    [counts[0].load(Ordering::Relaxed), counts[1].load(Ordering::Relaxed)]
}

#[tokio::test]
async fn evaluation_reports_one_exposure() {
    let (client, counts) = counting();
    let flags = flags_of(GrowthBookProvider::new(client)).await;
    for (flag_uses, key) in [(1, "a"), (2, "a"), (3, "b")] {
        flags.get_int_details("split", Some(&user(key)), None).await.unwrap();
        let users = if key == "a" { 1 } else { 2 };
        assert_eq!(count(&counts), [users, flag_uses]);
    }
}

#[tokio::test]
async fn error_before_the_evaluation_reports_nothing() {
    let (client, counts) = counting();
    let flags = flags_of(GrowthBookProvider::new(client)).await;
    let result = flags.get_int_value("split", None, None).await;
    assert_eq!(code(result), Some(Code::TargetingKeyMissing));
    assert_eq!(count(&counts), [0, 0]);
}

#[tokio::test]
async fn panic_of_a_callback_does_not_reach_the_caller() {
    let client = Client::embedded()
        .features(features())
        .on_experiment_viewed(|_| std::panic::panic_any("callback"))
        .build()
        .unwrap();
    let flags = flags_of(GrowthBookProvider::new(client)).await;
    assert_eq!(flags.get_int_value("split", Some(&user("u")), None).await.unwrap(), 2);
}

#[tokio::test]
async fn tracked_event_is_logged() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let logged = events.clone();
    let client = Client::embedded()
        .features(features())
        .event_logger(move |event| {
            let id = event.user.id().map(|id| id.into_owned());
            let properties = Value::Object(event.properties.clone());
            logged.lock().unwrap().push((event.name.to_owned(), id, properties));
        })
        .build()
        .unwrap();
    let provider = GrowthBookProvider::new(client);
    let _flags = flags_of(provider.clone()).await;
    let details = StructValue::default().with_field("value", 9.5).with_field("currency", "EUR");
    provider.track("Purchase", &user("user-1"), &details).unwrap();
    let expected = json!({"value": 9.5, "currency": "EUR"});
    let expected = [("Purchase".to_owned(), Some("user-1".to_owned()), expected)];
    assert_eq!(*events.lock().unwrap(), expected);
}

/// Records the stages that it is called for, and adds a field to the context.
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    fn add(&self, stage: String) {
        self.0.lock().unwrap().push(stage);
    }
}

#[async_trait]
impl Hook for Recorder {
    async fn before<'a>(
        &self,
        context: &HookContext<'a>,
        _: Option<&'a HookHints>,
    ) -> Result<Option<EvaluationContext>, EvaluationError> {
        self.add(format!("before {} of {}", context.flag_key, context.provider_metadata.name));
        Ok(Some(user("from-hook")))
    }

    async fn after<'a>(
        &self,
        _: &HookContext<'a>,
        details: &EvaluationDetails<FlagValue>,
        _: Option<&'a HookHints>,
    ) -> Result<(), EvaluationError> {
        self.add(format!("after {:?}", details.value));
        Ok(())
    }

    async fn error<'a>(
        &self,
        _: &HookContext<'a>,
        error: &EvaluationError,
        _: Option<&'a HookHints>,
    ) {
        self.add(format!("error {}", error.code));
    }

    async fn finally<'a>(
        &self,
        _: &HookContext<'a>,
        _: &EvaluationDetails<FlagValue>,
        _: Option<&'a HookHints>,
    ) {
        self.add("finally".into());
    }
}

#[tokio::test]
async fn hooks_see_results_and_errors() {
    let (client, _) = counting();
    let flags = flags_of(GrowthBookProvider::new(client)).await;
    let stages = Arc::new(Mutex::new(Vec::new()));
    let hook = HookWrapper::new(Recorder(stages.clone()));
    let options = EvaluationOptions { hooks: vec![hook], ..EvaluationOptions::default() };
    flags.get_int_value("split", None, Some(&options)).await.unwrap();
    flags.get_int_value("unknown", None, Some(&options)).await.unwrap_err();
    let expected = [
        "before split of growthbook",
        "after Int(2)",
        "finally",
        "before unknown of growthbook",
        "error FLAG_NOT_FOUND",
        "finally",
    ];
    assert_eq!(*stages.lock().unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_agree_while_the_payload_changes() {
    let feature = |value: i64| json!({"flag": {"defaultValue": value}});
    let client = Client::embedded().features(feature(0)).build().unwrap();
    let flags = Arc::new(flags_of(GrowthBookProvider::new(client.clone())).await);
    let tasks = (0..4).map(|task| {
        let flags = flags.clone();
        tokio::spawn(async move {
            let mut last = 0;
            for turn in 0..500 {
                let user = user(&format!("{task}-{turn}"));
                let value = flags.get_int_value("flag", Some(&user), None).await.unwrap();
                assert!(value >= last);
                last = value;
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    for value in 1..=50 {
        client.set_features(&feature(value)).unwrap();
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(flags.get_int_value("flag", None, None).await.unwrap(), 50);
}
