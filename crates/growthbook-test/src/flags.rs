//! The payload of a test.

use std::collections::BTreeSet;

use growthbook::{Client, ClientBuilder, Embedded};
use serde_json::{Map, Value, json};

use crate::client::TestClient;
use crate::rule::{Rule, Variations, everyone};

/// A payload for tests. Made by [`flags`].
///
/// [`on`](Flags::on), [`off`](Flags::off), [`value`](Flags::value), [`experiment`](Flags::experiment)
/// and [`feature`](Flags::feature) define a feature, and replace an earlier definition of it.
/// [`rule`](Flags::rule) adds to the definition.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    document: Map<String, Value>,
    is_strict: bool,
    allowed_attributes: BTreeSet<String>,
}

/// Begins a payload without features.
pub fn flags() -> Flags {
    Flags::default()
}

/// Makes a client whose flags have these values for every user. Short for [`flags`] with
/// [`value`](Flags::value) and [`client`](Flags::client).
#[track_caller]
pub fn with_flags<'k, V: Into<Value>>(
    values: impl IntoIterator<Item = (&'k str, V)>,
) -> TestClient {
    values.into_iter().fold(flags(), |flags, (key, value)| flags.value(key, value)).client()
}

impl Flags {
    /// Begins with a payload: a JSON document as the API sends it.
    ///
    /// # Panics
    ///
    /// If the text is not a JSON object.
    #[track_caller]
    pub fn from_json(document: &str) -> Self {
        match serde_json::from_str(document) {
            Ok(document) => Flags { document, ..Flags::default() },
            Err(error) => panic!("the payload of the test is not a JSON object: {error}"),
        }
    }

    /// Defines a feature that is on for every user.
    #[must_use]
    pub fn on(self, key: &str) -> Self {
        self.value(key, true)
    }

    /// Defines a feature that is off for every user.
    #[must_use]
    pub fn off(self, key: &str) -> Self {
        self.value(key, false)
    }

    /// Defines a feature with this default value: every user gets it, unless a rule that is added
    /// later applies.
    #[must_use]
    pub fn value(self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.feature(key, json!({"defaultValue": value}))
    }

    /// Defines a feature with an experiment for every user. The list of values is enough: see
    /// [`variations`](crate::variations) for more.
    #[must_use]
    pub fn experiment(self, key: &str, variations: impl Into<Variations>) -> Self {
        self.feature(key, json!({})).rule(key, everyone().experiment(variations))
    }

    /// Adds a rule to a feature, after its other rules. If the feature is not defined yet, it has no
    /// default value: users to whom no rule applies get the fallback of the code.
    #[must_use]
    pub fn rule(mut self, key: &str, rule: Rule) -> Self {
        let feature = self.section("features").entry(key).or_insert_with(|| json!({}));
        if let Value::Object(members) = feature
            && let Value::Array(rules) = members.entry("rules").or_insert_with(|| json!([]))
        {
            rules.push(rule.into_json());
        }
        self
    }

    /// Defines a feature by its JSON, for all that has no method here.
    #[must_use]
    pub fn feature(mut self, key: &str, definition: Value) -> Self {
        self.section("features").insert(key.into(), definition);
        self
    }

    /// Defines a saved group by its JSON: a list, to which `$inGroup` refers by the id.
    #[must_use]
    pub fn saved_group(mut self, id: &str, definition: impl Into<Value>) -> Self {
        self.section("savedGroups").insert(id.into(), definition.into());
        self
    }

    /// Makes the client strict: see [`Strict`](crate::Strict).
    #[must_use]
    pub fn strict(self) -> Self {
        Flags { is_strict: true, ..self }
    }

    /// Names attributes that the application sets, and that the payload does not use. A
    /// [strict](Flags::strict) client accepts them.
    #[must_use]
    pub fn allow_attributes<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.allowed_attributes.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// Returns the payload: a JSON document as the API sends it.
    pub fn to_json(&self) -> String {
        let mut document = self.document.clone();
        document.entry("features").or_insert_with(|| json!({}));
        Value::Object(document).to_string()
    }

    /// Makes a client that evaluates the payload. It starts no thread.
    ///
    /// # Panics
    ///
    /// If a part of the payload would be left out, such as a rule with an unknown operator.
    #[track_caller]
    pub fn client(&self) -> TestClient {
        self.client_with(|builder| builder)
    }

    /// Makes a client like [`client`](Flags::client), with other settings: attributes of every user,
    /// callbacks, a store.
    ///
    /// ```
    /// use growthbook_test::{flags, json, when};
    ///
    /// let client = flags()
    ///     .rule("banner", when(json!({"region": "eu"})).force("hi"))
    ///     .client_with(|builder| builder.attributes(json!({"region": "eu"})));
    /// assert_eq!(client.for_user("user-1").feature_value("banner", ""), "hi");
    /// ```
    ///
    /// # Panics
    ///
    /// If a part of the payload would be left out, such as a rule with an unknown operator.
    #[track_caller]
    pub fn client_with(
        &self,
        set: impl FnOnce(ClientBuilder<Embedded>) -> ClientBuilder<Embedded>,
    ) -> TestClient {
        let client = match set(Client::embedded()).payload(self.to_json()).build() {
            Ok(client) => client,
            Err(error) => panic!("the flags of the test cannot be used: {error}"),
        };
        let warnings: Vec<String> =
            client.warnings().iter().map(|warning| format!("\n  {warning}")).collect();
        assert!(
            warnings.is_empty(),
            "parts of the flags of the test cannot be used:{}",
            warnings.concat()
        );
        let client = TestClient::new(client);
        if self.is_strict {
            client.strict().allow_attributes(self.allowed_attributes.iter().map(String::as_str))
        } else {
            client
        }
    }

    /// Starts a server that serves the payload for every client key, and offers streaming.
    #[cfg(feature = "server")]
    pub fn serve(&self) -> crate::server::FeaturesServer {
        crate::server::FeaturesServer::start(&self.to_json())
    }

    /// Returns a section of the document. A section that is not an object is replaced.
    fn section(&mut self, name: &str) -> &mut Map<String, Value> {
        let section = self.document.entry(name).or_insert_with(|| json!({}));
        if !section.is_object() {
            *section = json!({});
        }
        match section {
            Value::Object(members) => members,
            _ => unreachable!("the section was made an object"),
        }
    }
}
