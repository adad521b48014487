//! The threads that talk to Redis, each with its own connection.
//!
//! A caller waits for a reply until its deadline. Some steps may take longer than any caller waits:
//! resolving a name, and connecting, whose connection a later call uses. So these threads do them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc, Condvar, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use redis::{RedisResult, Value};

use super::{
    breaker::Breakers,
    error::{RedisStoreError, RedisStoreErrorKind, is_reply, needs_another_server},
    jobs::{Jobs, Next},
    options::{MAX_REDIS_REPLY_BYTES, RedisStickyBucketOptions},
    request::Request,
};
use growthbook_support::ForkSafeMutex;
use growthbook_support::redis::{Connection, RedisServers};

/// The least time that connecting to a server may take. It takes several round trips: TCP, TLS and
/// the first commands. So even a network on which one request just keeps its deadline connects.
const LEAST_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The least time that a thread or task waits for a reply from a server. A caller with a shorter
/// deadline no longer waits then. But a connection whose reply arrives late can be used again, and
/// one whose reply was not read cannot.
pub(super) const LEAST_REPLY_TIMEOUT: Duration = Duration::from_secs(2);

/// The number of neighbouring cluster slots that are one part.
const SLOTS_PER_PART: u16 = 512;

/// Returns how long connecting to a server may take, for requests with this deadline.
pub(super) fn connect_timeout(deadline: Duration) -> Duration {
    deadline.max(LEAST_CONNECT_TIMEOUT)
}

pub(super) type Reply = Result<Vec<Value>, RedisStoreError>;

/// The handle on the threads. They end after it is dropped.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    servers: RedisServers,
    options: RedisStickyBucketOptions,
    state: ForkSafeMutex<State>,
    /// Notifies idle threads of a job or of the end.
    work: Condvar,
}

struct State {
    process: u32,
    jobs: Jobs<Job>,
    breakers: Breakers,
}

struct Job {
    request: Request,
    reply: SyncSender<Reply>,
}

impl Pool {
    /// Creates a pool that does not connect yet.
    pub(super) fn new(servers: RedisServers, options: RedisStickyBucketOptions) -> Self {
        let state = ForkSafeMutex::new(State::new());
        let shared = Shared { servers, options, state, work: Condvar::new() };
        Pool { shared: Arc::new(shared) }
    }

    /// Sends a request and waits for the reply, at most until the deadline.
    pub(super) fn send(&self, request: Request) -> Reply {
        let shared = &self.shared;
        let mut parts: Vec<u16> = request.keys().iter().map(|key| shared.part(key)).collect();
        parts.sort_unstable();
        parts.dedup();

        let begun = Instant::now();
        let reply = self.enqueue(request, &parts, begun)?.recv_timeout(shared.options.deadline);
        // The channel is closed without a reply if a thread skipped the job as expired.
        let reply =
            reply.unwrap_or_else(|_| Err(RedisStoreError::new(RedisStoreErrorKind::TimedOut)));
        self.record(&parts, begun, &reply);
        reply
    }

    fn enqueue(
        &self,
        request: Request,
        parts: &[u16],
        now: Instant,
    ) -> Result<Receiver<Reply>, RedisStoreError> {
        let shared = &self.shared;
        let (reply, receiver) = sync_channel(1);
        let mut state =
            shared.state.lock().map_err(|locked| RedisStoreError::other(locked.to_string()))?;
        state.reset_after_fork();
        state.breakers.admit(parts, now, shared.options.deadline)?;
        if state.jobs.needs_thread(shared.options.max_connections.get()) {
            let worker = shared.clone();
            let spawned = thread::Builder::new()
                .name("growthbook-redis".to_owned())
                .spawn(move || worker.work());
            match spawned {
                Ok(_) => state.jobs.thread_started(),
                // Another thread will run the job.
                Err(_) if state.jobs.has_thread() => {}
                Err(error) => return Err(RedisStoreError::other(error.to_string())),
            }
        }
        state.jobs.push(Job { request, reply }, now + shared.options.deadline);
        drop(state);
        shared.work.notify_one();
        Ok(receiver)
    }

    fn record(&self, parts: &[u16], begun: Instant, reply: &Reply) {
        let Ok(mut state) = self.shared.state.lock() else { return };
        let error = reply.as_ref().err();
        let outage = state.breakers.record(parts, begun, Instant::now(), error);
        drop(state);
        if let Some(outage) = outage {
            outage.log();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Ok(mut state) = self.shared.state.lock() {
            state.jobs.close();
        }
        self.shared.work.notify_all();
    }
}

impl State {
    fn new() -> Self {
        State { process: process::id(), jobs: Jobs::default(), breakers: Breakers::default() }
    }

    /// The child of a fork has none of its parent's threads. It must not use the parent's
    /// connections: it would read replies that are meant for the parent.
    fn reset_after_fork(&mut self) {
        if self.process != process::id() {
            *self = State::new();
        }
    }
}

impl Shared {
    fn work(&self) {
        let mut connection = None;
        while let Some((job, deadline)) = self.next() {
            let replied =
                catch_unwind(AssertUnwindSafe(|| self.run(&mut connection, &job, deadline)));
            let reply = replied.unwrap_or_else(|_| {
                connection = None;
                Err(RedisStoreError::other("the Redis client panicked"))
            });
            // The caller may no longer wait.
            let _ = job.reply.send(reply);
        }
    }

    /// Waits for a job. Returns `None` when the thread has to end.
    fn next(&self) -> Option<(Job, Instant)> {
        let mut state = self.state.lock_in_own_thread();
        let idle_since = Instant::now();
        loop {
            match state.jobs.next(Instant::now(), idle_since) {
                Next::Run(job, deadline) => return Some((job, deadline)),
                Next::Wait(time) => {
                    let waited = self.work.wait_timeout(state, time);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                    state.jobs.stopped_waiting();
                }
                Next::End => return None,
            }
        }
    }

    /// Returns the part of Redis that has this key. Parts fail independently: a single server is one
    /// part, a cluster has several.
    fn part(&self, key: &str) -> u16 {
        self.servers.slot(key).map_or(0, |slot| slot / SLOTS_PER_PART)
    }

    /// Connects. That may take longer than the deadline. Then a later request uses the connection.
    fn connect(&self) -> RedisResult<Connection> {
        let until = Instant::now() + connect_timeout(self.options.deadline);
        self.servers.connect(&self.options.tls, until, MAX_REDIS_REPLY_BYTES)
    }

    fn run(&self, kept: &mut Option<Connection>, job: &Job, deadline: Instant) -> Reply {
        loop {
            let was_kept = kept.is_some();
            let connection = match kept.as_mut() {
                Some(connection) => connection,
                None => {
                    let connected = self.connect();
                    kept.insert(connected.map_err(|error| RedisStoreError::of(&error))?)
                }
            };
            let time = time_left(deadline, Instant::now())?;
            // A node of a cluster that hangs must not hold back requests to the others.
            let time = if connection.is_cluster() { time } else { time.max(LEAST_REPLY_TIMEOUT) };
            connection.set_deadline(Instant::now() + time);
            match job.request.run(connection) {
                Ok(reply) => return Ok(reply),
                Err(error) if is_reply(&error) => {
                    if needs_another_server(&error) {
                        *kept = None;
                    }
                    return Err(RedisStoreError::of(&error));
                }
                // The next reply on this connection may belong to an earlier request.
                Err(error) => {
                    let is_broken = !connection.is_open();
                    kept.take_if(|_| is_broken);
                    let was_closed_while_idle = was_kept && is_broken && !error.is_timeout();
                    if !was_closed_while_idle {
                        return Err(RedisStoreError::of(&error));
                    }
                }
            }
        }
    }
}

/// Returns how long the caller still waits.
fn time_left(deadline: Instant, now: Instant) -> Result<Duration, RedisStoreError> {
    match deadline.saturating_duration_since(now) {
        Duration::ZERO => Err(RedisStoreError::new(RedisStoreErrorKind::TimedOut)),
        left => Ok(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_ends_at_the_deadline() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        assert_eq!(time_left(now + second, now), Ok(second));
        for late in [now, now + second] {
            assert_eq!(time_left(now, late).unwrap_err().kind(), RedisStoreErrorKind::TimedOut);
        }
    }
}
