//! Waiting for a client's first payload.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use growthbook_support::contain;

use crate::error::FetchError;

/// There is no payload from the network or a cache yet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NotReady {
    /// Why the last attempt failed. `None` when no attempt has ended yet.
    pub cause: Option<FetchError>,
    /// Whether `wait_ready` ran out of time. If not, `wait_ready` has no reason to continue; from
    /// `ready`, it means only that an attempt failed.
    pub timed_out: bool,
}

/// Makes the error of a wait that ended early.
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
            None if self.timed_out => formatter
                .write_str(": the server has not answered in time; wait longer, or set a fallback"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for NotReady {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// Whether a client has a payload, and the threads and tasks that wait for it.
pub(super) struct Readiness {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    phase: Phase,
    /// The number of failed attempts.
    failures: u64,
    wakers: Vec<Waker>,
}

/// The progress of a client towards its first payload.
enum Phase {
    /// The first attempt has not ended.
    Pending,
    /// The last attempt has failed. There will be others.
    Failed(FetchError),
    /// There is a payload.
    Ready,
    /// The client is closed.
    Closed(FetchError),
}

impl Readiness {
    pub(super) fn new() -> Self {
        Readiness {
            state: Mutex::new(State { phase: Phase::Pending, failures: 0, wakers: Vec::new() }),
            changed: Condvar::new(),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.lock().phase, Phase::Ready)
    }

    /// Waits through failures, but not through a refusal.
    pub(super) fn wait(&self, timeout: Duration) -> Result<(), NotReady> {
        let start = Instant::now();
        let mut state = self.lock();
        loop {
            let cause = match &state.phase {
                Phase::Ready => return Ok(()),
                Phase::Closed(error) => return Err(error.clone().into()),
                Phase::Failed(error) if error.kind().is_refusal() => {
                    return Err(error.clone().into());
                }
                Phase::Failed(error) => Some(error.clone()),
                Phase::Pending => None,
            };
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(NotReady { cause, timed_out: true });
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns the number of failed attempts.
    pub(super) fn failures(&self) -> u64 {
        self.lock().failures
    }

    /// Resolves when there is a payload, and with the first failure after this number of failed
    /// attempts. A refusal counts at any time.
    pub(super) fn poll(
        &self,
        failures_before: u64,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), NotReady>> {
        let mut state = self.lock();
        match &state.phase {
            Phase::Ready => Poll::Ready(Ok(())),
            Phase::Closed(error) => Poll::Ready(Err(error.clone().into())),
            Phase::Failed(error)
                if state.failures > failures_before || error.kind().is_refusal() =>
            {
                Poll::Ready(Err(error.clone().into()))
            }
            Phase::Pending | Phase::Failed(_) => {
                if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.wakers.push(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// The client has a payload.
    pub(super) fn ready(&self) {
        let mut state = self.lock();
        state.phase = Phase::Ready;
        self.wake(state);
    }

    /// An attempt has failed.
    pub(super) fn failed(&self, error: &FetchError) {
        let mut state = self.lock();
        if let Phase::Pending | Phase::Failed(_) = state.phase {
            state.phase = Phase::Failed(error.clone());
            state.failures += 1;
        }
        self.wake(state);
    }

    /// There will be no further attempt.
    pub(super) fn closed(&self, error: FetchError) {
        let mut state = self.lock();
        if let Phase::Pending | Phase::Failed(_) = state.phase {
            state.phase = Phase::Closed(error);
        }
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let wakers = core::mem::take(&mut state.wakers);
        drop(state);
        self.changed.notify_all();
        for waker in wakers {
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
    use super::*;
    use crate::error::FetchErrorKind;

    fn poll(readiness: &Readiness, failures_before: u64) -> Poll<Result<(), NotReady>> {
        readiness.poll(failures_before, &mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn only_later_failures_end_a_future() {
        let readiness = Readiness::new();
        let early = readiness.failures();
        readiness.failed(&FetchErrorKind::Timeout.into());
        let late = readiness.failures();
        assert!(matches!(poll(&readiness, early), Poll::Ready(Err(_))));
        assert!(poll(&readiness, late).is_pending());
        readiness.failed(&FetchErrorKind::Interrupted.into());
        let Poll::Ready(Err(error)) = poll(&readiness, late) else { panic!("it is pending") };
        assert_eq!(error.cause.map(|cause| cause.kind()), Some(FetchErrorKind::Interrupted));
        let last = readiness.failures();
        readiness.ready();
        assert!(matches!(poll(&readiness, last), Poll::Ready(Ok(()))));
    }

    #[test]
    fn refusal_ends_later_futures_at_once() {
        let readiness = Readiness::new();
        let refusal = FetchErrorKind::Status { code: 401, unrecoverable: false };
        readiness.failed(&refusal.into());
        assert!(matches!(poll(&readiness, readiness.failures()), Poll::Ready(Err(_))));
    }

    #[test]
    fn closing_ends_all_futures() {
        let readiness = Readiness::new();
        readiness.failed(&FetchErrorKind::Timeout.into());
        assert!(poll(&readiness, readiness.failures()).is_pending());
        readiness.closed(FetchErrorKind::Closed.into());
        assert!(matches!(poll(&readiness, readiness.failures()), Poll::Ready(Err(_))));
    }
}
