//! One request in progress, and the threads and tasks that wait for its answer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use growthbook_support::contain;

use super::answers::Kept;
use super::request::RemoteRequest;
use crate::error::FetchError;

/// The end of a request.
pub(super) type Landed = Result<Kept, FetchError>;

/// One request in progress. All callers with the same key share it.
pub(super) struct Flight {
    pub(super) request: RemoteRequest,
    state: Mutex<State>,
    has_landed: Condvar,
}

#[derive(Default)]
struct State {
    /// `None` until the request has ended.
    landed: Option<Landed>,
    /// The wakers of tasks, by the number of the waiting future.
    wakers: Vec<(u64, Waker)>,
    next_future: u64,
}

impl Flight {
    pub(super) fn new(request: RemoteRequest) -> Self {
        Flight { request, state: Mutex::default(), has_landed: Condvar::new() }
    }

    /// Waits until the request has ended. `None` if that takes longer.
    pub(super) fn wait(&self, timeout: Duration) -> Option<Landed> {
        let start = Instant::now();
        let mut state = self.lock();
        loop {
            let left = timeout.saturating_sub(start.elapsed());
            if state.landed.is_some() || left.is_zero() {
                return state.landed.clone();
            }
            let waited = self.has_landed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns the number of a future that waits for the end.
    pub(super) fn join(&self) -> u64 {
        let mut state = self.lock();
        state.next_future += 1;
        state.next_future
    }

    /// Returns the outcome, or wakes the task of this future later.
    pub(super) fn poll(&self, future: u64, context: &mut Context<'_>) -> Poll<Landed> {
        let mut state = self.lock();
        if let Some(landed) = &state.landed {
            return Poll::Ready(landed.clone());
        }
        match state.wakers.iter_mut().find(|(id, _)| *id == future) {
            Some((_, waker)) => waker.clone_from(context.waker()),
            None => state.wakers.push((future, context.waker().clone())),
        }
        Poll::Pending
    }

    /// Forgets the waker of a future that no longer waits.
    pub(super) fn leave(&self, future: u64) {
        let mut state = self.lock();
        let position = state.wakers.iter().position(|(id, _)| *id == future);
        let waker = position.map(|index| state.wakers.swap_remove(index));
        drop(state);
        // Dropping a waker is foreign code.
        drop(waker);
    }

    /// Ends the request, and wakes all that wait. Only the first end counts.
    pub(super) fn land(&self, landed: Landed) {
        let mut state = self.lock();
        state.landed.get_or_insert(landed);
        let wakers = core::mem::take(&mut state.wakers);
        drop(state);
        self.has_landed.notify_all();
        for (_, waker) in wakers {
            // A panic of one waker must not keep the others from being woken.
            let _ = contain(|| waker.wake());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use growthbook_core::{GlobalContext, UserContext};

    use super::*;
    use crate::error::FetchErrorKind;

    fn flight() -> Flight {
        let request = RemoteRequest::new(&UserContext::new("u"), &GlobalContext::new(), None);
        Flight::new(request.unwrap())
    }

    fn timeout() -> Landed {
        Err(FetchErrorKind::Timeout.into())
    }

    #[test]
    fn each_future_has_one_waker() {
        let flight = flight();
        let (one, other) = (flight.join(), flight.join());
        let mut context = Context::from_waker(Waker::noop());
        for future in [one, other, one, one] {
            assert!(flight.poll(future, &mut context).is_pending());
        }
        assert_eq!(flight.lock().wakers.len(), 2);
        flight.leave(one);
        assert_eq!(flight.lock().wakers.len(), 1);
        flight.land(timeout());
        assert!(flight.poll(one, &mut context).is_ready());
        assert!(flight.lock().wakers.is_empty());
    }

    #[test]
    fn only_the_first_end_counts() {
        let flight = flight();
        assert!(flight.wait(Duration::ZERO).is_none());
        flight.land(timeout());
        flight.land(Err(FetchErrorKind::Closed.into()));
        let landed = flight.wait(Duration::ZERO).unwrap();
        assert_eq!(landed.err().map(|error| error.kind()), Some(FetchErrorKind::Timeout));
    }
}
