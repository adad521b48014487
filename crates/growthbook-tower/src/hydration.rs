//! The script with which the JavaScript SDK continues in the browser.

use std::collections::BTreeMap;

use growthbook::Payload;
use growthbook::reduce::{ReduceOptions, reduce_payload};
use growthbook::tracking::DeferredCalls;
use serde_json::{Map, Value, json};

use crate::id_cookie::IdCookie;
use crate::request_scope::RequestScope;
use crate::script;
use crate::shown::Divided;

/// The script with which the JavaScript SDK continues in the browser: payload, attributes, and the
/// exposures to report.
///
/// It sets `growthbook_config` and `growthbook_queue`, which the script build of the SDK reads
/// (`auto.min.js`). An application with its own instance of the SDK reads the same variables.
///
/// The browser gets the id, the attributes that a request has by itself, and those of
/// [`Options::show_attributes`](crate::Options::show_attributes). Conditions on the user's other
/// attributes are decided here, so neither values nor conditions reach the browser. A condition on an
/// attribute that the user does not have is not decided, unless the attribute is set to null. An
/// experiment that hashes an attribute which is not shown has no effect in the browser. Forced values
/// of the user reach it, too.
///
/// ```
/// use growthbook_tower::RequestScope;
///
/// fn page(gb: &RequestScope) -> String {
///     let title = gb.feature_value("title", "Welcome".to_owned());
///     format!(
///         "<!doctype html><title>{title}</title><script>{}</script>\
///          <script src=\"/growthbook.js\"></script>",
///         gb.hydration().script(),
///     )
/// }
/// ```
#[must_use = "the script has to be put into a page"]
pub struct Hydration<'s> {
    scope: &'s RequestScope,
    reduce: ReduceOptions,
    connection: Option<(String, String)>,
}

/// Pages that continue in the browser.
impl RequestScope {
    /// Returns the script that lets the JavaScript SDK continue in the browser, with the same answers
    /// for this user.
    pub fn hydration(&self) -> Hydration<'_> {
        Hydration { scope: self, reduce: ReduceOptions::new(), connection: None }
    }
}

impl Hydration<'_> {
    /// Sets which definitions the browser gets, by filters. Default: all. Known attributes in the
    /// options are replaced.
    pub fn reduce(mut self, options: ReduceOptions) -> Self {
        self.reduce = options;
        self
    }

    /// Lets the browser fetch and stream newer payloads, with this host and client key. By default it
    /// keeps the payload of the page.
    ///
    /// A payload that it fetches is not reduced. Conditions on attributes that are not shown fail in
    /// it.
    pub fn connection(
        mut self,
        api_host: impl Into<String>,
        client_key: impl Into<String>,
    ) -> Self {
        self.connection = Some((api_host.into(), client_key.into()));
        self
    }

    /// Returns the script, for the inside of a `<script>` element. It is escaped for that place.
    ///
    /// The browser reports the exposures of this request so far. So evaluate the flags of the page
    /// before. The client's plugins do not receive these exposures.
    pub fn script(self) -> String {
        let calls = take_calls(self.scope);
        let (payload, attributes) = for_browser(self.scope, self.reduce);
        let mut config = identity(self.scope, &attributes);
        config.extend(switches(self.scope));
        config.insert("attributes".into(), attributes);
        match self.connection {
            Some((api_host, client_key)) => {
                config.insert("apiHost".into(), api_host.into());
                config.insert("clientKey".into(), client_key.into());
            }
            None => {
                config.insert("noStreaming".into(), true.into());
            }
        }
        if self.scope.settings().sticky_cookies.is_some() {
            config.insert("useStickyBucketService".into(), "cookie".into());
        }
        // The order of members of a payload is kept: a value would sort them.
        let payload = script::for_script(&payload.to_json_string());
        let config = script::for_script(&Value::from(config).to_string());
        let forced = script::for_script(&forced_features(self.scope).to_string());
        let mut script = format!(
            "window.growthbook_config=Object.assign(window.growthbook_config||{{}},{config},\
             {{\"payload\":{payload}}},{{\"forcedFeatureValues\":new Map({forced})}});"
        );
        if calls.as_array().is_some_and(|calls| !calls.is_empty()) {
            let calls = script::for_script(&calls.to_string());
            script.push_str(&format!(
                "(window.growthbook_queue=window.growthbook_queue||[]).push(function(gb){{\
                 gb.setDeferredTrackingCalls({calls});gb.fireDeferredTrackingCalls();}});"
            ));
        }
        script
    }
}

/// Returns the payload and the attributes that a browser may see.
pub(crate) fn for_browser(scope: &RequestScope, reduce: ReduceOptions) -> (Payload, Value) {
    let divided = divide(scope);
    let options = reduce.attributes(divided.hidden).global_attributes(divided.hidden_globals);
    let payload = reduce_payload(scope.payload(), &options);
    (payload, serde_json::to_value(&divided.shown).unwrap_or_default())
}

/// Returns the attributes that a browser may see.
pub(crate) fn shown_attributes(scope: &RequestScope) -> Value {
    serde_json::to_value(&divide(scope).shown).unwrap_or_default()
}

fn divide(scope: &RequestScope) -> Divided {
    scope.shown().divide(scope, scope.client().globals().global_attributes())
}

/// Returns the settings of the user and of all users that decide about experiments.
fn switches(scope: &RequestScope) -> Map<String, Value> {
    let (globals, user) = (scope.client().globals(), scope.user());
    let mut config = Map::new();
    if !(globals.is_enabled() && user.is_enabled()) {
        config.insert("enabled".into(), false.into());
    }
    // The JavaScript SDK has one setting for both.
    let skips = globals.skips_all_experiments() || user.skips_all_experiments();
    if globals.is_qa_mode() || user.is_qa_mode() || skips {
        config.insert("qaMode".into(), true.into());
    }
    let variations = globals.iter_forced_variations().chain(user.iter_forced_variations());
    let variations: Map<String, Value> =
        variations.map(|(key, index)| (key.to_owned(), index.into())).collect();
    config.insert("forcedVariations".into(), variations.into());
    config
}

/// Returns the forced values of features, as a list of pairs.
fn forced_features(scope: &RequestScope) -> Value {
    let globals = scope.client().globals();
    let values: BTreeMap<&str, &Value> =
        globals.iter_forced_features().chain(scope.user().iter_forced_features()).collect();
    values.into_iter().map(|(key, value)| json!([key, value])).collect()
}

/// Returns the settings with which the browser's SDK uses the same id.
fn identity(scope: &RequestScope, attributes: &Value) -> Map<String, Value> {
    let cookie = scope.settings().id_cookie.as_ref();
    let key = cookie.map_or("id", IdCookie::attribute_name);
    let mut config = Map::new();
    config.insert("uuidKey".into(), key.into());
    if let Some(cookie) = cookie {
        config.insert("uuidCookieName".into(), cookie.cookie_name().into());
        if let Some(domain) = cookie.cookie_domain() {
            config.insert("uuidCookieDomain".into(), domain.into());
        }
    }
    let id = attributes.get(key);
    let is_in_cookie = id.and_then(Value::as_str) == scope.cookie_id() && scope.is_id_saved();
    // With this setting, the SDK neither reads nor writes the cookie.
    if let Some(id) = id.filter(|_| !is_in_cookie) {
        config.insert("uuid".into(), id.clone());
    }
    config
}

/// Takes the calls that the browser may see, and reports the others.
fn take_calls(scope: &RequestScope) -> Value {
    let shown = scope.shown();
    let calls = scope.take_deferred_calls();
    let is_shown = |hash_attribute: &str| shown.contains(hash_attribute);
    let (for_browser, others): (Vec<_>, Vec<_>) =
        calls.iter().cloned().partition(|call| is_shown(&call.result.hash_attribute));
    scope.client().fire_deferred_calls(&others.into_iter().collect());
    let for_browser: DeferredCalls = for_browser.into_iter().collect();
    let mut calls = serde_json::to_value(&for_browser).unwrap_or_else(|_| json!([]));
    for call in calls.as_array_mut().into_iter().flatten() {
        if let Some(experiment) = call.get_mut("experiment") {
            shown.scrub_experiment(experiment);
        }
        let attributes = call.pointer_mut("/user/attributes").and_then(Value::as_object_mut);
        if let Some(attributes) = attributes {
            attributes.retain(|name, _| shown.contains(name));
        }
    }
    calls
}
