//! GrowthBook's core as a WebAssembly module, without a tool that generates glue code.
//!
//! JavaScript calls the exported functions through `growthbook.mjs`, which has the documentation for
//! its users. A text is passed in through [`input`], and returned through [`output_start`] and
//! [`output_length`]. Snapshots, contexts and keys are kept here, and JavaScript has their numbers
//! ("handles"). A handle that is not valid answers like a payload without features.

mod context;
mod handles;
mod state;

use growthbook_core::auto::{AutoExperimentChange, AutoExperimentOptions};
use growthbook_core::condition::Condition;
use growthbook_core::sticky::{StickyBucketDocument, StickyBuckets};
use growthbook_core::{Evaluator, Experiment, FeatureKey, Payload};
use serde_json::{Value, json};

use crate::context::Context;
use crate::state::{State, with_state};

/// Declares functions that JavaScript can call.
macro_rules! exports {
    ($($(#[$attribute:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block)+) => {$(
        $(#[$attribute])*
        #[expect(unsafe_code, reason = "JavaScript finds the function by its name, which must be unique")]
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $type),*) -> $result $body
    )+};
}

exports! {
    /// Makes room for a text of this length in bytes, and returns where it begins. The next call
    /// reads it.
    fn input(length: usize) -> *mut u8 {
        with_state(|state| state.input(length))
    }

    /// Returns where the text of the last answer begins.
    fn output_start() -> *const u8 {
        with_state(|state| state.output.as_ptr())
    }

    /// Returns the length of the text of the last answer in bytes.
    fn output_length() -> usize {
        with_state(|state| state.output.len())
    }

    /// Compiles a payload: the JSON of the GrowthBook API. Returns 0 if it is not a payload. The
    /// output is the error then, otherwise the list of warnings.
    fn snapshot_new() -> usize {
        with_state(|state| {
            let payload = Payload::from_json(state.take_input());
            let snapshot = payload.map(|payload| payload.compile());
            let snapshot = state.or_error(snapshot);
            let warnings = snapshot.iter().flat_map(|it| it.warnings()).map(ToString::to_string);
            if snapshot.is_some() {
                state.output = Value::from_iter(warnings).to_string();
            }
            snapshot.map_or(0, |snapshot| state.snapshots.add(snapshot))
        })
    }

    /// Frees a snapshot.
    fn snapshot_free(snapshot: usize) -> () {
        with_state(|state| drop(state.snapshots.remove(snapshot)));
    }

    /// Reads a context: the user's attributes, and what the JavaScript SDK has beside them. Returns
    /// 0 if it is not a context. The output is the error then.
    fn context_new() -> usize {
        with_state(|state| {
            let context = Context::from_json(&state.take_input());
            state.or_error(context).map_or(0, |context| state.contexts.add(context))
        })
    }

    /// Frees a context.
    fn context_free(context: usize) -> () {
        with_state(|state| drop(state.contexts.remove(context)));
    }

    /// Keeps the key of a feature that is asked for often.
    fn key_new() -> usize {
        with_state(|state| {
            let key = state.take_input();
            state.keys.add(FeatureKey::from(key))
        })
    }

    /// Frees a key.
    fn key_free(key: usize) -> () {
        with_state(|state| drop(state.keys.remove(key)));
    }

    /// Returns 1 if the feature is on, otherwise 0.
    fn is_on(snapshot: usize, context: usize, key: usize) -> u32 {
        with_state(|state| {
            let on = state.keys.get(key).is_some_and(|key| {
                state.evaluate(snapshot, context, |gb| gb.is_on(key)).unwrap_or(false)
            });
            on.into()
        })
    }

    /// Writes the value of a feature as JSON.
    fn feature_value(snapshot: usize, context: usize, key: usize) -> () {
        with_state(|state| {
            let value = state.keys.get(key).and_then(|key| {
                state.evaluate(snapshot, context, |gb| text(gb.eval_feature(key).value()))
            });
            state.output = value.unwrap_or_else(null);
        });
    }

    /// Writes the FeatureResult of the feature whose key is the input.
    fn eval_feature(snapshot: usize, context: usize) -> () {
        answer(snapshot, context, |gb, key| text(&gb.eval_feature(key)));
    }

    /// Writes whether the user passes the condition that is the input.
    fn eval_condition(snapshot: usize, context: usize) -> () {
        answer(snapshot, context, |gb, condition| {
            // No user passes a condition that is not an object.
            let passes = Condition::from_json(condition).map(|it| gb.eval_condition(&it));
            passes.unwrap_or(false).to_string()
        });
    }

    /// Writes the ExperimentResult of the experiment that is the input. Writes null if the input is
    /// not an experiment.
    fn run(snapshot: usize, context: usize) -> () {
        answer(snapshot, context, |gb, experiment| {
            Experiment::from_json(experiment).map_or_else(|_| null(), |it| text(&gb.run(&it)))
        });
    }

    /// Writes the redirects of the page.
    fn redirects(snapshot: usize, context: usize) -> () {
        answer(snapshot, context, |gb, _| redirects_of(gb).to_string());
    }

    /// Reads a list of a feature's key and the user's sticky bucket documents. Writes the
    /// FeatureResult, and the documents after it by key.
    fn eval_sticky(snapshot: usize, context: usize) -> () {
        answer(snapshot, context, |gb, question| {
            sticky_answer(gb, question).unwrap_or_else(|_| null())
        });
    }
}

/// Answers a question of the conformance corpus that is not evaluation.
#[cfg(feature = "corpus")]
#[expect(unsafe_code, reason = "JavaScript finds the function by its name, which must be unique")]
#[unsafe(no_mangle)]
pub extern "C" fn answer_question() {
    with_state(|state| state.output = spec_tests::answer(&state.take_input()));
}

/// Evaluates with a text as input, and writes the answer.
fn answer(snapshot: usize, context: usize, ask: impl FnOnce(&Evaluator<'_>, &str) -> String) {
    with_state(|state: &mut State| {
        let input = state.take_input();
        let answer = state.evaluate(snapshot, context, |gb| ask(gb, &input));
        state.output = answer.unwrap_or_else(null);
    });
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| null())
}

fn null() -> String {
    "null".to_owned()
}

fn redirects_of(gb: &Evaluator<'_>) -> Value {
    let results = gb.run_auto_experiments(&AutoExperimentOptions::new());
    let redirects = results.iter().filter_map(|result| match &result.change {
        AutoExperimentChange::Redirect { url_redirect, url_with_params } => Some(json!({
            "inExperiment": result.result.in_experiment,
            "urlRedirect": url_redirect,
            "urlWithParams": url_with_params,
        })),
        _ => None,
    });
    redirects.collect()
}

fn sticky_answer(gb: &Evaluator<'_>, question: &str) -> Result<String, serde_json::Error> {
    let (key, stored): (String, Vec<StickyBucketDocument>) = serde_json::from_str(question)?;
    let keys = gb.sticky_keys();
    let mut buckets: StickyBuckets =
        stored.into_iter().filter(|document| keys.contains(&document.key())).collect();
    let result = text(&gb.sticky(&mut buckets).eval_feature(&key));
    let mut documents = serde_json::Map::new();
    documents.extend(buckets.iter().map(|document| (document.key().to_string(), json!(document))));
    Ok(format!("[{result},{}]", Value::Object(documents)))
}
