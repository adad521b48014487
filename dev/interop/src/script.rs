//! The scripts that ask other SDKs.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs a script with the Python SDK.
pub(crate) fn python(script: &str, question: &Value) -> Result<Value, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    ask(Command::new(folder.join(".venv/bin/python")).arg(folder.join(script)), question)
}

/// Runs a script with the JavaScript SDK.
pub(crate) fn javascript(script: &str, question: &Value) -> Result<Value, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("javascript");
    ask(Command::new("node").arg(folder.join(script)), question)
}

fn ask(command: &mut Command, question: &Value) -> Result<Value, Box<dyn Error>> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(question.to_string().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
