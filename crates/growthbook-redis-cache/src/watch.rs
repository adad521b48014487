//! The thread that receives notifications of payloads that other processes put.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use growthbook_core::cache::{CacheChanged, CacheWatch};
use growthbook_support::redis::Messages;
use growthbook_support::{Level, contain};
use redis::RedisResult;

use crate::threads::EndingThreads;
use crate::worker::Address;

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
        address: Arc<Address>,
        deadline: Duration,
        channel: String,
        is_known: impl Fn(&str) -> bool + Send + 'static,
        changed: CacheChanged,
        ending: Arc<EndingThreads>,
    ) -> Option<CacheWatch> {
        let stop = Arc::new(AtomicBool::new(false));
        let subscriber = Subscriber {
            address,
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

/// The connection for notifications is broken.
struct Broken;

/// The work of the thread.
struct Subscriber {
    address: Arc<Address>,
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

    /// Subscribes, and notifies until the watch stops. Fails when the connection breaks. The panic of
    /// a Redis client is a failure as well.
    fn receive(&self, is_retry: bool, was_subscribed: &mut bool) -> Result<(), Broken> {
        let follow = |messages: &mut Messages| {
            *was_subscribed = true;
            if is_retry {
                // A notification may be lost.
                self.notify();
            }
            self.follow(messages)
        };
        let followed = contain(|| {
            let Address { servers, tls } = &*self.address;
            servers.subscribe(tls, &self.channel, self.deadline, follow)
        });
        followed.map_err(|_| Broken)?.map_err(|_| Broken)
    }

    fn follow(&self, messages: &mut Messages) -> RedisResult<()> {
        let mut last_message = Instant::now();
        while !self.is_stopped() {
            if let Some(digest) = messages.next(SLICE)? {
                last_message = Instant::now();
                if !(self.is_known)(&String::from_utf8_lossy(&digest)) {
                    self.notify();
                }
            } else if last_message.elapsed() >= LONGEST_SILENCE {
                messages.ping()?;
                last_message = Instant::now();
            }
        }
        Ok(())
    }

    fn notify(&self) {
        if contain(|| (self.changed)()).is_err() {
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
