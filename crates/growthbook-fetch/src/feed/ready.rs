//! Awaiting the first payload.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::source::{Member, NotReady};

/// Resolves with the first attempt: to success when there is a payload from the network or a
/// cache. It has no timer, so that it works on any executor. With
/// [`Refresh::Manual`](crate::Refresh::Manual) there are no attempts, and it resolves at once.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct ReadyFuture {
    pub(super) member: Arc<Member>,
    pub(super) is_manual: bool,
}

impl Future for ReadyFuture {
    type Output = Result<(), NotReady>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.member.poll_ready(context) {
            Poll::Pending if self.is_manual => {
                Poll::Ready(Err(NotReady { cause: None, timed_out: false }))
            }
            outcome => outcome,
        }
    }
}
