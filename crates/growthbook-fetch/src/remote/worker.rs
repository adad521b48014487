//! A worker: a thread that sends one request after another.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use growthbook_support::contain;

use super::source::{Job, Received, RemoteSource};
use crate::error::{FetchError, FetchErrorKind};
use crate::http::EvalClient;
use crate::live::compile_answer;

/// How long a worker and its connection wait for the next request. The GrowthBook Proxy closes an
/// idle connection after 5 seconds.
const IDLE: Duration = Duration::from_secs(4);

impl RemoteSource {
    /// Sends requests until there was no request for some time, or the source stops.
    pub(super) fn work(self: &Arc<Self>) {
        let client = EvalClient::new(&self.settings, self.interrupt.clone());
        while let Some(job) = self.wait_for_job() {
            // A logger or a TLS provider may panic in the request.
            let received = contain(|| ask(&client, &job));
            let received = received.unwrap_or_else(|_| Err(FetchErrorKind::Panicked.into()));
            // The application may panic when it is notified of a failure. The request has ended then.
            let _ = contain(|| self.land(&job, received));
        }
    }

    /// Waits for a request to send. `None` ends the worker.
    fn wait_for_job(&self) -> Option<Job> {
        let start = Instant::now();
        let mut state = self.lock();
        loop {
            let left = IDLE.saturating_sub(start.elapsed());
            if !state.is_stopped
                && let Some(job) = self.next_job(&mut state)
            {
                return Some(job);
            }
            if state.is_stopped || left.is_zero() {
                // Under the same lock, so that a request that comes next starts another worker.
                state.threads.workers -= 1;
                return None;
            }
            state.threads.idle_workers += 1;
            let waited = self.has_work.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.threads.idle_workers -= 1;
        }
    }
}

fn ask(client: &EvalClient, job: &Job) -> Result<Received, FetchError> {
    let answered = client.ask(job.flight.request.body())?;
    let document = answered.document.as_bytes();
    let in_use = compile_answer(document, &job.newest)?;
    Ok(Received { in_use: Arc::new(in_use), bytes: document.len(), streaming: answered.streaming })
}
