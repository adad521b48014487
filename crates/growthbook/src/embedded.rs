//! Setting up a client that asks no server.

use growthbook_core::{Payload, PayloadError, PayloadSource};
use serde_json::Value;

use crate::builder::ClientBuilder;
use crate::client::Client;

/// The kind of client that asks no server: it evaluates the payload it is given.
#[derive(Default)]
pub struct Embedded {
    definitions: Definitions,
    saved_groups: Option<Value>,
}

/// The definitions that the application gives.
#[derive(Default)]
enum Definitions {
    #[default]
    None,
    Document(Vec<u8>),
    Features(Value),
}

impl Client {
    /// A client on an embedded payload: no network, no thread.
    ///
    /// # Errors
    ///
    /// When the document is not a payload. A broken rule is not an error but a warning: see
    /// [`warnings`](Client::warnings).
    pub fn from_json(document: impl AsRef<[u8]>) -> Result<Self, PayloadError> {
        Client::embedded().payload(document.as_ref()).build()
    }

    /// Sets up a client that asks no server, with other settings than
    /// [`from_json`](Client::from_json). At first it has no features, and everything is enabled.
    ///
    /// ```
    /// use growthbook::Client;
    ///
    /// let client = Client::embedded()
    ///     .payload(r#"{"features": {"dark-mode": {"defaultValue": true}}}"#)
    ///     .qa_mode(true)
    ///     .build()?;
    /// assert!(client.for_user("user-1").is_on("dark-mode"));
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    pub fn embedded() -> ClientBuilder<Embedded> {
        ClientBuilder::new(Embedded::default())
    }
}

/// Settings of a client that asks no server.
impl ClientBuilder<Embedded> {
    /// The payload: a JSON document as the API sends it. Replaces [`features`](Self::features).
    #[must_use]
    pub fn payload(mut self, document: impl Into<Vec<u8>>) -> Self {
        self.kind.definitions = Definitions::Document(document.into());
        self
    }

    /// The feature definitions by key, without a document around them. Replaces
    /// [`payload`](Self::payload).
    #[must_use]
    pub fn features(mut self, features: Value) -> Self {
        self.kind.definitions = Definitions::Features(features);
        self
    }

    /// The saved groups by id that [`features`](Self::features) refer to. Ignored with a
    /// [`payload`](Self::payload), which has its own.
    #[must_use]
    pub fn saved_groups(mut self, groups: Value) -> Self {
        self.kind.saved_groups = Some(groups);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// When the definitions are not a payload, or the key does not open it.
    pub fn build(self) -> Result<Client, PayloadError> {
        let (kind, live, plugins) = self.into_live(None);
        let payload = match kind.definitions {
            Definitions::None => return Ok(Client::without_server(live, plugins)),
            Definitions::Document(document) => live.read(&document)?,
            Definitions::Features(features) => {
                Payload::from_parts(&features, kind.saved_groups.as_ref())?
            }
        };
        let live = live.starting_with(payload, PayloadSource::Application);
        Ok(Client::without_server(live, plugins))
    }
}
