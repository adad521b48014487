//! The client: the payload in use, and scopes for users.

use core::fmt;
use std::sync::Arc;

use growthbook_core::sticky::StickyBuckets;
use growthbook_core::{
    AttributeSource, IntoUser, Payload, PayloadError, PayloadSource, Snapshot, UserContext,
};
use serde_json::{Map, Value};

#[cfg(feature = "fetch")]
use crate::connection::Connection;
use crate::listeners::{Registry, StopOnDrop};
use crate::scope::UserScope;
use crate::state::Live;

/// A GrowthBook client. A clone is cheap, and is another handle on the same client.
///
/// The payload in use is swapped in whole. A [`UserScope`] made before a
/// [`set_payload`](Client::set_payload) keeps the old payload, and one made after it has the new
/// one. A scope never sees a mixture.
#[derive(Clone)]
pub struct Client {
    live: Arc<Live>,
    /// Dropped with the last handle, even if scopes still exist.
    #[cfg(feature = "fetch")]
    connection: Option<Arc<Connection>>,
    plugins: Arc<StopOnDrop>,
}

impl Client {
    /// Returns a scope that evaluates for a user. It pins the payload in use, so that all its answers
    /// agree with one another.
    ///
    /// With a [sticky bucket store](crate::ClientBuilder::sticky_bucket_store), this call loads the
    /// user's documents, and an evaluation that makes an assignment saves it. Both may block.
    /// [`for_user_with_sticky`](Client::for_user_with_sticky) takes documents that the application
    /// has loaded.
    ///
    /// A user is a [`UserContext`], an id, attributes, or a reference to a struct that derives
    /// [`AttributeSource`]. The struct is not copied.
    pub fn for_user<'s>(&self, user: impl IntoUser<'s>) -> UserScope<'s> {
        let scope = self.scope(user.into_user(), None);
        scope.load_sticky_buckets();
        scope
    }

    /// Returns a scope for a user whose attributes are in a type of yours. Nothing is built or
    /// allocated. For a user with settings, such as an address, see [`UserScope::with_source`].
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
        self.for_user((UserContext::default(), source))
    }

    /// Returns a scope for a user with sticky bucketing on these documents. Save the changed ones,
    /// which [`UserScope::take_changed_sticky_buckets`] returns.
    ///
    /// A client without a store does not load or save. A client with a store saves changed documents.
    /// It loads no documents for features; for [`UserScope::run`] it loads those that are missing
    /// here.
    pub fn for_user_with_sticky<'s>(
        &self,
        user: impl IntoUser<'s>,
        buckets: StickyBuckets,
    ) -> UserScope<'s> {
        self.scope(user.into_user(), Some(buckets))
    }

    /// Replaces the payload, even by an older one.
    ///
    /// A connected client continues to refresh. The next change from the server replaces this
    /// payload, unless it is known to be older.
    ///
    /// The document is a whole payload. A section that it lacks, such as `savedGroups`, is empty
    /// afterwards. The JavaScript and Python SDKs keep that section of the payload before. To
    /// replace only the features, use [`set_features`](Client::set_features).
    ///
    /// # Errors
    ///
    /// When the document is not a payload, or the key does not open it. A document without
    /// `features` is not a payload. The payload in use stays.
    pub fn set_payload(&self, document: impl AsRef<[u8]>) -> Result<(), PayloadError> {
        let payload = self.live.read(document.as_ref())?;
        self.live.replace(payload, PayloadSource::Application);
        Ok(())
    }

    /// Replaces the feature definitions, and keeps the rest of the payload: saved groups, bandits,
    /// auto experiments, date.
    ///
    /// # Errors
    ///
    /// When `features` is not an object. The payload in use stays.
    pub fn set_features(&self, features: &Value) -> Result<(), PayloadError> {
        self.live.update(PayloadSource::Application, |payload| payload.with_features(features))
    }

    /// Returns the feature definitions in use, by key, as JSON. Each call builds them again.
    pub fn features(&self) -> Map<String, Value> {
        self.live.load().payload().features()
    }

    /// Returns the payload in use as it was read, for example to
    /// [reduce](growthbook_core::reduce::reduce_payload) it for a browser.
    pub fn payload(&self) -> Arc<Payload> {
        self.live.load().payload().clone()
    }

    /// Returns the compiled payload in use: feature keys, warnings, date.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.live.load().snapshot().clone()
    }

    /// Returns the warnings of the payload in use: the parts that were left out, and why. After
    /// them come the regular expressions for which a search reached its step limit so far.
    pub fn warnings(&self) -> Vec<growthbook_core::Warning> {
        let in_use = self.live.load();
        let mut warnings = in_use.snapshot().warnings().to_vec();
        warnings.extend(in_use.snapshot().evaluation_warnings());
        warnings
    }
}

impl Client {
    pub(crate) fn without_server(live: Live, plugins: StopOnDrop) -> Self {
        Client {
            live: Arc::new(live),
            #[cfg(feature = "fetch")]
            connection: None,
            plugins: Arc::new(plugins),
        }
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn with_server(
        live: Arc<Live>,
        connection: Connection,
        plugins: StopOnDrop,
    ) -> Self {
        Client { live, connection: Some(Arc::new(connection)), plugins: Arc::new(plugins) }
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn connection(&self) -> Option<&Connection> {
        self.connection.as_deref()
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    pub(crate) fn shared_live(&self) -> &Arc<Live> {
        &self.live
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.plugins.0
    }

    fn scope<'s>(
        &self,
        user: (UserContext, Option<&'s dyn AttributeSource>),
        buckets: Option<StickyBuckets>,
    ) -> UserScope<'s> {
        #[cfg(feature = "fetch")]
        if let Some(connection) = &self.connection {
            connection.notice_fork();
        }
        UserScope::new(self.live.load(), user, buckets)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_use = self.live.load();
        formatter
            .debug_struct("Client")
            .field("snapshot", in_use.snapshot())
            .field("globals", &in_use.data().globals)
            .finish_non_exhaustive()
    }
}
