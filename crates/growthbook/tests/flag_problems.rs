//! Flags that are unknown or have another type: the log has each once, plugins receive each problem.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::sync::{Arc, Mutex, Once};
use std::thread;

use growthbook::tracking::{FlagProblem, FlagProblemKind, Plugin};
use growthbook::{Client, FeatureKey};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::json;

thread_local! {
    /// The warnings of this thread.
    static WARNINGS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Capture;

impl Log for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "growthbook" && metadata.level() == Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        WARNINGS.with_borrow_mut(|warnings| warnings.push(record.args().to_string()));
    }

    fn flush(&self) {}
}

fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Capture).unwrap();
        log::set_max_level(LevelFilter::Warn);
    });
}

fn client() -> Client {
    capture();
    Client::embedded()
        .features(json!({
            "checkout": {"defaultValue": true},
            "max-items": {"defaultValue": 25},
            "rules-only": {"rules": []},
        }))
        .build()
        .unwrap()
}

#[test]
fn unknown_flag_warns_once_with_the_nearest_key() {
    let client = client();
    static KEY: FeatureKey = FeatureKey::new("max_item");
    for user in ["a", "b"] {
        let gb = client.for_user(user);
        assert!(!gb.is_on("chekout"));
        assert!(gb.is_off("chekout"));
        assert_eq!(gb.feature_value("chekout", 3), 3);
        assert_eq!(gb.eval_feature("chekout").value(), &json!(null));
        assert_eq!(gb.feature_value(&KEY, 3), 3);
        gb.is_on("banner");
        // Not problems: a flag without a value, and a known flag that is off.
        assert_eq!(gb.feature_value("rules-only", 3), 3);
        assert!(gb.is_off("rules-only"));
    }
    assert_eq!(
        WARNINGS.take(),
        [
            r#"feature "chekout" is not in the payload: did you mean "checkout"?"#,
            r#"feature "max_item" is not in the payload: did you mean "max-items"?"#,
            "feature \"banner\" is not in the payload: check its key, and the projects and the \
             environment of the SDK connection",
        ]
    );
}

#[test]
fn value_of_another_type_warns_once() {
    let client = client();
    for user in ["a", "b"] {
        let gb = client.for_user(user);
        assert!(!gb.feature_value("max-items", false));
        assert_eq!(gb.feature_value("max-items", "many"), "many");
        assert_eq!(gb.feature_value("max-items", 1), 25);
    }
    assert_eq!(
        WARNINGS.take(),
        [
            "feature \"max-items\" has a number, but the code asks for bool, so it gets the fallback: \
          ask for another type, or change the value in GrowthBook"
        ]
    );
}

#[test]
fn forced_flag_is_not_unknown() {
    let client = client();
    client.set_forced_features([("chekout", json!(true))]);
    assert!(client.for_user("a").is_on("chekout"));
    assert!(WARNINGS.take().is_empty());
}

#[test]
fn missing_payload_does_not_warn() {
    capture();
    let client = Client::embedded().build().unwrap();
    client.for_user("a").is_on("checkout");
    assert!(WARNINGS.take().is_empty());
    client.set_payload(r#"{"features": {}}"#).unwrap();
    client.for_user("a").is_on("checkout");
    assert_eq!(WARNINGS.take().len(), 1);
}

#[test]
fn memory_of_warnings_is_bounded() {
    let client = client();
    let gb = client.for_user("a");
    let ask = || {
        (0..20_000).for_each(|index| {
            gb.is_on(&*format!("flag-{index}"));
        })
    };
    ask();
    let warnings = WARNINGS.take().len();
    assert!((500..=1_024).contains(&warnings), "{warnings}");
    // The same ones stay known.
    gb.is_on("flag-0");
    assert!(WARNINGS.take().is_empty());
}

#[test]
fn threads_warn_once_together() {
    let client = client();
    let warnings: usize = thread::scope(|scope| {
        let ask = || {
            for _ in 0..100 {
                client.for_user("a").is_on("chekout");
            }
            WARNINGS.take().len()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(warnings, 1);
}

#[derive(Clone, Default)]
struct Problems(Arc<Mutex<Vec<String>>>);

impl Plugin for Problems {
    fn wants_exposures(&self) -> bool {
        false
    }

    fn wants_flag_problems(&self) -> bool {
        true
    }

    fn flag_problem(&self, problem: &FlagProblem<'_>) {
        let text = match problem.kind {
            FlagProblemKind::UnknownFeature { nearest } => format!("{} {nearest:?}", problem.key),
            FlagProblemKind::WrongType { expected, value } => {
                format!("{} {expected} {value}", problem.key)
            }
            _ => format!("{problem:?}"),
        };
        self.0.lock().unwrap().push(text);
    }
}

#[test]
fn plugins_receive_each_problem() {
    let (of_client, of_scope) = (Problems::default(), Problems::default());
    let client = client();
    client.subscribe(of_client.clone()).keep();
    let gb = client.for_user("a").with_plugin(of_scope.clone());
    gb.is_on("chekout");
    gb.is_on("chekout");
    gb.feature_value("max-items", true);
    client.for_user("b").is_on("chekout");
    let unknown = "chekout Some(\"checkout\")";
    assert_eq!(*of_scope.0.lock().unwrap(), [unknown, unknown, "max-items bool 25"]);
    assert_eq!(of_client.0.lock().unwrap().len(), 4);
}
