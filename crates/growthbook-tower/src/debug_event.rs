//! The event `{logs, sdkInfo}` that the extension reads, in a script or a header.

use std::sync::atomic::Ordering;

use growthbook::reduce::ReduceOptions;
use http::header::HeaderName;
use serde_json::{Value, json};

use crate::devtools::{DevtoolsSettings, Recorder};
use crate::hydration::{for_browser, shown_attributes};
use crate::request_scope::RequestScope;
use crate::script::{for_header, for_script};
use crate::shown::Shown;

/// The header with the event.
const EVENTS_HEADER: HeaderName = HeaderName::from_static("x-gbdebug-events");

/// The longest value of the header, in bytes. Servers and proxies limit all headers of a response,
/// often to 16 KiB.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// Devtools.
impl RequestScope {
    /// Returns a script that shows the evaluations so far in GrowthBook's devtools. Put it at the end
    /// of the page, in a `<script>` element. `None` if this request does not have
    /// [devtools](crate::Options::devtools).
    ///
    /// Without the script, the response has the header `x-gbdebug-events`.
    pub fn devtools_script(&self) -> Option<String> {
        let (settings, session) = self.devtools()?;
        session.has_script.store(true, Ordering::Relaxed);
        Some(script(self, settings, &session.recorder))
    }
}

/// Returns the header for the response, unless the page has the script.
pub(crate) fn header(scope: &RequestScope) -> Option<(HeaderName, String)> {
    let (settings, session) = scope.devtools()?;
    let has_script = session.has_script.load(Ordering::Relaxed);
    (!has_script).then(|| (EVENTS_HEADER, header_value(scope, settings, &session.recorder)))
}

/// Returns a script that adds the event to those of the page.
fn script(scope: &RequestScope, settings: &DevtoolsSettings, recorder: &Recorder) -> String {
    // The browser's SDK merges this payload with its own. So it is reduced in the same way.
    let (payload, attributes) = for_browser(scope, ReduceOptions::new());
    let info = info(settings, attributes).to_string();
    // The text of the payload keeps the order of its members. A value would sort them.
    let info =
        [info.strip_suffix('}').unwrap_or("{"), ",\"payload\":", &payload.to_json_string(), "}"]
            .concat();
    let logs = Value::from(logs(scope, recorder));
    let event = for_script(&format!("{{\"logs\":{logs},\"sdkInfo\":{info}}}"));
    format!("(window._gbdebugEvents=(window._gbdebugEvents||[])).push({event});")
}

/// Returns the value of the header. It has no payload, and only the newest entries that fit.
fn header_value(scope: &RequestScope, settings: &DevtoolsSettings, recorder: &Recorder) -> String {
    let attributes = shown_attributes(scope);
    let event =
        |logs: &str, info: &Value| for_header(&format!("{{\"logs\":[{logs}],\"sdkInfo\":{info}}}"));
    let info_with_attributes = info(settings, attributes);
    let start = event("", &info_with_attributes);
    if start.len() > MAX_HEADER_BYTES {
        return event("", &info(settings, json!({})));
    }
    let mut left = MAX_HEADER_BYTES - start.len();
    let mut newest: Vec<String> = Vec::new();
    for entry in logs(scope, recorder).iter().rev() {
        let entry = for_header(&entry.to_string());
        let Some(rest) = left.checked_sub(entry.len() + 1) else { break };
        left = rest;
        newest.push(entry);
    }
    newest.reverse();
    event(&newest.join(","), &info_with_attributes)
}

fn info(settings: &DevtoolsSettings, attributes: Value) -> Value {
    let mut info = json!({
        "apiHost": settings.api_host,
        "clientKey": settings.client_key,
        "version": env!("CARGO_PKG_VERSION"),
        "attributes": attributes,
    });
    if let (Some(source), Some(info)) = (&settings.source, info.as_object_mut()) {
        info.insert("source".into(), source.as_str().into());
    }
    info
}

/// Returns the log without the values that the browser may not see.
fn logs(scope: &RequestScope, recorder: &Recorder) -> Vec<Value> {
    let shown = scope.shown();
    let mut entries = recorder.entries();
    entries.iter_mut().for_each(|entry| scrub(entry, &shown));
    entries
}

fn scrub(entry: &mut Value, shown: &Shown<'_>) {
    for path in ["/experiment", "/result/experiment"] {
        if let Some(experiment) = entry.pointer_mut(path) {
            shown.scrub_experiment(experiment);
        }
    }
    for path in ["/result", "/result/experimentResult"] {
        if let Some(result) = entry.pointer_mut(path) {
            shown.scrub_result(result);
        }
    }
}
