//! Answers the questions of [`Remote`](crate::Remote) with the core, for a program that contains it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::case::Mismatch;
use crate::engine::{Context, Core, Engine};
use crate::reduction::Reduction;

#[derive(Deserialize)]
struct Question {
    ask: String,
    #[serde(default)]
    context: String,
    argument: String,
}

/// Answers a question about parts of the core that are not evaluation: pruned conditions, reduced
/// payloads, and the pure functions. Returns the line of the answer.
pub fn answer(question: &str) -> String {
    match answer_in_core(question) {
        Ok(answer) => json!({ "answer": answer }).to_string(),
        Err(Mismatch::Unsupported) => "{}".to_owned(),
        Err(mismatch) => json!({ "error": mismatch.to_string() }).to_string(),
    }
}

fn answer_in_core(question: &str) -> Result<Value, Mismatch> {
    let shape = |error: serde_json::Error| Mismatch::Shape(error.to_string());
    let Question { ask, context, argument } = serde_json::from_str(question).map_err(shape)?;
    match &*ask {
        "pruneCondition" => Core.prune_condition(&Context::parse(&context)?, &argument),
        "reducePayload" => Core.reduce_payload(&Reduction::parse(&argument)?),
        function => {
            let arguments: Vec<Value> = serde_json::from_str(&argument).map_err(shape)?;
            Core.function(function, &arguments)
        }
    }
}
