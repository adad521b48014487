//! The client: the payload in use and the settings that hold for everybody.

use core::fmt;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
#[cfg(feature = "encryption")]
use growthbook_core::DecryptionKey;
use growthbook_core::{
    AttributeSource, Attributes, GlobalContext, Payload, PayloadError, PayloadSource, Snapshot,
    StickyBucketStore, StickyBuckets, UserContext,
};
use serde_json::{Map, Value};

use crate::LOG_TARGET;
use crate::builder::ClientBuilder;
#[cfg(feature = "fetch")]
use crate::connection::Connection;
use crate::retired::Retired;
use crate::scope::UserScope;
use crate::tracking::Tracking;
use crate::update::OnUpdate;

/// A GrowthBook client. Cloning it is cheap and gives another handle on the same one.
///
/// The payload in use is swapped in whole: a [`UserScope`] made before a
/// [`set_payload`](Client::set_payload) goes on with the old one, one made after sees the new
/// one, none sees a mixture.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// Dropped with the last handle, whatever scopes there still are.
    #[cfg(feature = "fetch")]
    connection: Option<Arc<Connection>>,
}

pub(crate) struct Inner {
    pub(crate) state: ArcSwap<State>,
    pub(crate) retired: Retired,
    pub(crate) decryption: Decryption,
    pub(crate) on_update: Option<OnUpdate>,
}

/// What evaluations have effects on.
pub(crate) struct Effects {
    pub(crate) tracking: Tracking,
    pub(crate) sticky_store: Option<Box<dyn StickyBucketStore>>,
}

/// What evaluations look at; replaced, never changed. A scope has nothing else of the client, so
/// that making one touches no counter that other threads touch.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) payload: Arc<Payload>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) globals: Arc<GlobalContext>,
    pub(crate) effects: Arc<Effects>,
    /// Whether some callback hears of evaluations.
    pub(crate) has_listeners: bool,
    /// Where the payload came from; `None` for the empty one of the beginning.
    #[cfg_attr(
        not(feature = "fetch"),
        expect(dead_code, reason = "only a client with a server has several sources")
    )]
    pub(crate) source: Option<PayloadSource>,
}

impl State {
    pub(crate) fn new(
        payload: Payload,
        source: Option<PayloadSource>,
        globals: Arc<GlobalContext>,
        effects: Arc<Effects>,
    ) -> Self {
        let snapshot = payload.compile();
        State::compiled(payload, snapshot, source, globals, effects)
    }

    fn compiled(
        payload: Payload,
        snapshot: Snapshot,
        source: Option<PayloadSource>,
        globals: Arc<GlobalContext>,
        effects: Arc<Effects>,
    ) -> Self {
        log_warnings(&snapshot);
        let snapshot = Arc::new(snapshot);
        let has_listeners = effects.tracking.has_listeners();
        State { payload: Arc::new(payload), snapshot, globals, effects, has_listeners, source }
    }

    /// The same with another payload.
    pub(crate) fn with_payload(&self, payload: Payload, source: PayloadSource) -> Self {
        let snapshot = payload.compile_after(&self.snapshot);
        let (globals, effects) = (self.globals.clone(), self.effects.clone());
        State::compiled(payload, snapshot, Some(source), globals, effects)
    }
}

/// How payloads are opened.
pub(crate) struct Decryption {
    #[cfg(feature = "encryption")]
    pub(crate) key: Option<DecryptionKey>,
}

impl Decryption {
    pub(crate) fn read(&self, document: &[u8]) -> Result<Payload, PayloadError> {
        #[cfg(feature = "encryption")]
        if let Some(key) = &self.key {
            return Payload::from_encrypted_json(document, key);
        }
        Payload::from_json(document)
    }
}

impl Client {
    /// A client on an embedded payload: no network, no thread.
    ///
    /// # Errors
    ///
    /// When the document is no payload. A broken rule is no error but a warning: see
    /// [`warnings`](Client::warnings).
    pub fn from_json(document: impl AsRef<[u8]>) -> Result<Self, PayloadError> {
        ClientBuilder::new().payload(document.as_ref()).build()
    }

    /// A client that does not ask any server.
    pub(crate) fn embedded(inner: Inner) -> Self {
        Client {
            inner: Arc::new(inner),
            #[cfg(feature = "fetch")]
            connection: None,
        }
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn connected(inner: Arc<Inner>, connection: Connection) -> Self {
        Client { inner, connection: Some(Arc::new(connection)) }
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn connection(&self) -> Option<&Connection> {
        self.connection.as_deref()
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn state(&self) -> Guard<Arc<State>> {
        self.inner.state.load()
    }

    /// Evaluates for a user: takes hold of the payload in use, so that all answers of the scope
    /// agree with one another.
    ///
    /// With a [sticky bucket store](ClientBuilder::sticky_bucket_store) the user's documents are
    /// loaded here, and new assignments saved by the evaluation that makes them, which may block;
    /// [`for_user_with_sticky`](Client::for_user_with_sticky) takes documents you have loaded
    /// yourself.
    pub fn for_user(&self, user: impl Into<UserContext>) -> UserScope<'static> {
        let scope = self.scope(user.into(), None);
        scope.load_sticky_buckets();
        scope
    }

    /// Evaluates for a user whose attributes are a type of yours: nothing is built, and nothing
    /// allocated. For one with settings of their own, such as an address, see
    /// [`UserScope::with_source`].
    ///
    /// ```
    /// use growthbook::{AttributeRef, AttributeSource, Client};
    ///
    /// struct Session { user_id: u64, country: String }
    ///
    /// impl AttributeSource for Session {
    ///     fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
    ///         Some(match name {
    ///             "id" => self.user_id.into(),
    ///             "country" => (&self.country).into(),
    ///             _ => return None,
    ///         })
    ///     }
    /// }
    ///
    /// let client = Client::from_json(r#"{"features": {"checkout": {"rules": [
    ///     {"condition": {"country": "US"}, "force": "new"}
    /// ]}}}"#)?;
    /// let session = Session { user_id: 7, country: "US".into() };
    /// assert_eq!(client.for_source(&session).feature_value("checkout", "old"), "new");
    /// # Ok::<(), growthbook::PayloadError>(())
    /// ```
    pub fn for_source<'s>(&self, source: &'s dyn AttributeSource) -> UserScope<'s> {
        self.scope(UserContext::default(), None).with_source(source)
    }

    /// Evaluates for a user with sticky bucketing on these documents. Changed ones are in
    /// [`UserScope::sticky_buckets`].
    ///
    /// A client without a store loads and saves nothing. One with a store saves what changes; it
    /// loads nothing for features, and for [`UserScope::run`] what is not among these documents.
    pub fn for_user_with_sticky(
        &self,
        user: impl Into<UserContext>,
        buckets: StickyBuckets,
    ) -> UserScope<'static> {
        self.scope(user.into(), Some(buckets))
    }

    fn scope(&self, user: UserContext, buckets: Option<StickyBuckets>) -> UserScope<'static> {
        #[cfg(feature = "fetch")]
        if let Some(connection) = &self.connection {
            connection.notice_fork();
        }
        UserScope::new(self.inner.state.load(), user, buckets)
    }

    /// Replaces the payload, even by an older one.
    ///
    /// A client that asks a server goes on with that: the next change from there replaces this
    /// payload, unless it is known to be older.
    ///
    /// # Errors
    ///
    /// When the document is no payload, or the key does not open it. The payload in use stays.
    pub fn set_payload(&self, document: impl AsRef<[u8]>) -> Result<(), PayloadError> {
        // Read and compiled before anything is swapped: no evaluation waits for it.
        let payload = self.inner.decryption.read(document.as_ref())?;
        let next = self.inner.state.load().with_payload(payload, PayloadSource::Application);
        let before =
            self.inner.state.rcu(|state| State { globals: state.globals.clone(), ..next.clone() });
        self.inner.tell_update(&before.payload, &next.payload);
        self.inner.retired.add(before);
        Ok(())
    }

    /// Replaces the feature definitions, and keeps the rest of the payload: saved groups, bandits,
    /// auto experiments, date.
    ///
    /// # Errors
    ///
    /// When `features` is no object. The payload in use stays.
    pub fn set_features(&self, features: &Value) -> Result<(), PayloadError> {
        let mut current = self.inner.state.load_full();
        loop {
            let payload = current.payload.with_features(features)?;
            let next = Arc::new(current.with_payload(payload, PayloadSource::Application));
            let found = self.inner.state.compare_and_swap(&current, next.clone());
            if Arc::ptr_eq(&found, &current) {
                self.inner.tell_update(&current.payload, &next.payload);
                drop(found);
                self.inner.retired.add(current);
                return Ok(());
            }
            // Somebody was faster: what they set is not to be lost.
            current = Guard::into_inner(found);
        }
    }

    fn update(&self, change: impl Fn(&State) -> State) {
        self.inner.state.rcu(|state| change(state));
    }

    /// The feature definitions in use, by key, as JSON. Made anew on every call.
    pub fn features(&self) -> Map<String, Value> {
        self.inner.state.load().payload.features()
    }

    /// The payload in use, as read: to [reduce](growthbook_core::reduce_payload) it for a browser.
    pub fn payload(&self) -> Arc<Payload> {
        self.inner.state.load().payload.clone()
    }

    /// The compiled payload in use: feature keys, warnings, date.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.state.load().snapshot.clone()
    }

    /// What was wrong in the payload in use, in words. Everything else of it counts.
    pub fn warnings(&self) -> Vec<growthbook_core::Warning> {
        self.inner.state.load().snapshot.warnings().to_vec()
    }

    /// What holds for every user.
    pub fn globals(&self) -> Arc<GlobalContext> {
        self.inner.state.load().globals.clone()
    }

    /// Replaces what holds for every user. Scopes made before go on with the old settings.
    pub fn set_globals(&self, globals: GlobalContext) {
        let globals = Arc::new(globals);
        self.update(|state| State { globals: globals.clone(), ..state.clone() });
    }

    fn change_globals(&self, change: impl Fn(GlobalContext) -> GlobalContext) {
        self.update(|state| State {
            globals: Arc::new(change(GlobalContext::clone(&state.globals))),
            ..state.clone()
        });
    }

    /// The attributes of every user who lacks them.
    pub fn attributes(&self) -> Attributes {
        self.globals().global_attributes().clone()
    }

    /// Sets the attributes of every user who lacks them.
    pub fn set_attributes(&self, attributes: impl Into<Attributes>) {
        let attributes = attributes.into();
        self.change_globals(|globals| globals.attributes(attributes.clone()));
    }

    /// The address of every user who has none; empty when there is none.
    pub fn url(&self) -> String {
        self.globals().page_url().to_owned()
    }

    /// Sets the address of every user who has none.
    pub fn set_url(&self, url: &str) {
        self.change_globals(|globals| globals.url(url));
    }

    /// Whether experiments run.
    pub fn is_enabled(&self) -> bool {
        self.globals().is_enabled()
    }

    /// Sets whether experiments run.
    pub fn set_enabled(&self, enabled: bool) {
        self.change_globals(|globals| globals.enabled(enabled));
    }

    /// Whether QA mode is on.
    pub fn is_qa_mode(&self) -> bool {
        self.globals().is_qa_mode()
    }

    /// Sets QA mode.
    pub fn set_qa_mode(&self, qa_mode: bool) {
        self.change_globals(|globals| globals.qa_mode(qa_mode));
    }

    /// Whether everybody is left out of experiments without a forced variation.
    pub fn skips_all_experiments(&self) -> bool {
        self.globals().skips_all_experiments()
    }

    /// Sets whether everybody is left out of experiments without a forced variation.
    pub fn set_skip_all_experiments(&self, skip: bool) {
        self.change_globals(|globals| globals.skip_all_experiments(skip));
    }

    /// The variations forced for everybody, by experiment key.
    pub fn forced_variations(&self) -> Vec<(String, i64)> {
        self.globals().iter_forced_variations().map(|(key, index)| (key.into(), index)).collect()
    }

    /// Replaces the variations forced for everybody.
    pub fn set_forced_variations<K: Into<Box<str>>>(
        &self,
        variations: impl IntoIterator<Item = (K, i64)>,
    ) {
        let variations: Vec<(Box<str>, i64)> =
            variations.into_iter().map(|(key, index)| (key.into(), index)).collect();
        self.change_globals(|globals| globals.forced_variations(variations.iter().cloned()));
    }

    /// The feature values forced for everybody, by feature key.
    pub fn forced_features(&self) -> Vec<(String, Value)> {
        self.globals()
            .iter_forced_features()
            .map(|(key, value)| (key.into(), value.clone()))
            .collect()
    }

    /// Replaces the feature values forced for everybody.
    pub fn set_forced_features<K: Into<Box<str>>>(
        &self,
        values: impl IntoIterator<Item = (K, Value)>,
    ) {
        let values: Vec<(Box<str>, Value)> =
            values.into_iter().map(|(key, value)| (key.into(), value)).collect();
        self.change_globals(|globals| globals.forced_features(values.iter().cloned()));
    }
}

/// Logs what was wrong in a payload.
fn log_warnings(snapshot: &Snapshot) {
    /// More would be a flood; the rest is in [`Client::warnings`].
    const LOGGED: usize = 20;
    let warnings = snapshot.warnings();
    for warning in warnings.iter().take(LOGGED) {
        log::warn!(target: LOG_TARGET, "payload: {warning}");
    }
    if warnings.len() > LOGGED {
        log::warn!(target: LOG_TARGET, "payload: {} more warnings", warnings.len() - LOGGED);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner.state.load();
        formatter
            .debug_struct("Client")
            .field("snapshot", &state.snapshot)
            .field("globals", &state.globals)
            .finish_non_exhaustive()
    }
}
