//! Remote evaluation, on the client's side: the server evaluates for each user, and sends a payload
//! without rules.
//!
//! Reading order: `options`, `status` (what an application sets and sees), `request` (the body and
//! the key of an answer), `answers` (which are kept, and when the server is asked again), `pauses`
//! (when it is not asked at all), `flight`, `flights` (requests in progress), `source` (these parts
//! together), `threads`, `worker`, `follower` (the IO), and this module.

mod answers;
mod flight;
mod flights;
mod follower;
mod health;
mod options;
mod pauses;
mod request;
mod source;
mod status;
mod threads;
mod worker;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use growthbook_core::{GlobalContext, UserContext};

pub use options::{
    DEFAULT_REMOTE_ANSWER_BYTES, DEFAULT_REMOTE_ANSWERS, DEFAULT_REMOTE_HARD_TTL,
    DEFAULT_REMOTE_REQUESTS, DEFAULT_REMOTE_SOFT_TTL, MAX_WAITING_REQUESTS, RemoteOptions,
};
pub use status::{NoAnswer, RemoteCounters, RemoteStatus, UserAnswer};

use crate::config_error::ConfigError;
use crate::error::FetchError;
use crate::feed::CloseTimedOut;
use answers::Kept;
use flight::{Flight, Landed};
use request::RemoteRequest;
use source::{Looked, OnFailure, RemoteSource};

/// Gets the answers of a server that evaluates for each user.
///
/// An answer is kept, and used until its soft limit. From then on it is used and refreshed at the
/// same time, and from its hard limit on, or after the server has announced a change, the server is
/// asked first. The last good answer is used through every failure.
///
/// All users share a bounded number of threads and connections. Those for requests start
/// with the first request, and end some seconds after the last one. Dropping the feed closes it, within
/// [`FetchOptions::close_timeout`](crate::FetchOptions::close_timeout).
pub struct RemoteFeed {
    source: ArcSwap<RemoteSource>,
    options: RemoteOptions,
    on_failure: Arc<OnFailure>,
    is_closed: AtomicBool,
}

impl RemoteFeed {
    /// Checks the options. Nothing is sent before an answer for a user is asked for. `on_failure` is
    /// called after each request that failed, on the thread that sent it, under no lock.
    ///
    /// # Errors
    ///
    /// When an option is invalid, or the host is one of GrowthBook's own (`*.growthbook.io`).
    pub fn new(
        options: RemoteOptions,
        on_failure: impl Fn(&FetchError) + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        let on_failure: Arc<OnFailure> = Arc::new(on_failure);
        let source = RemoteSource::new(&options, on_failure.clone())?;
        let (source, is_closed) = (ArcSwap::new(source), AtomicBool::new(false));
        Ok(RemoteFeed { source, options, on_failure, is_closed })
    }

    /// Returns the answer for a user, and waits for the server no longer than the timeout. It does
    /// not wait if there is an answer that may be used. The end of a request that failed ends the
    /// wait.
    pub fn wait(
        &self,
        user: &UserContext,
        globals: &GlobalContext,
        timeout: Duration,
    ) -> UserAnswer {
        let source = self.source();
        match self.look_up(&source, user, globals) {
            Looked::Done(answer) => answer,
            Looked::Waiting { flight, last } => match flight.wait(timeout) {
                Some(landed) => ended(&source, landed, last),
                None => source.used(last, Some(NoAnswer { cause: None, timed_out: true })),
            },
        }
    }

    /// Returns a future of the answer for a user, for async code on any executor. The request is
    /// sent at once, and not when the future is first polled.
    pub fn ask(&self, user: &UserContext, globals: &GlobalContext) -> AnswerFuture {
        let source = self.source();
        AnswerFuture(match self.look_up(&source, user, globals) {
            Looked::Done(answer) => Progress::Done(answer),
            Looked::Waiting { flight, last } => {
                let future = flight.join();
                Progress::Waiting { source, flight, future, last }
            }
        })
    }

    /// Returns the status.
    pub fn status(&self) -> RemoteStatus {
        self.source().status()
    }

    /// Ends all requests and the stream. Answers that are kept stay in use. Afterwards the threads
    /// and sockets are gone.
    ///
    /// # Errors
    ///
    /// When that takes longer than the deadline. The threads end a little later.
    pub fn close(&self, deadline: Duration) -> Result<(), CloseTimedOut> {
        let start = Instant::now();
        self.is_closed.store(true, Ordering::Relaxed);
        let source = self.source.load_full();
        if source.is_left_behind() {
            return Ok(());
        }
        source.stop();
        let has_ended = source.wait_for_threads(deadline.saturating_sub(start.elapsed()));
        if has_ended { Ok(()) } else { Err(CloseTimedOut) }
    }

    fn look_up(
        &self,
        source: &Arc<RemoteSource>,
        user: &UserContext,
        globals: &GlobalContext,
    ) -> Looked {
        match RemoteRequest::new(user, globals, self.options.key_attributes.as_deref()) {
            Ok(request) => source.look_up(&request),
            Err(error) => Looked::Done(source.used(None, Some(FetchError::from(error).into()))),
        }
    }

    /// Returns the source of this process. The child of a fork has its own, without answers.
    fn source(&self) -> Arc<RemoteSource> {
        let found = self.source.load_full();
        if !found.is_left_behind() {
            return found;
        }
        // The options were checked before.
        let Ok(own) = RemoteSource::new(&self.options, self.on_failure.clone()) else {
            return found;
        };
        if self.is_closed.load(Ordering::Relaxed) {
            own.stop();
        }
        self.source.compare_and_swap(&found, own);
        // Dropping the parent's source could wait forever for one of its locks.
        core::mem::forget(found);
        // This source, or the one of a thread that was faster.
        self.source.load_full()
    }
}

impl Drop for RemoteFeed {
    fn drop(&mut self) {
        // A destructor cannot report the error.
        let _ = self.close(self.options.fetch.close_timeout);
    }
}

impl fmt::Debug for RemoteFeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RemoteFeed").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// The answer of a request that has ended, or the last good one.
fn ended(source: &RemoteSource, landed: Landed, last: Option<Kept>) -> UserAnswer {
    match landed {
        Ok(kept) => source.used(Some(kept), None),
        Err(error) => source.used(last, Some(error.into())),
    }
}

/// Resolves when the server has answered for a user, or the request has failed. It resolves at once
/// if there is an answer that may be used. It has no timer, so that it works on any executor; the
/// time limits of requests hold.
#[must_use = "futures do nothing unless awaited"]
pub struct AnswerFuture(Progress);

enum Progress {
    Done(UserAnswer),
    Waiting {
        source: Arc<RemoteSource>,
        flight: Arc<Flight>,
        /// The number of this future among those that wait.
        future: u64,
        last: Option<Kept>,
    },
}

impl AnswerFuture {
    /// Returns what is known now, without waiting: the last good answer, if there is one.
    pub fn now(&self) -> UserAnswer {
        match &self.0 {
            Progress::Done(answer) => answer.clone(),
            Progress::Waiting { source, flight, last, .. } => match flight.wait(Duration::ZERO) {
                Some(landed) => ended(source, landed, last.clone()),
                None => source.used(last.clone(), Some(NoAnswer { cause: None, timed_out: false })),
            },
        }
    }
}

impl Future for AnswerFuture {
    type Output = UserAnswer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<UserAnswer> {
        match &self.0 {
            Progress::Done(answer) => Poll::Ready(answer.clone()),
            Progress::Waiting { source, flight, future, last } => {
                flight.poll(*future, context).map(|landed| ended(source, landed, last.clone()))
            }
        }
    }
}

impl Drop for AnswerFuture {
    fn drop(&mut self) {
        if let Progress::Waiting { flight, future, .. } = &self.0 {
            flight.leave(*future);
        }
    }
}

impl fmt::Debug for AnswerFuture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AnswerFuture").finish_non_exhaustive()
    }
}
