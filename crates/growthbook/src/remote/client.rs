//! The client that lets a server evaluate.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use growthbook_core::UserContext;
use growthbook_fetch::{CloseTimedOut, RemoteFeed, RemoteStatus};

use super::user::{RemoteUser, UserFuture};
use crate::client::Client;

/// A client that lets a server evaluate for each user: see [`Client::remote_builder`]. A clone is
/// cheap, and is another handle on the same client.
///
/// Each user gets a scope on the server's answer for this user. Everything else works as with local
/// evaluation: typed values, callbacks, plugins, deferred calls.
///
/// The last good answer of a user is used through every failure. A user without one gets the
/// fallback, and [`RemoteUser::error`] says why.
#[derive(Clone)]
pub struct RemoteClient {
    /// The first field, so that no request fails after the plugins have stopped.
    feed: Arc<RemoteFeed>,
    client: Client,
}

impl RemoteClient {
    pub(super) fn new(client: Client, feed: RemoteFeed) -> Self {
        RemoteClient { feed: Arc::new(feed), client }
    }

    /// Returns a scope for a user. Waits for the server, but no longer than the timeout. It does not
    /// wait if there is an answer for the user that may be used, and not after a failure.
    ///
    /// It blocks. In async code, use [`user`](Self::user).
    pub fn wait_for_user(&self, user: impl Into<UserContext>, timeout: Duration) -> RemoteUser {
        let user = user.into();
        let answer = self.feed.wait(&user, &self.client.globals(), timeout);
        RemoteUser::new(self.client.shared_live(), user, answer)
    }

    /// Returns a future of a scope for a user, for async code on any executor. The request is sent at
    /// once, and not when the future is first polled.
    ///
    /// The future has no timer: it resolves when the server has answered, or when the request has
    /// failed. To wait for a shorter time, use the executor's timeout, and then
    /// [`UserFuture::now`].
    ///
    /// ```
    /// # async fn handle(remote: &growthbook::RemoteClient) {
    /// let user = remote.user("user-123").await;
    /// if let Some(error) = &user.error {
    ///     eprintln!("the flags may be outdated: {error}");
    /// }
    /// let is_on = user.scope.is_on("new-checkout");
    /// # }
    /// ```
    pub fn user(&self, user: impl Into<UserContext>) -> UserFuture {
        let user = user.into();
        let answer = self.feed.ask(&user, &self.client.globals());
        UserFuture::new(self.client.shared_live().clone(), user, answer)
    }

    /// Returns a scope for a user on the last good answer, or on the fallback, and never waits. If
    /// the server has to be asked, that happens meanwhile, for a later call.
    pub fn user_now(&self, user: impl Into<UserContext>) -> RemoteUser {
        self.user(user).now()
    }

    /// Returns the client for all that is not about one user: global settings, subscriptions, logged
    /// events, counts, flushing. Its own scopes are on the fallback.
    pub fn local(&self) -> &Client {
        &self.client
    }

    /// Returns the status of requests and answers.
    pub fn status(&self) -> RemoteStatus {
        self.feed.status()
    }

    /// Ends all requests, for all handles of this client. Answers that are kept stay in use.
    /// Afterwards the threads and sockets are gone. Plugins send what they have queued, and stop.
    ///
    /// Dropping the last handle does the same, within
    /// [`close_timeout`](crate::FetchOptions::close_timeout), and
    /// [`DEFAULT_PLUGIN_STOP_TIMEOUT`](crate::tracking::DEFAULT_PLUGIN_STOP_TIMEOUT) for plugins.
    ///
    /// # Errors
    ///
    /// When that takes longer than the deadline. The threads end a little later.
    pub fn close(&self, deadline: Duration) -> Result<(), CloseTimedOut> {
        let start = growthbook_support::now();
        let closed = self.feed.close(deadline);
        let spent = start.map(|start| start.elapsed()).unwrap_or_default();
        closed.and(self.client.close(deadline.saturating_sub(spent)))
    }
}

impl fmt::Debug for RemoteClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RemoteClient")
            .field("status", &self.status())
            .field("local", &self.client)
            .finish_non_exhaustive()
    }
}
