//! Hearing of payloads that other processes put.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use growthbook_core::{CacheChanged, CacheWatch};
use redis::RedisResult;

use crate::LOG_TARGET;
use crate::ending::Ending;
use crate::servers::RedisServers;

/// How long a wait for announcements lasts before it is looked whether to go on.
const SLICE: Duration = Duration::from_millis(100);
/// How long a server that failed is left alone, at most.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// How long it may be quiet before it is asked whether the connection is there.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// A thread that listens, until this is dropped. It ends a little later.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    ending: Arc<Ending>,
    process: u32,
}

impl Watch {
    /// Listens on a channel. What is known already is not told.
    pub(crate) fn start(
        servers: Arc<RedisServers>,
        deadline: Duration,
        channel: String,
        is_known: impl Fn(&str) -> bool + Send + 'static,
        changed: CacheChanged,
        ending: Arc<Ending>,
    ) -> Option<CacheWatch> {
        let stop = Arc::new(AtomicBool::new(false));
        let listener = Listener {
            servers,
            deadline,
            channel,
            is_known: Box::new(is_known),
            changed,
            stop: stop.clone(),
        };
        let thread = thread::Builder::new()
            .name("growthbook-redis-watch".into())
            .spawn(move || listener.run())
            .inspect_err(|error| {
                log::warn!(target: LOG_TARGET, "other processes are not heard: {error}");
            })
            .ok()?;
        Some(Box::new(Watch { stop, thread: Some(thread), ending, process: process::id() }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // In the child of a fork there is no such thread.
        if let Some(thread) = self.thread.take()
            && self.process == process::id()
        {
            self.ending.add(thread);
        }
    }
}

struct Listener {
    servers: Arc<RedisServers>,
    deadline: Duration,
    channel: String,
    is_known: Box<dyn Fn(&str) -> bool + Send>,
    changed: CacheChanged,
    stop: Arc<AtomicBool>,
}

impl Listener {
    fn run(&self) {
        let mut failures = 0_u32;
        while !self.is_stopped() {
            let mut was_heard = false;
            if self.listen(failures > 0, &mut was_heard).is_ok() {
                return;
            }
            failures = if was_heard { 1 } else { failures.saturating_add(1) };
            self.rest(failures);
        }
    }

    /// Listens until told to stop, or the connection breaks.
    fn listen(&self, is_again: bool, was_heard: &mut bool) -> RedisResult<()> {
        let Some(mut connection) = self.servers.subscriber(self.deadline)? else { return Ok(()) };
        let mut announcements = connection.as_pubsub();
        announcements.set_read_timeout(Some(self.deadline))?;
        announcements.subscribe(&self.channel)?;
        announcements.set_read_timeout(Some(SLICE))?;
        *was_heard = true;
        if is_again {
            // Something may have been announced meanwhile.
            self.tell();
        }
        let mut heard = Instant::now();
        while !self.is_stopped() {
            match announcements.get_message() {
                Ok(message) => {
                    heard = Instant::now();
                    let digest: String = message.get_payload().unwrap_or_default();
                    if !(self.is_known)(&digest) {
                        self.tell();
                    }
                }
                Err(error) if error.is_timeout() && heard.elapsed() >= LONGEST_SILENCE => {
                    announcements.set_read_timeout(Some(self.deadline))?;
                    let _: redis::Value = announcements.ping()?;
                    announcements.set_read_timeout(Some(SLICE))?;
                    heard = Instant::now();
                }
                Err(error) if error.is_timeout() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn tell(&self) {
        if catch_unwind(AssertUnwindSafe(|| (self.changed)())).is_err() {
            log::error!(target: LOG_TARGET, "using what another process put panicked");
        }
    }

    fn rest(&self, failures: u32) {
        let rest = Duration::from_millis(100).saturating_mul(1 << failures.min(8));
        let mut left = rest.min(LONGEST_REST);
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
