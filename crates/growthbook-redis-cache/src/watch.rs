//! The thread that receives notifications of payloads that other processes put.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use growthbook_core::cache::{CacheChanged, CacheWatch};
use redis::RedisResult;

use crate::servers::RedisServers;
use crate::threads::EndingThreads;
use growthbook_support::Level;

/// How long one wait for a notification lasts. The thread then checks whether it has to stop.
const SLICE: Duration = Duration::from_millis(100);
/// The shortest pause after a failed connection.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause after a failed connection.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// After this time without a notification, the thread checks the connection.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// A running thread. It stops a little after this is dropped.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    ending: Arc<EndingThreads>,
    /// The process that the thread runs in.
    process: u32,
}

impl Watch {
    /// Starts a thread that calls `changed` for each announced digest, except known ones. Returns
    /// `None` if the thread cannot be started.
    pub(crate) fn start(
        servers: Arc<RedisServers>,
        deadline: Duration,
        channel: String,
        is_known: impl Fn(&str) -> bool + Send + 'static,
        changed: CacheChanged,
        ending: Arc<EndingThreads>,
    ) -> Option<CacheWatch> {
        let stop = Arc::new(AtomicBool::new(false));
        let subscriber = Subscriber {
            servers,
            deadline,
            channel,
            is_known: Box::new(is_known),
            changed,
            stop: stop.clone(),
        };
        let thread = thread::Builder::new()
            .name("growthbook-redis-watch".into())
            .spawn(move || subscriber.run())
            .inspect_err(|error| {
                growthbook_support::log!(
                    Level::Warn,
                    "payloads of other processes arrive late: the thread for their notifications \
                     could not be started: {error}"
                );
            })
            .ok()?;
        Some(Box::new(Watch { stop, thread: Some(thread), ending, process: process::id() }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The thread does not exist in the child of a fork.
        if let Some(thread) = self.thread.take()
            && self.process == process::id()
        {
            self.ending.add(thread);
        }
    }
}

/// The work of the thread.
struct Subscriber {
    servers: Arc<RedisServers>,
    deadline: Duration,
    channel: String,
    is_known: Box<dyn Fn(&str) -> bool + Send>,
    changed: CacheChanged,
    stop: Arc<AtomicBool>,
}

impl Subscriber {
    fn run(&self) {
        let mut failures = 0_u32;
        while !self.is_stopped() {
            let mut was_subscribed = false;
            if self.receive(failures > 0, &mut was_subscribed).is_ok() {
                return;
            }
            failures = if was_subscribed { 1 } else { failures.saturating_add(1) };
            self.pause(failures);
        }
    }

    /// Subscribes, and notifies until the watch stops. Fails when the connection breaks.
    fn receive(&self, is_retry: bool, was_subscribed: &mut bool) -> RedisResult<()> {
        let Some(mut connection) = self.servers.subscriber(self.deadline)? else { return Ok(()) };
        let mut messages = connection.as_pubsub();
        messages.set_read_timeout(Some(self.deadline))?;
        messages.subscribe(&self.channel)?;
        messages.set_read_timeout(Some(SLICE))?;
        *was_subscribed = true;
        if is_retry {
            // A notification may be lost.
            self.notify();
        }
        let mut last_message = Instant::now();
        while !self.is_stopped() {
            match messages.get_message() {
                Ok(message) => {
                    last_message = Instant::now();
                    let digest: String = message.get_payload().unwrap_or_default();
                    if !(self.is_known)(&digest) {
                        self.notify();
                    }
                }
                Err(error) if error.is_timeout() && last_message.elapsed() >= LONGEST_SILENCE => {
                    messages.set_read_timeout(Some(self.deadline))?;
                    let _: redis::Value = messages.ping()?;
                    messages.set_read_timeout(Some(SLICE))?;
                    last_message = Instant::now();
                }
                Err(error) if error.is_timeout() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn notify(&self) {
        if catch_unwind(AssertUnwindSafe(|| (self.changed)())).is_err() {
            growthbook_support::log!(
                Level::Error,
                "reading a payload of another process from the cache panicked"
            );
        }
    }

    /// Pauses for longer after each failure, but stops at once when the watch stops.
    fn pause(&self, failures: u32) {
        let pause = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(7));
        let mut left = pause.min(LONGEST_PAUSE);
        while !left.is_zero() && !self.is_stopped() {
            let slice = left.min(SLICE);
            thread::sleep(slice);
            left -= slice;
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
