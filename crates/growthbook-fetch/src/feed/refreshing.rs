//! Refreshing without blocking the caller.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use growthbook_support::contain;

use super::Feed;
use crate::error::{FetchError, FetchErrorKind};

/// The outcome of [`Feed::refresh_async`].
///
/// It works on any executor: a thread of its own fetches, and ends with the fetch. Dropping the
/// future does not stop the fetch.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct RefreshFuture(Result<Arc<Running>, FetchError>);

impl RefreshFuture {
    /// Returns a future that resolves to this error.
    pub fn failed(error: FetchError) -> Self {
        RefreshFuture(Err(error))
    }
}

impl Future for RefreshFuture {
    type Output = Result<(), FetchError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.0 {
            Ok(running) => running.poll(context),
            Err(error) => Poll::Ready(Err(error.clone())),
        }
    }
}

/// A refresh on its own thread. Callers during it share it.
#[derive(Debug, Default)]
pub(super) struct Running {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// `None` until the refresh has ended.
    outcome: Option<Result<(), FetchError>>,
    wakers: Vec<Waker>,
    thread: Option<ThreadId>,
}

impl Running {
    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        let mut state = self.lock();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            state.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn has_ended(&self) -> bool {
        self.lock().outcome.is_some()
    }

    fn end(&self, outcome: Result<(), FetchError>) {
        let mut state = self.lock();
        state.outcome = Some(outcome);
        let wakers = core::mem::take(&mut state.wakers);
        drop(state);
        self.ended.notify_all();
        for waker in wakers {
            // A panic of one waker must not keep the others from being woken.
            let _ = contain(|| waker.wake());
        }
    }

    /// Waits for the end; false if that takes longer. The thread of the refresh does not wait for
    /// itself.
    fn wait(&self, limit: Duration) -> bool {
        let start = Instant::now();
        let mut state = self.lock();
        while state.outcome.is_none() && state.thread != Some(thread::current().id()) {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            let waited = self.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feed {
    /// Fetches on a thread of its own, which ends with the fetch. Calls during the fetch share it.
    ///
    /// The future resolves to an error when the fetch fails, when the reply is not a payload, or when
    /// the system does not start a thread. The payload in use stays.
    pub fn refresh_async(&self) -> RefreshFuture {
        if let Err(error) = self.check_open() {
            return RefreshFuture::failed(error);
        }
        let mut current = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = current.as_ref().filter(|running| !running.has_ended()) {
            return RefreshFuture(Ok(running.clone()));
        }
        let running = Arc::<Running>::default();
        let (own, source, member) = (running.clone(), self.source.clone(), self.member.clone());
        let refresh = move || {
            own.lock().thread = Some(thread::current().id());
            let fetched = contain(|| source.fetch(Duration::MAX));
            let outcome = fetched.unwrap_or_else(|_| Err(FetchErrorKind::Panicked.into()));
            own.end(outcome.and_then(|()| member.last_error().map_or(Ok(()), Err)));
        };
        match thread::Builder::new().name("growthbook-refresh".into()).spawn(refresh) {
            Ok(_) => {
                *current = Some(running.clone());
                RefreshFuture(Ok(running))
            }
            Err(error) => {
                RefreshFuture::failed(FetchError::with_source(FetchErrorKind::System, error))
            }
        }
    }

    /// Waits until the thread of [`refresh_async`](Self::refresh_async) has ended; false if that
    /// takes longer.
    pub(super) fn wait_for_refresh(&self, limit: Duration) -> bool {
        let current = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner).take();
        current.is_none_or(|running| running.wait(limit))
    }
}
