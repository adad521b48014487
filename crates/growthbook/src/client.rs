//! The client: the payload in use and the settings that hold for everybody.

use core::fmt;
use std::sync::Arc;

use growthbook_core::sticky::StickyBuckets;
use growthbook_core::{
    AttributeSource, Payload, PayloadError, PayloadSource, Snapshot, UserContext,
};
use serde_json::{Map, Value};

#[cfg(feature = "fetch")]
use crate::connection::Connection;
use crate::scope::UserScope;
use crate::state::Live;

/// A GrowthBook client. Cloning it is cheap and gives another handle on the same one.
///
/// The payload in use is swapped in whole: a [`UserScope`] made before a
/// [`set_payload`](Client::set_payload) goes on with the old one, one made after sees the new
/// one, none sees a mixture.
#[derive(Clone)]
pub struct Client {
    live: Arc<Live>,
    /// Dropped with the last handle, whatever scopes there still are.
    #[cfg(feature = "fetch")]
    connection: Option<Arc<Connection>>,
}

impl Client {
    pub(crate) fn without_server(live: Live) -> Self {
        Client {
            live: Arc::new(live),
            #[cfg(feature = "fetch")]
            connection: None,
        }
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn with_server(live: Arc<Live>, connection: Connection) -> Self {
        Client { live, connection: Some(Arc::new(connection)) }
    }

    #[cfg(feature = "fetch")]
    pub(crate) fn connection(&self) -> Option<&Connection> {
        self.connection.as_deref()
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    /// Evaluates for a user: takes hold of the payload in use, so that all answers of the scope
    /// agree with one another.
    ///
    /// With a [sticky bucket store](crate::ClientBuilder::sticky_bucket_store) the user's documents are
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
        UserScope::new(self.live.load(), user, buckets)
    }

    /// Replaces the payload, even by an older one.
    ///
    /// A client that asks a server goes on with that: the next change from there replaces this
    /// payload, unless it is known to be older.
    ///
    /// # Errors
    ///
    /// When the document is not a payload, or the key does not open it. The payload in use stays.
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

    /// The feature definitions in use, by key, as JSON. Made anew on every call.
    pub fn features(&self) -> Map<String, Value> {
        self.live.load().payload().features()
    }

    /// The payload in use, as read: to [reduce](growthbook_core::reduce::reduce_payload) it for a browser.
    pub fn payload(&self) -> Arc<Payload> {
        self.live.load().payload().clone()
    }

    /// The compiled payload in use: feature keys, warnings, date.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.live.load().snapshot().clone()
    }

    /// What was wrong in the payload in use, in words. Everything else of it counts.
    pub fn warnings(&self) -> Vec<growthbook_core::Warning> {
        self.live.load().snapshot().warnings().to_vec()
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
