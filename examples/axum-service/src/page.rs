//! A page that continues in the browser, with the JavaScript SDK.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use growthbook::tracking::DeferredCalls;
use growthbook::{Client, FeatureResult, FeatureResults};
use growthbook_tower::{RequestScope, script_json};
use serde_json::Value;

/// The script build of the JavaScript SDK.
const SDK: &str =
    "https://cdn.jsdelivr.net/npm/@growthbook/growthbook@1.8.0/dist/bundles/auto.min.js";
/// What the page does with the SDK.
const SCRIPT: &str = include_str!("page.js");

/// Returns the page.
pub(crate) async fn page(gb: RequestScope) -> Html<String> {
    let color = escape(gb.feature_value("button-color", "blue"));
    let text = if gb.is_on("new-checkout") { "Check out now" } else { "Check out" };
    let max_items = gb.feature_value("max-items", 10);
    let flags = script_json(&flags(&gb.evaluate_all()));
    // After the evaluations, so that the browser reports their exposures.
    let hydration = gb.hydration().script();
    Html(format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Shop</title>
<p>At most {max_items} items.</p>
<button style="background: {color}">{text}</button>
<script type="application/json" id="flags">{flags}</script>
<script src="/page.js"></script>
<script>{hydration}</script>
<script src="{SDK}"></script>
</html>
"#
    ))
}

/// Returns the script of the page.
pub(crate) async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], SCRIPT)
}

/// Reports the exposures that the page sends. A real page sends them to its analytics.
pub(crate) async fn exposures(State(client): State<Client>, body: Bytes) -> StatusCode {
    let calls = str::from_utf8(&body).ok().and_then(|text| DeferredCalls::from_json(text).ok());
    match calls {
        Some(calls) => {
            client.fire_deferred_calls(&calls);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::BAD_REQUEST,
    }
}

/// Returns the value of each flag and its variation, so that a test can compare them with those of
/// the browser. A whole result also has conditions, which the browser may not see.
fn flags<'r>(results: &'r FeatureResults<'_>) -> BTreeMap<&'r str, (&'r Value, Option<&'r str>)> {
    let variation = |result: &'r FeatureResult<'_>| {
        result.experiment_result.as_ref().map(|result| result.assignment.key)
    };
    results.iter().map(|(key, result)| (key, (result.value(), variation(result)))).collect()
}

/// Escapes a text for an attribute of an element.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
