//! A browser that visits the service.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// The variable with the browser's program.
const PROGRAM: &str = "CHROMIUM";

/// A browser that visits the service. It keeps its cookies from visit to visit.
pub(crate) struct Visitor {
    node: Child,
    paths: ChildStdin,
    visits: BufReader<ChildStdout>,
}

impl Visitor {
    /// Starts a browser for the service at this address.
    pub(crate) fn start(address: &str) -> Result<Self, Box<dyn Error>> {
        let program = std::env::var(PROGRAM).map_err(
            |_| "CHROMIUM is not set: use `cargo xtask browser`, or set it to the browser's program",
        )?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("javascript/visit.mjs");
        let mut node = Command::new("node");
        node.arg(script).arg(program).arg(address).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut node = node.spawn()?;
        let paths = node.stdin.take().ok_or("the script has no standard input")?;
        let visits = node.stdout.take().ok_or("the script has no standard output")?;
        Ok(Visitor { node, paths, visits: BufReader::new(visits) })
    }

    /// Visits a page. Returns what the service has rendered, and what the SDK in the browser finds.
    pub(crate) fn visit(&mut self, path: &str) -> Result<Value, Box<dyn Error>> {
        writeln!(self.paths, "{path}")?;
        let mut line = String::new();
        self.visits.read_line(&mut line)?;
        Ok(serde_json::from_str(&line).map_err(|_| format!("the visit of {path} failed"))?)
    }

    /// Closes the browser.
    pub(crate) fn close(self) -> Result<(), Box<dyn Error>> {
        let Visitor { mut node, paths, .. } = self;
        drop(paths);
        let status = node.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the script: {status}").into()) }
    }
}
