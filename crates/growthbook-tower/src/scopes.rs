//! The scope of a request: what every framework does before the handler runs.

use std::sync::Arc;

use growthbook::sticky::read_cookies;
use growthbook::{Client, UserContext};

use crate::cookies::Cookies;
use crate::devtools::DevtoolsSession;
use crate::head::RequestHead;
use crate::id_cookie::Id;
use crate::options::{Hooks, Options, Settings};
use crate::request_scope::{NewScope, RequestScope};

/// Makes the scopes of requests.
pub(crate) struct Scopes<R> {
    client: Client,
    settings: Arc<Settings>,
    hooks: Hooks<R>,
}

impl<R> Scopes<R> {
    pub(crate) fn new(client: Client, options: Options<R>) -> Self {
        let Options { settings, hooks } = options;
        Scopes { client, settings: Arc::new(settings), hooks }
    }
}

impl<R: RequestHead> Scopes<R> {
    /// Makes the scope of a request.
    pub(crate) fn begin(&self, request: &R) -> RequestScope {
        let cookies = Cookies::of(request);
        let id = self.settings.id_cookie.as_ref().and_then(|cookie| cookie.id(&cookies));
        let user = self.user(request, id.as_ref());
        let mut scope = match &self.settings.sticky_cookies {
            Some(_) => self.client.for_user_with_sticky(user, read_cookies(cookies.pairs())),
            None => self.client.for_user(user),
        };
        if self.settings.defers_exposures {
            scope = scope.deferring_exposures();
        }
        let has_devtools = self.settings.devtools.is_some() && self.allows_devtools(request);
        let devtools = has_devtools.then(|| DevtoolsSession::of(request, &cookies));
        if let Some(devtools) = &devtools {
            scope = devtools.state.apply(&scope.with_plugin(devtools.recorder.clone()));
        }
        let is_id_new = id.as_ref().is_some_and(|id| id.is_new);
        RequestScope::new(NewScope {
            is_id_new,
            persists_id: is_id_new && self.has_consent(request),
            id: id.map(|id| id.text),
            scope,
            client: self.client.clone(),
            settings: self.settings.clone(),
            devtools,
        })
    }

    fn user(&self, request: &R, id: Option<&Id>) -> UserContext {
        let mut user = self.settings.attributes.user(request);
        if let (Some(id), Some(cookie)) = (id, &self.settings.id_cookie) {
            user = user.attribute(cookie.attribute_name(), &*id.text);
        }
        match &self.hooks.user {
            Some(hook) => hook.call(|hook| hook(request, user.clone())).unwrap_or(user),
            None => user,
        }
    }

    /// Whether the id cookie may be set. A hook that panics does not give consent.
    fn has_consent(&self, request: &R) -> bool {
        let consent = self.hooks.consent.as_ref();
        consent.is_none_or(|hook| hook.call(|consent| consent(request)).unwrap_or(false))
    }

    fn allows_devtools(&self, request: &R) -> bool {
        let allow = self.hooks.devtools.as_ref();
        allow.is_none_or(|hook| hook.call(|allow| allow(request)).unwrap_or(false))
    }
}
