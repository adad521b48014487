//! An engine in another program: in WebAssembly, or on a device.
//!
//! The program reads a question in each line of its input, and writes the answer as a line. A
//! question is a JSON object of strings. `ask` names a method of [`Engine`] or a function, and the
//! other members are JSON texts: the `payload`, the `context` and the `argument`. They are strings,
//! so that the program gets every digit and every member as it is in the corpus.
//!
//! An answer is `{"answer": ...}`. `{"error": "..."}` fails the case, and `{}` means that the program
//! does not answer such questions.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use growthbook_core::sticky::StickyBucketDocument;
use serde_json::{Map, Value, json};

use crate::case::Mismatch;
use crate::engine::{Context, Engine};
use crate::reduction::Reduction;

/// A running program that answers questions.
pub struct Remote(Mutex<Connection>);

struct Connection {
    program: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Remote {
    /// Starts the program: the words of a command, separated by spaces.
    ///
    /// # Errors
    ///
    /// The program does not start.
    pub fn start(command: &str) -> Result<Self, String> {
        let mut words = command.split_whitespace();
        let name = words.next().ok_or("the command is empty")?;
        let mut program = Command::new(name)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let questions = program.stdin.take();
        let answers = program.stdout.take().ok_or("the program has no output")?;
        Ok(Remote(Mutex::new(Connection { program, questions, answers: BufReader::new(answers) })))
    }

    /// Asks one question.
    fn ask(&self, question: &str, members: &[(&str, &str)]) -> Result<Value, Mismatch> {
        let mut line = format!(r#"{{"ask":{}"#, json!(question));
        for (name, text) in members {
            line.push_str(&format!(",{}:{}", json!(name), json!(text)));
        }
        line.push('}');
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = connection.exchange(&line).map_err(Mismatch::Shape)?;
        let mut members: Map<String, Value> = serde_json::from_str(&reply)
            .map_err(|error| Mismatch::Shape(format!("the program answered {reply:?}: {error}")))?;
        match (members.remove("answer"), members.remove("error")) {
            (_, Some(error)) => Err(Mismatch::Shape(error.to_string())),
            (Some(answer), None) => Ok(answer),
            (None, None) => Err(Mismatch::Unsupported),
        }
    }
}

/// Returns the members of a question about an evaluation.
fn evaluation<'a>(context: &'a Context, argument: &'a str) -> [(&'static str, &'a str); 3] {
    [("payload", &context.payload), ("context", &context.settings), ("argument", argument)]
}

impl Connection {
    fn exchange(&mut self, question: &str) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("the program does not answer: {error}");
        let questions = self.questions.as_mut().ok_or("the program has no input")?;
        writeln!(questions, "{question}").and_then(|()| questions.flush()).map_err(failed)?;
        let mut reply = String::new();
        match self.answers.read_line(&mut reply).map_err(failed)? {
            0 => Err("the program has ended".into()),
            _ => Ok(reply),
        }
    }
}

/// Ends the program, and waits for it.
impl Drop for Connection {
    fn drop(&mut self) {
        self.questions = None;
        // The program ends when its input does. A program that has failed is already gone.
        let _ = self.program.wait();
    }
}

impl Engine for Remote {
    fn name(&self) -> &'static str {
        "program"
    }

    fn eval_condition(&self, context: &Context, condition: &str) -> Result<Value, Mismatch> {
        self.ask("evalCondition", &evaluation(context, condition))
    }

    fn prune_condition(&self, context: &Context, condition: &str) -> Result<Value, Mismatch> {
        self.ask("pruneCondition", &[("context", &context.text), ("argument", condition)])
    }

    fn reduce_payload(&self, reduction: &Reduction) -> Result<Value, Mismatch> {
        self.ask("reducePayload", &[("argument", &reduction.text)])
    }

    fn eval_feature(&self, context: &Context, key: &str) -> Result<Value, Mismatch> {
        self.ask("evalFeature", &evaluation(context, &json!(key).to_string()))
    }

    /// Asks with a list of the key and the documents, and expects a list of the result and the
    /// documents.
    fn eval_sticky(
        &self,
        context: &Context,
        stored: &[StickyBucketDocument],
        key: &str,
    ) -> Result<(Value, Value), Mismatch> {
        let argument = json!([key, stored]).to_string();
        match self.ask("evalSticky", &evaluation(context, &argument))? {
            Value::Array(mut answer) if answer.len() == 2 => {
                let documents = answer.pop().unwrap_or_default();
                Ok((answer.pop().unwrap_or_default(), documents))
            }
            other => Err(Mismatch::Shape(format!("not a result and documents: {other}"))),
        }
    }

    fn run(&self, context: &Context, experiment: &str) -> Result<Value, Mismatch> {
        self.ask("run", &evaluation(context, experiment))
    }

    fn redirects(&self, context: &Context) -> Result<Value, Mismatch> {
        self.ask("redirects", &evaluation(context, "null"))
    }

    fn function(&self, suite: &str, arguments: &[Value]) -> Result<Value, Mismatch> {
        self.ask(suite, &[("argument", &json!(arguments).to_string())])
    }
}
