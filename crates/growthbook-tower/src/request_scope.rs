//! The user scope of a request.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use growthbook::{Attributes, Client, UserContext, UserScope};

use crate::devtools::{DevtoolsSession, DevtoolsSettings};
use crate::options::Settings;
use crate::shown::Shown;

/// The user scope of a request. A handler takes it as an argument, or from the request's extensions.
///
/// It derefs to the [`UserScope`]. A clone is another handle on the same scope. It is `Send`, `Sync`
/// and `'static`, so tasks of the request can have it, too. Exposures are reported after the last
/// handle is dropped. So keep a handle, and not only a plain `UserScope` that was made from it.
#[derive(Clone)]
pub struct RequestScope {
    scope: Arc<UserScope<'static>>,
    request: Arc<RequestState>,
}

/// The parts of a new scope.
pub(crate) struct NewScope {
    pub(crate) scope: UserScope<'static>,
    pub(crate) client: Client,
    pub(crate) settings: Arc<Settings>,
    /// The id in the cookie, or the one for it.
    pub(crate) id: Option<Box<str>>,
    /// Whether the request did not have that cookie.
    pub(crate) is_id_new: bool,
    /// Whether the response sets the id cookie.
    pub(crate) persists_id: bool,
    /// `None` if this request does not have devtools.
    pub(crate) devtools: Option<DevtoolsSession>,
}

/// The state that all scopes of a request share.
struct RequestState {
    /// The scope of the request's own user.
    scope: Arc<UserScope<'static>>,
    client: Client,
    settings: Arc<Settings>,
    id: Option<Box<str>>,
    is_id_new: bool,
    persists_id: AtomicBool,
    devtools: Option<DevtoolsSession>,
}

impl RequestScope {
    pub(crate) fn new(parts: NewScope) -> Self {
        let NewScope { scope, client, settings, id, is_id_new, persists_id, devtools } = parts;
        let scope = Arc::new(scope);
        let request = RequestState {
            scope: scope.clone(),
            client,
            settings,
            id,
            is_id_new,
            persists_id: AtomicBool::new(persists_id),
            devtools,
        };
        RequestScope { scope, request: Arc::new(request) }
    }

    /// Returns the client that all requests share.
    pub fn client(&self) -> &Client {
        &self.request.client
    }

    /// Returns the scope with these attributes on top, as [`UserScope::with_attributes`] does. The
    /// values that a developer has chosen in [devtools](crate::Options::devtools) stay on top of
    /// them.
    #[must_use]
    pub fn with_attributes(&self, attributes: impl Into<Attributes>) -> Self {
        self.changed_to(self.scope.with_attributes(attributes))
    }

    /// Returns a scope for another user, for example after a login. It has the same payload, as
    /// [`UserScope::for_user`] says, and none of the attributes of the request.
    #[must_use]
    pub fn for_user(&self, user: impl Into<UserContext>) -> Self {
        self.changed_to(self.scope.for_user(user.into()))
    }

    /// Returns the id in the id cookie, or the new one for it. `None` without an
    /// [id cookie](crate::Options::without_id_cookie).
    pub fn cookie_id(&self) -> Option<&str> {
        self.request.id.as_deref()
    }

    /// Lets the response set the id cookie, also without [consent](crate::Options::consent) before.
    /// Call it in the request in which the user consents. It has no effect after the head of the
    /// response.
    pub fn persist_id(&self) {
        self.request.persists_id.store(true, Ordering::Relaxed);
    }
}

impl RequestScope {
    /// Whether the response sets the id cookie.
    pub(crate) fn persists_id(&self) -> bool {
        self.request.persists_id.load(Ordering::Relaxed)
    }

    /// Whether the browser has the id in its cookie, after this response at the latest.
    pub(crate) fn is_id_saved(&self) -> bool {
        !self.request.is_id_new || self.persists_id()
    }

    /// Returns the devtools of this request, if it has them.
    pub(crate) fn devtools(&self) -> Option<(&DevtoolsSettings, &DevtoolsSession)> {
        self.request.settings.devtools.as_ref().zip(self.request.devtools.as_ref())
    }

    /// Returns the attributes that the browser may see.
    pub(crate) fn shown(&self) -> Shown<'_> {
        Shown::new(self.settings())
    }

    /// Returns the settings of the layer.
    pub(crate) fn settings(&self) -> &Settings {
        &self.request.settings
    }

    /// Returns another scope of the same request.
    fn changed_to(&self, scope: UserScope<'static>) -> Self {
        let scope = match &self.request.devtools {
            Some(devtools) => devtools.state.apply(&scope),
            None => scope,
        };
        RequestScope { scope: Arc::new(scope), request: self.request.clone() }
    }
}

impl Deref for RequestScope {
    type Target = UserScope<'static>;

    fn deref(&self) -> &UserScope<'static> {
        &self.scope
    }
}

/// Reports the exposures that were deferred, unless a browser has got them.
impl Drop for RequestState {
    fn drop(&mut self) {
        if self.settings.defers_exposures {
            self.client.fire_deferred_calls(&self.scope.take_deferred_calls());
        }
    }
}

impl fmt::Debug for RequestScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("RequestScope").field(&self.scope).finish()
    }
}
