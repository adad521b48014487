//! The thread that sends requests to Redis.
//!
//! A caller never waits longer than the deadline. On a thread of its own, neither a slow name
//! lookup nor a connection that takes longer can delay the caller further.

use std::process;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use redis::RedisResult;

use crate::error::RedisCacheError;
use crate::lua::{MAX_FACT_BYTES, MAX_PAYLOAD_BYTES};
use growthbook_support::redis::{Connection, RedisServers, Tls};
use growthbook_support::{ForkSafeMutex, contain};

/// The pause after the first failure. Operations fail at once during a pause.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The least time for connecting and the first operation on the new connection. The caller may no
/// longer wait for that operation, but the next one finds the connection. Otherwise a server at a
/// distance would never be reached: connecting and an operation take several round trips.
const LEAST_CONNECT_TIME: Duration = Duration::from_secs(2);
/// How many operations may wait for a running one.
const MAX_WAITING: usize = 16;

/// The most memory that a reply may take: a payload and the facts about it.
const MAX_REPLY_BYTES: usize = MAX_PAYLOAD_BYTES + MAX_FACTS_BYTES;
/// The memory of all facts, which [`MAX_FACT_BYTES`] bounds, and of the reply around them.
const MAX_FACTS_BYTES: usize = 16 * MAX_FACT_BYTES;

/// Where Redis is, and the certificates for it.
pub(crate) struct Address {
    pub(crate) servers: Arc<RedisServers>,
    pub(crate) tls: Tls,
}

type Job = Box<dyn FnOnce(&mut Link) + Send>;

/// Runs operations on a thread. The first operation starts the thread, also after
/// [`stop`](Worker::stop) and in the child of a fork.
pub(crate) struct Worker {
    address: Arc<Address>,
    deadline: Duration,
    running: ForkSafeMutex<Option<RunningThread>>,
}

struct RunningThread {
    /// The process that the thread runs in.
    process: u32,
    jobs: SyncSender<Job>,
    handle: JoinHandle<()>,
}

impl Worker {
    pub(crate) fn new(address: Arc<Address>, deadline: Duration) -> Self {
        Worker { address, deadline, running: ForkSafeMutex::new(None) }
    }

    /// Runs an operation on the connection, and waits for it until the deadline.
    ///
    /// An operation that was started in time may still take effect after the deadline.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Connection) -> RedisResult<T> + Send + 'static,
    ) -> Result<T, RedisCacheError> {
        let (reply, outcome) = mpsc::channel();
        let until = Instant::now() + self.deadline;
        let job = Box::new(move |link: &mut Link| {
            // After the deadline the caller no longer waits, and other callers may.
            if Instant::now() < until {
                let _ = reply.send(link.run(operation, until));
            }
        });
        self.submit(job)?;
        outcome.recv_timeout(self.deadline).map_err(|_| RedisCacheError::Timeout)?
    }

    /// Asks the thread to finish its operations, close the connection and end. Returns the thread,
    /// if there is one.
    pub(crate) fn stop(&self) -> Option<JoinHandle<()>> {
        let mut running = self.running.lock().ok()?;
        running.take_if(|thread| thread.process == process::id()).map(|thread| thread.handle)
    }

    fn submit(&self, job: Job) -> Result<(), RedisCacheError> {
        let mut running = self.running.lock().map_err(|_| RedisCacheError::Timeout)?;
        let jobs = match &*running {
            Some(thread) if thread.process == process::id() => &thread.jobs,
            _ => {
                // The child of a fork has the handle and the channel, but not the thread. It does
                // not drop them: a lock in them may stay locked forever.
                core::mem::forget(running.replace(self.start()?));
                match &*running {
                    Some(thread) => &thread.jobs,
                    None => return Err(RedisCacheError::Timeout),
                }
            }
        };
        jobs.try_send(job).map_err(|_| RedisCacheError::Timeout)
    }

    fn start(&self) -> Result<RunningThread, RedisCacheError> {
        let (jobs, receiver) = mpsc::sync_channel::<Job>(MAX_WAITING);
        let mut link =
            Link { address: self.address.clone(), connection: None, failures: 0, pause: None };
        let handle = thread::Builder::new()
            .name("growthbook-redis".into())
            .spawn(move || Self::work(&receiver, &mut link))
            .map_err(|error| RedisCacheError::Thread(Arc::new(error)))?;
        Ok(RunningThread { process: process::id(), jobs, handle })
    }

    /// Runs jobs until the sender is dropped.
    fn work(jobs: &Receiver<Job>, link: &mut Link) {
        while let Ok(job) = jobs.recv() {
            job(link);
        }
    }
}

/// The connection of the thread. The first operation opens it.
struct Link {
    address: Arc<Address>,
    connection: Option<Connection>,
    failures: u32,
    pause: Option<Pause>,
}

/// A time in which operations fail at once.
struct Pause {
    until: Instant,
    /// The failure before it.
    cause: Arc<RedisCacheError>,
}

impl Link {
    /// Runs an operation until the deadline. A panic of the Redis client is a failure.
    fn run<T>(
        &mut self,
        operation: impl FnOnce(&mut Connection) -> RedisResult<T>,
        until: Instant,
    ) -> Result<T, RedisCacheError> {
        if let Some(pause) = self.pause.as_ref().filter(|pause| Instant::now() < pause.until) {
            return Err(RedisCacheError::Paused { cause: pause.cause.clone() });
        }
        let outcome = contain(|| self.attempt(operation, until).map_err(RedisCacheError::Redis))
            .unwrap_or(Err(RedisCacheError::Panicked));
        match outcome {
            Ok(value) => {
                self.failures = 0;
                self.pause = None;
                Ok(value)
            }
            Err(error) => {
                // Close the connection. A late reply may still arrive on it, or the server may have
                // become a replica. Connections to a cluster notice that for each node.
                self.connection.take_if(|connection| !connection.is_cluster());
                self.begin_pause(Arc::new(error.clone()));
                Err(error)
            }
        }
    }

    fn attempt<T>(
        &mut self,
        operation: impl FnOnce(&mut Connection) -> RedisResult<T>,
        until: Instant,
    ) -> RedisResult<T> {
        let (connection, until) = match self.connection.take() {
            Some(connection) if connection.is_open() => (connection, until),
            _ => {
                let until = until.max(Instant::now() + LEAST_CONNECT_TIME);
                (self.address.servers.connect(&self.address.tls, until, MAX_REPLY_BYTES)?, until)
            }
        };
        let connection = self.connection.insert(connection);
        connection.set_deadline(until);
        operation(connection)
    }

    fn begin_pause(&mut self, cause: Arc<RedisCacheError>) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(8)).min(LONGEST_PAUSE);
        self.failures += 1;
        self.pause = Some(Pause { until: Instant::now() + pause, cause });
    }
}

#[cfg(test)]
mod tests {
    use test_server::redis::RedisServer;

    use super::*;

    #[test]
    fn thread_survives_a_panic_of_the_client() {
        let server = RedisServer::start();
        let servers = RedisServers::from(redis::Client::open(server.url()).unwrap());
        let address = Address { servers: Arc::new(servers), tls: Tls::default() };
        let worker = Worker::new(Arc::new(address), Duration::from_secs(60));
        let outcome = worker.run(|_| -> RedisResult<()> { std::panic::panic_any("client") });
        assert!(matches!(outcome, Err(RedisCacheError::Panicked)), "{outcome:?}");
        // The pause after the panic names it.
        loop {
            match worker.run(|connection| connection.query("", &redis::cmd("PING"))) {
                Ok(_) => break,
                Err(RedisCacheError::Paused { cause }) => {
                    assert!(matches!(*cause, RedisCacheError::Panicked), "{cause:?}");
                    thread::sleep(Duration::from_millis(5));
                }
                Err(error) => unreachable!("{error}"),
            }
        }
    }
}
