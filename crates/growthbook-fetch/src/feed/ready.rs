//! Waiting for the first payload.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::FeedState;
use crate::error::FetchError;

/// There is no payload from the network or a cache yet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NotReady {
    /// Why the last attempt failed; `None` when none has ended yet.
    pub cause: Option<FetchError>,
    /// Whether waiting came to its end. Otherwise there was no point in waiting on.
    pub timed_out: bool,
}

/// There will not be one.
impl From<FetchError> for NotReady {
    fn from(cause: FetchError) -> Self {
        NotReady { cause: Some(cause), timed_out: false }
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("there is no payload yet")?;
        match &self.cause {
            Some(cause) => write!(formatter, ": {cause}"),
            None if self.timed_out => formatter.write_str(": the server has not answered in time"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for NotReady {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// How far a client has come with its first payload.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// The first attempt has not ended.
    Pending,
    /// The last attempt has failed. There will be others.
    Failed(FetchError),
    /// There is a payload.
    Ready,
    /// The client is closed.
    Closed(FetchError),
}

/// Resolves with the first attempt: to success when there is a payload from the network or a
/// cache. Has no timer, so that it works on any executor. With
/// [`Refresh::Manual`](crate::Refresh::Manual) nobody makes an attempt, and it resolves at once.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct ReadyFuture {
    pub(super) state: Arc<FeedState>,
    pub(super) is_manual: bool,
}

impl Future for ReadyFuture {
    type Output = Result<(), NotReady>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.state.poll_ready(context) {
            Poll::Pending if self.is_manual => {
                Poll::Ready(Err(NotReady { cause: None, timed_out: false }))
            }
            outcome => outcome,
        }
    }
}
