//! When the server is not asked at all, because it fails for every user. This is pure: the caller
//! passes the time.

use std::time::Duration;

use crate::error::FetchError;
use crate::schedule::{
    Backoff, FIRST_DELAY, Jitter, LONGEST_SERVER_DELAY, Prospect, SLOW_RETRY, Time,
};

/// The number of failures in a row after which requests pause. A single one may be a broken
/// connection.
const FAILURES_BEFORE_PAUSE: u64 = 3;
/// The longest pause, unless the server refuses or asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Pauses after failures, so that users do not wait for a server that is down. After a pause one
/// request finds out whether the server works again.
pub(super) struct Pauses {
    failures: u64,
    paused: Option<Paused>,
    backoff: Backoff,
    jitter: Jitter,
}

struct Paused {
    until: Time,
    cause: FetchError,
    /// Whether a request after the pause is under way.
    is_probing: bool,
}

impl Pauses {
    pub(super) fn new(seed: u64) -> Self {
        Pauses { failures: 0, paused: None, backoff: Backoff::default(), jitter: Jitter::new(seed) }
    }

    /// Checks whether a request may be sent now. After a pause, only the first call succeeds, until that
    /// request has ended.
    ///
    /// # Errors
    ///
    /// The last failure, if requests pause.
    pub(super) fn permit(&mut self, now: Time) -> Result<(), FetchError> {
        match &mut self.paused {
            Some(paused) if now < paused.until || paused.is_probing => Err(paused.cause.clone()),
            Some(paused) => {
                paused.is_probing = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Notes that the server has answered. Returns the number of failures in a row before that.
    pub(super) fn succeeded(&mut self) -> u64 {
        self.paused = None;
        self.backoff.reset();
        core::mem::take(&mut self.failures)
    }

    /// Notes a failure for a reason that holds for every user. Returns whether requests pause now.
    pub(super) fn failed(&mut self, error: &FetchError, now: Time) -> bool {
        self.failures += 1;
        let is_refused = error.kind().prospect() == Prospect::Refused;
        if self.failures < FAILURES_BEFORE_PAUSE && !is_refused && error.retry_after.is_none() {
            return false;
        }
        // Several requests may fail together. They are one failure for the backoff, and the longest
        // pause counts.
        let before = self.paused.as_ref().filter(|paused| !paused.is_probing);
        let mut delay = match before {
            Some(_) => Duration::ZERO,
            None => self.backoff.next(FIRST_DELAY, LONGEST_PAUSE, &mut self.jitter),
        };
        if is_refused {
            delay = delay.max(self.jitter.part(SLOW_RETRY, 0.9, 1.1));
        }
        let asked_for = error.retry_after.unwrap_or_default().min(LONGEST_SERVER_DELAY);
        let until = now.saturating_add(delay.max(self.jitter.part(asked_for, 1.0, 1.1)));
        let until = before.map_or(until, |paused| paused.until.max(until));
        self.paused = Some(Paused { until, cause: error.clone(), is_probing: false });
        true
    }

    /// Notes that the request after a pause was not sent, or ended without a sign of the server.
    pub(super) fn abandoned(&mut self) {
        if let Some(paused) = &mut self.paused {
            paused.is_probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FetchErrorKind;

    const SECOND: Duration = Duration::from_secs(1);

    fn error(code: u16, retry_after: Option<u64>) -> FetchError {
        let mut error = FetchError::new(FetchErrorKind::Status { code, unrecoverable: false });
        error.retry_after = retry_after.map(Duration::from_secs);
        error
    }

    #[test]
    fn requests_that_fail_together_pause_once() {
        let mut pauses = Pauses::new(1);
        for _ in 0..8 {
            pauses.failed(&error(503, None), Time::ZERO);
        }
        assert!(pauses.permit(Time::ZERO).is_err());
        assert!(pauses.permit(Time::ZERO.saturating_add(2 * SECOND)).is_ok());
    }

    #[test]
    fn third_failure_in_a_row_pauses() {
        let mut pauses = Pauses::new(1);
        for _ in 0..2 {
            assert!(!pauses.failed(&error(500, None), Time::ZERO));
            assert!(pauses.permit(Time::ZERO).is_ok());
        }
        assert!(pauses.failed(&error(500, None), Time::ZERO));
        assert!(pauses.permit(SECOND / 2).is_err());
        // One request finds out whether the server works again.
        assert!(pauses.permit(2 * SECOND).is_ok());
        assert!(pauses.permit(2 * SECOND).is_err());
        assert!(pauses.failed(&error(500, None), 2 * SECOND));
        assert!(pauses.permit(2 * SECOND).is_err());
        assert!(pauses.permit(5 * SECOND).is_ok());
        pauses.abandoned();
        assert!(pauses.permit(5 * SECOND).is_ok());
        assert_eq!(pauses.succeeded(), 4);
        assert!(pauses.permit(5 * SECOND).is_ok() && pauses.permit(5 * SECOND).is_ok());
    }

    #[test]
    fn success_between_failures_counts() {
        let mut pauses = Pauses::new(1);
        for _ in 0..10 {
            assert!(!pauses.failed(&error(500, None), Time::ZERO));
            assert!(!pauses.failed(&error(500, None), Time::ZERO));
            assert_eq!(pauses.succeeded(), 2);
        }
    }

    #[test]
    fn pause_is_as_long_as_the_server_asks() {
        let mut pauses = Pauses::new(1);
        assert!(pauses.failed(&error(429, Some(120)), Time::ZERO));
        assert!(pauses.permit(119 * SECOND).is_err());
        assert!(pauses.permit(133 * SECOND).is_ok());
        // Not longer than an hour.
        assert!(pauses.failed(&error(429, Some(u64::MAX)), Time::ZERO));
        assert!(pauses.permit(2 * LONGEST_SERVER_DELAY).is_ok());
    }

    #[test]
    fn refused_client_asks_slowly() {
        let mut pauses = Pauses::new(1);
        assert!(pauses.failed(&error(401, None), Time::ZERO));
        assert!(pauses.permit(SLOW_RETRY / 2).is_err());
        assert!(pauses.permit(SLOW_RETRY * 2).is_ok());
    }
}
