//! Awaiting the first payload.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::source::{Member, NotReady};

/// Resolves to success when there is a payload from the network or a cache, and to an error with
/// the first attempt that fails after the future was made. If the server has refused
/// ([`FetchErrorKind::is_refusal`](crate::FetchErrorKind::is_refusal)), it resolves at once.
///
/// It has no timer, so that it works on any executor. With
/// [`Refresh::Manual`](crate::Refresh::Manual) there may be no further attempt, so it resolves at
/// once.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct ReadyFuture {
    pub(super) member: Arc<Member>,
    pub(super) is_manual: bool,
    /// The number of attempts that failed before the future was made.
    pub(super) failures_before: u64,
}

impl Future for ReadyFuture {
    type Output = Result<(), NotReady>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.member.poll_ready(self.failures_before, context) {
            Poll::Pending if self.is_manual => {
                Poll::Ready(Err(NotReady { cause: None, timed_out: false }))
            }
            outcome => outcome,
        }
    }
}
