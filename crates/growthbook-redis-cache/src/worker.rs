//! The thread that talks to Redis, so that nobody waits for it longer than the deadline: not for
//! a name that is looked up, not for a cluster that is explored, not for a server that hangs.

use std::process;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use redis::{ConnectionLike, RedisResult};

use crate::error::RedisCacheError;
use crate::lock::lock_patiently;
use crate::servers::{Connection, RedisServers};

/// How long a server that failed is left alone, at most: operations fail at once meanwhile.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// How many operations may wait for one that hangs.
const WAITING: usize = 16;

type Job = Box<dyn FnOnce(&mut Link) + Send>;

/// The thread, started with the first operation; again after it was told to end, and in the child
/// of a fork.
pub(crate) struct Worker {
    servers: Arc<RedisServers>,
    deadline: Duration,
    jobs: Mutex<Option<Jobs>>,
}

struct Jobs {
    process: u32,
    sender: SyncSender<Job>,
    thread: JoinHandle<()>,
}

impl Worker {
    pub(crate) fn new(servers: Arc<RedisServers>, deadline: Duration) -> Self {
        Worker { servers, deadline, jobs: Mutex::new(None) }
    }

    /// Runs an operation on the connection, and waits for it until the deadline. One that comes
    /// too late has its effect all the same.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut dyn ConnectionLike) -> RedisResult<T> + Send + 'static,
    ) -> Result<T, RedisCacheError> {
        let (reply, outcome) = mpsc::channel();
        let until = Instant::now() + self.deadline;
        let job = Box::new(move |link: &mut Link| {
            // Nobody waits for it any more, and others may wait behind it.
            if Instant::now() < until {
                let _ = reply.send(link.run(operation));
            }
        });
        self.submit(job)?;
        outcome.recv_timeout(self.deadline).map_err(|_| RedisCacheError::Timeout)?
    }

    fn submit(&self, job: Job) -> Result<(), RedisCacheError> {
        let mut jobs = lock_patiently(&self.jobs).ok_or(RedisCacheError::Timeout)?;
        // A child of a fork has the sender, but not the thread; its sockets are the parent's.
        let sender = match &*jobs {
            Some(jobs) if jobs.process == process::id() => &jobs.sender,
            _ => {
                core::mem::forget(jobs.replace(self.start()?));
                match &*jobs {
                    Some(jobs) => &jobs.sender,
                    None => return Err(RedisCacheError::Timeout),
                }
            }
        };
        sender.try_send(job).map_err(|_| RedisCacheError::Timeout)
    }

    /// Tells the thread to end when it has done what it was asked for, and to close the connection.
    /// The thread, if there was one.
    pub(crate) fn stop(&self) -> Option<JoinHandle<()>> {
        let mut jobs = lock_patiently(&self.jobs)?;
        jobs.take_if(|jobs| jobs.process == process::id()).map(|jobs| jobs.thread)
    }

    fn start(&self) -> Result<Jobs, RedisCacheError> {
        let (sender, receiver) = mpsc::sync_channel::<Job>(WAITING);
        let mut link = Link {
            servers: self.servers.clone(),
            deadline: self.deadline,
            connection: None,
            failures: 0,
            rests_until: None,
        };
        let work = move || Self::work(&receiver, &mut link);
        let thread = thread::Builder::new()
            .name("growthbook-redis".into())
            .spawn(work)
            .map_err(RedisCacheError::Thread)?;
        Ok(Jobs { process: process::id(), sender, thread })
    }

    /// Ends when it is told to, or the cache is dropped.
    fn work(jobs: &Receiver<Job>, link: &mut Link) {
        while let Ok(job) = jobs.recv() {
            job(link);
        }
    }
}

/// The connection, opened when needed.
struct Link {
    servers: Arc<RedisServers>,
    deadline: Duration,
    connection: Option<Connection>,
    failures: u32,
    rests_until: Option<Instant>,
}

impl Link {
    fn run<T>(
        &mut self,
        operation: impl FnOnce(&mut dyn ConnectionLike) -> RedisResult<T>,
    ) -> Result<T, RedisCacheError> {
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return Err(RedisCacheError::Resting);
        }
        let outcome = self.connected().and_then(|connection| operation(&mut **connection));
        match outcome {
            Ok(value) => {
                self.failures = 0;
                self.rests_until = None;
                Ok(value)
            }
            Err(error) => {
                // A reply may be on its way that nobody waits for, or the server be a replica by
                // now: the connection is of no use.
                self.connection = None;
                self.rest();
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

    fn rest(&mut self) {
        let rest = Duration::from_millis(50).saturating_mul(1 << self.failures.min(8));
        self.failures += 1;
        self.rests_until = Some(Instant::now() + rest.min(LONGEST_REST));
    }
}
