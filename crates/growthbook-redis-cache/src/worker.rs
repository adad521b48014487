//! The thread that sends requests to Redis.
//!
//! A caller never waits longer than the deadline. On a thread of its own, neither a slow name
//! lookup, nor the exploration of a cluster, nor a server that hangs can delay the caller further.

use std::process;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use redis::{ConnectionLike, RedisResult};

use crate::error::RedisCacheError;
use crate::servers::{Connection, RedisServers};
use growthbook_support::ForkSafeMutex;

/// The pause after the first failure. Operations fail at once during a pause.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How many operations may wait for a running one.
const MAX_WAITING: usize = 16;

type Job = Box<dyn FnOnce(&mut Link) + Send>;

/// Runs operations on a thread. The first operation starts the thread, also after
/// [`stop`](Worker::stop) and in the child of a fork.
pub(crate) struct Worker {
    servers: Arc<RedisServers>,
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
    pub(crate) fn new(servers: Arc<RedisServers>, deadline: Duration) -> Self {
        Worker { servers, deadline, running: ForkSafeMutex::new(None) }
    }

    /// Runs an operation on the connection, and waits for it until the deadline.
    ///
    /// An operation that was started in time may still take effect after the deadline.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut dyn ConnectionLike) -> RedisResult<T> + Send + 'static,
    ) -> Result<T, RedisCacheError> {
        let (reply, outcome) = mpsc::channel();
        let until = Instant::now() + self.deadline;
        let job = Box::new(move |link: &mut Link| {
            // After the deadline the caller no longer waits, and other callers may.
            if Instant::now() < until {
                let _ = reply.send(link.run(operation));
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
        let mut link = Link {
            servers: self.servers.clone(),
            deadline: self.deadline,
            connection: None,
            failures: 0,
            paused_until: None,
        };
        let handle = thread::Builder::new()
            .name("growthbook-redis".into())
            .spawn(move || Self::work(&receiver, &mut link))
            .map_err(RedisCacheError::Thread)?;
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
    servers: Arc<RedisServers>,
    deadline: Duration,
    connection: Option<Connection>,
    failures: u32,
    paused_until: Option<Instant>,
}

impl Link {
    fn run<T>(
        &mut self,
        operation: impl FnOnce(&mut dyn ConnectionLike) -> RedisResult<T>,
    ) -> Result<T, RedisCacheError> {
        if self.paused_until.is_some_and(|until| Instant::now() < until) {
            return Err(RedisCacheError::Paused);
        }
        let outcome = self.connected().and_then(|connection| operation(&mut **connection));
        match outcome {
            Ok(value) => {
                self.failures = 0;
                self.paused_until = None;
                Ok(value)
            }
            Err(error) => {
                // Close the connection. A late reply may still arrive on it, or the server may have
                // become a replica.
                self.connection = None;
                self.pause();
                Err(RedisCacheError::Redis(error))
            }
        }
    }

    fn connected(&mut self) -> RedisResult<&mut Connection> {
        let connection = match self.connection.take() {
            Some(connection) if connection.is_open() => connection,
            _ => self.servers.connect(self.deadline)?,
        };
        Ok(self.connection.insert(connection))
    }

    fn pause(&mut self) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(8));
        self.failures += 1;
        self.paused_until = Some(Instant::now() + pause.min(LONGEST_PAUSE));
    }
}
