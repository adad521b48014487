//! Scopes that are made from a scope, for changes in the middle of a request.

use growthbook_core::{Attributes, IntoUser, UserContext};
use serde_json::Value;

use crate::scope::UserScope;
use crate::scope_source::ScopeSource;

/// Changes in the middle of a request.
///
/// Each method returns another scope, and leaves this one as it is. Both scopes use the same
/// payload, whatever happens to the client meanwhile, so their answers agree. They share plugins,
/// the data of [`with_extra`](UserScope::with_extra), and sticky bucket documents. They also share
/// the memory of what was reported, and the [record](UserScope::recording). A clone shares the same.
///
/// A plugin, data or recording that is added to a scope later is only for that scope.
///
/// ```
/// use growthbook::{Client, UserContext};
/// use serde_json::json;
///
/// let client = Client::from_json(r#"{"features": {"discount": {"defaultValue": 0, "rules": [
///     {"condition": {"plan": "pro"}, "force": 20}
/// ]}}}"#)?;
/// let visitor = client.for_user("visitor-1").recording();
/// assert_eq!(visitor.feature_value("discount", 0), 0);
///
/// // The request has a payment in it, and then it turns out who the user is.
/// let paid = visitor.with_attributes([("plan", "pro")]);
/// assert_eq!(paid.feature_value("discount", 0), 20);
/// let known = visitor.for_user(UserContext::new("user-7").attribute("plan", "free"));
/// assert_eq!(known.feature_value("discount", 0), 0);
///
/// // A tester looks at the page with another value.
/// let tested = known.with_forced_features([("discount", json!(5))]);
/// assert_eq!(tested.feature_value("discount", 0), 5);
/// # Ok::<(), growthbook::PayloadError>(())
/// ```
impl<'s> UserScope<'s> {
    /// Returns a scope with these attributes on top of the user's own and those of the
    /// [source](UserScope::with_source).
    ///
    /// With a [sticky bucket store](crate::ClientBuilder::sticky_bucket_store), this call loads the
    /// documents that the new attributes need, which may block.
    #[must_use]
    pub fn with_attributes(&self, attributes: impl Into<Attributes>) -> UserScope<'s> {
        let attributes = attributes.into();
        let source = self.source.covered_by(&attributes);
        let mut user = self.user.clone();
        user.extend(attributes.iter());
        let scope = UserScope { user, source, ..self.clone() };
        scope.load_sticky_buckets();
        scope
    }

    /// Returns a scope that forces these feature values, by feature key, besides those that the user
    /// already has. A value here replaces an earlier one of its key.
    #[must_use]
    pub fn with_forced_features<K: Into<Box<str>>>(
        &self,
        values: impl IntoIterator<Item = (K, Value)>,
    ) -> UserScope<'s> {
        let force = |user: UserContext, (key, value): (K, Value)| user.forced_feature(key, value);
        UserScope { user: values.into_iter().fold(self.user.clone(), force), ..self.clone() }
    }

    /// Returns a scope that forces these variations, by experiment key and index, besides those that
    /// the user already has. A variation here replaces an earlier one of its key.
    #[must_use]
    pub fn with_forced_variations<K: Into<Box<str>>>(
        &self,
        variations: impl IntoIterator<Item = (K, i64)>,
    ) -> UserScope<'s> {
        let force = |user: UserContext, (key, index): (K, i64)| user.forced_variation(key, index);
        UserScope { user: variations.into_iter().fold(self.user.clone(), force), ..self.clone() }
    }

    /// Returns a scope for another user. It keeps neither attributes nor settings of this user, and
    /// not the source.
    ///
    /// A scope of remote evaluation has the server's answer for one user. A scope that is made from it
    /// has the same answer, so ask the server for the other user instead.
    ///
    /// With a [sticky bucket store](crate::ClientBuilder::sticky_bucket_store), this call loads the
    /// user's documents, which may block.
    pub fn for_user<'t>(&self, user: impl IntoUser<'t>) -> UserScope<'t> {
        let (user, source) = user.into_user();
        let scope = UserScope {
            pinned: self.pinned.clone(),
            user,
            source: ScopeSource::from(source),
            sticky: self.sticky.clone(),
            events: self.events.as_ref().map(|events| events.for_other_user().into()),
            has_effects: self.has_effects,
        };
        scope.load_sticky_buckets();
        scope
    }
}
