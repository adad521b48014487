//! A few threads, each with its connection, between those who ask and Redis.
//!
//! Whoever asks waits for the answer, and no longer than the deadline. Looking up a name, shaking
//! hands, asking a sentinel, following a cluster's redirections: nothing of that has a timeout
//! that could be relied on, so it is left to threads that may take longer than anybody waits.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use redis::Value;

use super::{
    breaker::Breakers,
    connection::{Connection, RedisTarget, is_about_server, is_answer},
    error::{RedisStoreError, RedisStoreErrorKind},
    request::Request,
};
use crate::LOG_TARGET;
use crate::lock::lock_patiently;

/// How long a connection that nobody uses stays open.
const IDLE: Duration = Duration::from_secs(30);

pub(super) type Answer = Result<Vec<Value>, RedisStoreError>;

/// The threads end when it is dropped.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    target: RedisTarget,
    deadline: Duration,
    max_connections: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    process: u32,
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    breakers: Breakers,
    is_closed: bool,
}

struct Job {
    request: Request,
    end: Instant,
    reply: SyncSender<Answer>,
}

impl Pool {
    /// Connects to nothing yet.
    pub(super) fn new(target: RedisTarget, deadline: Duration, max_connections: usize) -> Self {
        let state = Mutex::new(State { process: process::id(), ..State::default() });
        let shared = Shared { target, deadline, max_connections, state, work: Condvar::new() };
        Pool { shared: Arc::new(shared) }
    }

    /// Asks, and waits until the deadline at most.
    pub(super) fn ask(&self, request: Request) -> Answer {
        let shared = &self.shared;
        let mut parts: Vec<u16> =
            request.keys().iter().map(|key| shared.target.part(key)).collect();
        parts.sort_unstable();
        parts.dedup();

        let begun = Instant::now();
        let answer = self.submit(request, &parts, begun).and_then(|receiver| {
            // Where none comes, the job may have been put aside because it was too late.
            receiver
                .recv_timeout(shared.deadline)
                .unwrap_or_else(|_| Err(RedisStoreError::new(RedisStoreErrorKind::TimedOut)))
        });
        if answer.as_ref().is_err_and(|error| error.kind() == RedisStoreErrorKind::Pausing) {
            return answer;
        }
        self.record(&parts, begun, &answer);
        answer
    }

    fn submit(
        &self,
        request: Request,
        parts: &[u16],
        now: Instant,
    ) -> Result<Receiver<Answer>, RedisStoreError> {
        let shared = &self.shared;
        let end = now + shared.deadline;
        let (reply, receiver) = sync_channel(1);
        let mut state = lock_patiently(&shared.state)
            .map_err(|locked| RedisStoreError::other(locked.to_string()))?;
        state.forget_parent();
        if !state.breakers.admit(parts, now, shared.deadline) {
            return Err(RedisStoreError::new(RedisStoreErrorKind::Pausing));
        }
        if state.idle <= state.jobs.len() && state.threads < shared.max_connections {
            let worker = shared.clone();
            let spawned = thread::Builder::new()
                .name("growthbook-redis".to_owned())
                .spawn(move || worker.work());
            match spawned {
                Ok(_) => state.threads += 1,
                Err(_) if state.threads > 0 => {}
                Err(error) => return Err(RedisStoreError::other(error.to_string())),
            }
        }
        state.jobs.push_back(Job { request, end, reply });
        drop(state);
        shared.work.notify_one();
        Ok(receiver)
    }

    /// Keeps in mind what is down, and logs when that begins and ends.
    fn record(&self, parts: &[u16], begun: Instant, answer: &Answer) {
        let Ok(mut state) = lock_patiently(&self.shared.state) else { return };
        match answer {
            Err(error) if error.is_outage() => {
                let begins = state.breakers.fail(parts, begun, Instant::now());
                drop(state);
                if begins {
                    log::warn!(target: LOG_TARGET, "sticky buckets: {error}");
                }
            }
            // An error is an answer, too.
            _ => {
                let ends = state.breakers.succeed(parts);
                drop(state);
                if ends {
                    log::info!(target: LOG_TARGET, "sticky buckets: Redis answers again");
                }
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Ok(mut state) = lock_patiently(&self.shared.state) {
            state.is_closed = true;
        }
        self.shared.work.notify_all();
    }
}

impl State {
    /// The child of a fork has none of its parent's threads, and must not use its connections:
    /// it would read answers that are meant for the parent.
    fn forget_parent(&mut self) {
        if self.process != process::id() {
            *self = State { process: process::id(), ..State::default() };
        }
    }
}

impl Shared {
    fn work(&self) {
        let mut connection = None;
        while let Some(job) = self.next() {
            let asked = catch_unwind(AssertUnwindSafe(|| self.run(&mut connection, &job)));
            let answer = asked.unwrap_or_else(|_| {
                connection = None;
                Err(RedisStoreError::other("the Redis client panicked"))
            });
            // Whoever asked may have stopped waiting.
            let _ = job.reply.send(answer);
        }
    }

    /// Waits for a job that somebody waits for; none when the thread is to end.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock_here();
        let idle_since = Instant::now();
        loop {
            let now = Instant::now();
            while let Some(job) = state.jobs.pop_front() {
                if now < job.end {
                    return Some(job);
                }
            }
            let idle = now.duration_since(idle_since);
            if state.is_closed || idle >= IDLE {
                state.threads -= 1;
                return None;
            }
            state.idle += 1;
            let waited = self.work.wait_timeout(state, IDLE - idle);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
        }
    }

    fn run(&self, kept: &mut Option<Connection>, job: &Job) -> Answer {
        loop {
            let was_kept = kept.is_some();
            let connection = match kept.as_mut() {
                Some(connection) => connection,
                None => {
                    let connected = self.target.connect(self.deadline);
                    kept.insert(connected.map_err(|error| RedisStoreError::of(&error))?)
                }
            };
            let time = remaining(job)?;
            let asked = connection.set_timeout(time).and_then(|()| job.request.run(connection));
            match asked {
                Ok(answer) => return Ok(answer),
                Err(error) if is_answer(&error) => {
                    if is_about_server(&error) {
                        *kept = None;
                    }
                    return Err(RedisStoreError::of(&error));
                }
                // What comes on it now may answer an earlier question.
                Err(error) => {
                    *kept = None;
                    let was_closed_while_idle = was_kept && !error.is_timeout();
                    if !was_closed_while_idle {
                        return Err(RedisStoreError::of(&error));
                    }
                }
            }
        }
    }

    /// For the threads of the pool: where they are, no lock is left over from before a fork.
    fn lock_here(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long whoever asked still waits.
fn remaining(job: &Job) -> Result<Duration, RedisStoreError> {
    let remaining = job.end.saturating_duration_since(Instant::now());
    if remaining.is_zero() {
        Err(RedisStoreError::new(RedisStoreErrorKind::TimedOut))
    } else {
        Ok(remaining)
    }
}
