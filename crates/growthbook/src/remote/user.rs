//! A user whose features a server evaluates.

use core::fmt;
use core::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use growthbook_core::UserContext;
use growthbook_fetch::{AnswerFuture, NoAnswer, UserAnswer};

use crate::scope::UserScope;
use crate::state::Live;

/// A scope for a user on the server's answer, and how old the answer is.
#[derive(Debug)]
#[non_exhaustive]
pub struct RemoteUser {
    /// Evaluates with the last good answer, or with the fallback if there is not one.
    pub scope: UserScope<'static>,
    /// How long ago the server sent the answer. `None` if the fallback is in use.
    pub age: Option<Duration>,
    /// Why there is no answer, or why it may be outdated. `None` if it is as fresh as it should be.
    pub error: Option<NoAnswer>,
}

impl RemoteUser {
    pub(super) fn new(live: &Live, user: UserContext, answer: UserAnswer) -> Self {
        let UserAnswer { answer, age, error, .. } = answer;
        let local = live.load();
        let pinned = match answer {
            Some(answer) => answer.pin(local.data().clone()),
            None => local,
        };
        RemoteUser { scope: UserScope::new(pinned, (user, None), None), age, error }
    }
}

/// Resolves when the server has answered for a user, or the request has failed: see
/// [`RemoteClient::user`](super::RemoteClient::user).
#[must_use = "futures do nothing unless awaited"]
pub struct UserFuture {
    live: Arc<Live>,
    user: UserContext,
    answer: AnswerFuture,
}

impl UserFuture {
    pub(super) fn new(live: Arc<Live>, user: UserContext, answer: AnswerFuture) -> Self {
        UserFuture { live, user, answer }
    }

    /// Returns the user as it is known now, without waiting: with the last good answer, or with the
    /// fallback.
    pub fn now(&self) -> RemoteUser {
        RemoteUser::new(&self.live, self.user.clone(), self.answer.now())
    }
}

impl Future for UserFuture {
    type Output = RemoteUser;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RemoteUser> {
        let Poll::Ready(answer) = Pin::new(&mut self.answer).poll(context) else {
            return Poll::Pending;
        };
        let user = mem::take(&mut self.user);
        Poll::Ready(RemoteUser::new(&self.live, user, answer))
    }
}

impl fmt::Debug for UserFuture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UserFuture").finish_non_exhaustive()
    }
}
