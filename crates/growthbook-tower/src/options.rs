//! The options of a layer or middleware.

use std::collections::HashSet;
use std::fmt;

use growthbook::UserContext;
use growthbook::sticky::CookieOptions;

use crate::attributes::RequestAttributes;
use crate::devtools::{Devtools, DevtoolsSettings};
use crate::hook::{Hook, Question, UserHook};
use crate::id_cookie::IdCookie;

/// The options of a layer or middleware.
///
/// `R` is the request that closures get: [`http::request::Parts`] with tower and axum, and
/// `HttpRequest` with actix-web. A closure that panics does not break the request: it is logged, and
/// the request continues without its result.
///
/// ```
/// use growthbook_tower::{IdCookie, Options, RequestAttributes};
/// use growthbook::sticky::CookieOptions;
/// use http::request::Parts;
///
/// struct Session { user_id: u64, plan: String }
///
/// let options = Options::new()
///     // A proxy ends TLS, and sets the header itself.
///     .attributes(RequestAttributes::new().https(true).trust_forwarded_host(true))
///     .id_cookie(IdCookie::new().secure(true))
///     .sticky_cookies(CookieOptions::new().secure(true))
///     // A layer of the application has found the session before.
///     .user(|request: &Parts, user| match request.extensions.get::<Session>() {
///         Some(session) => user.attribute("id", session.user_id).attribute("plan", &session.plan),
///         None => user,
///     })
///     .show_attributes(["plan"]);
/// ```
pub struct Options<R> {
    pub(crate) settings: Settings,
    pub(crate) hooks: Hooks<R>,
}

/// The options that do not depend on the kind of request.
pub(crate) struct Settings {
    pub(crate) attributes: RequestAttributes,
    pub(crate) id_cookie: Option<IdCookie>,
    pub(crate) sticky_cookies: Option<CookieOptions>,
    pub(crate) defers_exposures: bool,
    /// More attributes that the browser may see.
    pub(crate) shown: HashSet<Box<str>>,
    pub(crate) devtools: Option<DevtoolsSettings>,
}

/// The closures of the application.
pub(crate) struct Hooks<R> {
    pub(crate) user: Option<UserHook<R>>,
    pub(crate) consent: Option<Question<R>>,
    pub(crate) devtools: Option<Question<R>>,
}

impl<R> Options<R> {
    /// Creates the default options: all [attributes](RequestAttributes), the
    /// [id cookie](IdCookie), exposures after the response, and neither sticky cookies nor devtools.
    pub fn new() -> Self {
        let settings = Settings {
            attributes: RequestAttributes::new(),
            id_cookie: Some(IdCookie::new()),
            sticky_cookies: None,
            defers_exposures: true,
            shown: HashSet::new(),
            devtools: None,
        };
        Options { settings, hooks: Hooks { user: None, consent: None, devtools: None } }
    }

    /// Sets the attributes that requests have by themselves. Default: all, without trust in
    /// `X-Forwarded-*` headers.
    #[must_use]
    pub fn attributes(mut self, attributes: RequestAttributes) -> Self {
        self.settings.attributes = attributes;
        self
    }

    /// Sets the cookie with the id of users who are not logged in. Default: [`IdCookie::new`].
    #[must_use]
    pub fn id_cookie(mut self, cookie: IdCookie) -> Self {
        self.settings.id_cookie = Some(cookie);
        self
    }

    /// Neither reads nor sets an id cookie. Users then have no id, unless [`user`](Options::user)
    /// gives them one.
    #[must_use]
    pub fn without_id_cookie(mut self) -> Self {
        self.settings.id_cookie = None;
        self
    }

    /// Sets a closure that decides whether the id cookie may be set. Without consent, a user without
    /// the cookie has another id in each request. Default: consent is given.
    ///
    /// [`RequestScope::persist_id`](crate::RequestScope::persist_id) sets the cookie in the request
    /// that gives consent.
    #[must_use]
    pub fn consent(mut self, consent: impl Fn(&R) -> bool + Send + Sync + 'static) -> Self {
        self.hooks.consent = Some(Hook::new("Options::consent", Box::new(consent)));
        self
    }

    /// Sets a closure that adds to the user of a request. It gets the user with the attributes of the
    /// request. It must not block.
    #[must_use]
    pub fn user(
        mut self,
        user: impl Fn(&R, UserContext) -> UserContext + Send + Sync + 'static,
    ) -> Self {
        self.hooks.user = Some(Hook::new("Options::user", Box::new(user)));
        self
    }

    /// Keeps sticky bucket documents in cookies, which the JavaScript SDK reads and writes as well.
    /// Default: none.
    ///
    /// Assignments that are made after the head of the response are not kept.
    #[must_use]
    pub fn sticky_cookies(mut self, cookies: CookieOptions) -> Self {
        self.settings.sticky_cookies = Some(cookies);
        self
    }

    /// Sets when the client's plugins receive the exposures of a request. True: when the response is
    /// done and the last [`RequestScope`](crate::RequestScope) of the request is dropped. False: at
    /// once. Default: true.
    ///
    /// Exposures are only handed over to a browser if they are deferred.
    #[must_use]
    pub fn defer_exposures(mut self, is_deferred: bool) -> Self {
        self.settings.defers_exposures = is_deferred;
        self
    }

    /// Adds attributes that the browser may see, in [hydration](crate::RequestScope::hydration) and
    /// devtools. It also sees the id, and the attributes that a request has by itself.
    #[must_use]
    pub fn show_attributes<N: Into<Box<str>>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        self.settings.shown.extend(names.into_iter().map(Into::into));
        self
    }

    /// Switches GrowthBook's devtools on. Default: off.
    ///
    /// They let a visitor choose values, so restrict them with [`Devtools::allow`], or use them only
    /// while developing.
    #[must_use]
    pub fn devtools(mut self, devtools: Devtools<R>) -> Self {
        self.settings.devtools = Some(devtools.settings);
        self.hooks.devtools = devtools.allow;
        self
    }
}

/// The same as [`Options::new`].
impl<R> Default for Options<R> {
    fn default() -> Self {
        Options::new()
    }
}

impl<R> fmt::Debug for Options<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("attributes", &self.settings.attributes)
            .field("id_cookie", &self.settings.id_cookie)
            .field("sticky_cookies", &self.settings.sticky_cookies)
            .field("defer_exposures", &self.settings.defers_exposures)
            .field("show_attributes", &self.settings.shown)
            .field("devtools", &self.settings.devtools.is_some())
            .finish_non_exhaustive()
    }
}
