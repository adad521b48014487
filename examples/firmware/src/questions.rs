//! Questions of the conformance corpus, as `spec-tests --command` asks them: one JSON object in a
//! line.

use alloc::string::{String, ToString};

use growthbook_core::condition::Condition;
use growthbook_core::{Attributes, Experiment, Payload, UserContext};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The members of a question. All but the first are JSON texts.
#[derive(Deserialize)]
struct Question {
    ask: String,
    payload: String,
    context: String,
    argument: String,
}

/// The members of a context that the device uses.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Context<'a> {
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
}

/// Returns the answer as JSON. Returns `None` for a question that the device does not answer.
pub fn answer(question: &str) -> Option<String> {
    let Question { ask, payload, context, argument } = serde_json::from_str(question).ok()?;
    let context: Context<'_> = serde_json::from_str(&context).ok()?;
    let attributes = context.attributes.map_or("{}", RawValue::get);
    let user = UserContext::from_attributes(Attributes::from_json(attributes).ok()?);
    let snapshot = Payload::from_json(payload).ok()?.compile();
    let gb = snapshot.for_user(&user);
    match &*ask {
        "evalFeature" => {
            let key: String = serde_json::from_str(&argument).ok()?;
            json(&gb.eval_feature(&key))
        }
        "evalCondition" => {
            // No user passes a condition that is not an object.
            let passes = Condition::from_json(&argument).map(|it| gb.eval_condition(&it));
            Some(passes.unwrap_or(false).to_string())
        }
        "run" => json(&gb.run(&Experiment::from_json(&argument).ok()?)),
        _ => None,
    }
}

fn json(result: &impl Serialize) -> Option<String> {
    serde_json::to_string(result).ok()
}
