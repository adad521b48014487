//! The feed of one client.

mod pause;
mod ready;
mod refreshing;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io, process};

use growthbook_core::cache::{CacheWatch, PayloadCache, PayloadKey};
use growthbook_support::Level;

pub use ready::ReadyFuture;
pub use refreshing::RefreshFuture;

use refreshing::Running;

use crate::config_error::ConfigError;
use crate::error::{FetchError, FetchErrorKind};
use crate::http::Settings;
use crate::options::{FetchOptions, Refresh};
use crate::registry;
use crate::schedule::Plan;
use crate::sink::PayloadSink;
use crate::source::{Member, MemberId, NotReady, Source};
use crate::status::{FetchStatus, StreamOff, StreamState};

/// Supplies one client with payloads. It starts with the cached one. A source that all clients on
/// one host and key share keeps it fresh.
///
/// Dropping a feed closes it, within [`FetchOptions::close_timeout`].
pub struct Feed {
    source: Arc<Source>,
    member: Arc<Member>,
    member_id: MemberId,
    close_timeout: Duration,
    is_manual: bool,
    /// The process that started the feed.
    process: u32,
    is_closed: AtomicBool,
    is_paused: AtomicBool,
    /// Watches the cache for payloads that other processes put. Held while the feed is paused or
    /// resumed.
    watch: Mutex<Option<CacheWatch>>,
    /// The last refresh on a thread of its own.
    refreshing: Mutex<Option<Arc<Running>>>,
}

impl Feed {
    /// Starts a feed: offers the cached payload, and begins to refresh. Waits for the cache, never
    /// for the server.
    ///
    /// # Errors
    ///
    /// When an option is invalid, or the system has no thread or file descriptor left. It never fails
    /// because of the network.
    pub fn start(
        options: &FetchOptions,
        cache: Arc<dyn PayloadCache>,
        sink: impl PayloadSink + 'static,
    ) -> Result<Self, StartError> {
        let settings = Settings::check(options)?;
        let plan = plan(options)?;
        let key = PayloadKey::new(options.api_host.as_str(), options.client_key.trim());
        let member = Arc::new(Member::new(key, cache, Box::new(sink)));
        let cached = member.offer_cached();
        let (source, member_id) =
            registry::join(&settings, cached, &member, plan, options.cache_ttl)
                .map_err(StartError::Thread)?;
        // Other clients on the same host and key may have a failure, or a newer document.
        if let Some(last) = source.status().last_error {
            member.failed(&last.error);
        }
        if let Some(latest) = source.latest() {
            // If this client cannot use it, the status has the error.
            let _ = member.offer(&latest);
        }
        let watch = plan.is_active().then(|| member.watch_cache(&source)).flatten();
        member.start();
        Ok(Feed {
            source,
            member,
            member_id,
            close_timeout: options.close_timeout,
            is_manual: !plan.is_active(),
            process: process::id(),
            is_closed: AtomicBool::new(false),
            is_paused: AtomicBool::new(false),
            watch: Mutex::new(watch),
            refreshing: Mutex::new(None),
        })
    }

    /// Whether this process is a child that was forked after the start. The threads do not exist in
    /// the child, the sockets are the parent's, and a missing thread may hold a lock.
    /// So this feed does nothing in the child. Start another one there.
    pub fn is_left_behind(&self) -> bool {
        self.process != process::id()
    }

    /// Fetches now, on this thread. Clients that fetch at the same time share one request.
    ///
    /// # Errors
    ///
    /// When the fetch fails, or the reply is not a payload. The payload in use stays. A paused feed
    /// does not fetch.
    pub fn refresh(&self) -> Result<(), FetchError> {
        self.refresh_within(Duration::MAX)
    }

    /// Fetches, but takes no longer than this.
    fn refresh_within(&self, limit: Duration) -> Result<(), FetchError> {
        self.check_open()?;
        self.source.fetch(limit)?;
        self.member.last_error().map_or(Ok(()), Err)
    }

    /// Checks that this feed may fetch.
    fn check_open(&self) -> Result<(), FetchError> {
        if self.is_left_behind() || self.is_closed.load(Ordering::Relaxed) {
            return Err(FetchErrorKind::Closed.into());
        }
        if self.is_paused() { Err(FetchErrorKind::Paused.into()) } else { Ok(()) }
    }

    /// Waits until there is a payload from the network or a cache. Waits through failures that may
    /// pass. With [`Refresh::Manual`] it fetches once, unless there is a payload.
    ///
    /// # Errors
    ///
    /// When there was no payload in time, or waiting is pointless: the server refuses
    /// ([`FetchErrorKind::is_refusal`]), or the feed is closed or paused.
    pub fn wait_ready(&self, timeout: Duration) -> Result<(), NotReady> {
        if self.is_left_behind() {
            return Err(FetchError::from(FetchErrorKind::Closed).into());
        }
        if !self.member.is_ready() {
            self.check_open()?;
            if self.is_manual {
                // The member keeps the outcome.
                let _ = self.refresh_within(timeout);
                return self.member.wait_ready(Duration::ZERO);
            }
        }
        self.member.wait_ready(timeout)
    }

    /// Returns a future for the first payload. An attempt that fails from now on ends it.
    pub fn ready(&self) -> ReadyFuture {
        // In manual mode and in a pause the last outcome counts, because another attempt may never
        // come.
        let is_idle = self.is_manual || self.is_paused();
        let failures_before = if is_idle { 0 } else { self.member.failures() };
        ReadyFuture { member: self.member.clone(), is_manual: self.is_manual, failures_before }
    }

    /// Returns the status of refreshing.
    pub fn status(&self) -> FetchStatus {
        let mut status = self.member.complete(self.source.status());
        status.is_paused = self.is_paused();
        if status.is_paused {
            status.stream = StreamState::Off(StreamOff::Paused);
        }
        if self.is_closed.load(Ordering::Relaxed) {
            // Other clients may share the source and its stream.
            status.stream = StreamState::Off(StreamOff::Closed);
        }
        status
    }

    /// Stops refreshing. Afterwards the threads and sockets of the source and of the cache are gone,
    /// unless other clients share them.
    ///
    /// # Errors
    ///
    /// When that takes longer than the deadline. The threads end a little later.
    pub fn close(&self, deadline: Duration) -> Result<(), CloseTimedOut> {
        if self.is_left_behind() {
            return Ok(());
        }
        let start = Instant::now();
        self.is_closed.store(true, Ordering::Relaxed);
        drop(self.watch.lock().unwrap_or_else(PoisonError::into_inner).take());
        // Before the source stops, so that a waiting thread gets the reason.
        self.member.closed(FetchErrorKind::Closed.into());
        let closed = self.source.leave(self.member_id, deadline);
        registry::forget_stopped();
        // Without the source, other clients may wait for that fetch as well.
        let refreshed = !self.source.is_stopped()
            || self.wait_for_refresh(deadline.saturating_sub(start.elapsed()));
        // Last, because the source may write to the cache until it stops.
        let disconnected = self.member.disconnect_cache(deadline.saturating_sub(start.elapsed()));
        if closed && refreshed && disconnected { Ok(()) } else { Err(CloseTimedOut) }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // A destructor cannot report the error.
        let _ = self.close(self.close_timeout);
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Feed").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// Returns when to ask the server. An interval that is too short is raised.
fn plan(options: &FetchOptions) -> Result<Plan, ConfigError> {
    let (stream, interval) = match options.refresh {
        Refresh::Stream => (true, options.poll_interval),
        Refresh::Poll(interval) => (false, interval),
        Refresh::Manual => return Ok(Plan::default()),
    };
    if interval.is_zero() {
        return Err(ConfigError::ZeroInterval);
    }
    let shortest = options.min_poll_interval;
    if interval < shortest {
        growthbook_support::log!(
            Level::Warn,
            "the poll interval is {interval:?}, which is too short: {shortest:?} is used instead",
        );
    }
    Ok(Plan { stream, interval: Some(interval.max(shortest)) })
}

/// Why a feed could not be started.
#[derive(Debug)]
pub enum StartError {
    /// An option is invalid.
    Config(ConfigError),
    /// The system has no thread or file descriptor left.
    Thread(io::Error),
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        StartError::Config(error)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Config(error) => error.fmt(formatter),
            StartError::Thread(error) => write!(
                formatter,
                "the system has no thread or file descriptor left for refreshing ({error}): raise \
                 the limits of the process"
            ),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            StartError::Config(_) => None,
            StartError::Thread(error) => Some(error),
        }
    }
}

/// Closing took longer than the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseTimedOut;

impl fmt::Display for CloseTimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("closing took longer than the deadline: threads and sockets end a little later; allow more time")
    }
}

impl core::error::Error for CloseTimedOut {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::MIN_POLL_INTERVAL;

    #[test]
    fn short_intervals_are_raised() {
        let minute = Duration::from_secs(60);
        let cases = [
            (Duration::from_nanos(60), MIN_POLL_INTERVAL),
            (Duration::from_millis(999), MIN_POLL_INTERVAL),
            (MIN_POLL_INTERVAL, MIN_POLL_INTERVAL),
            (minute, minute),
        ];
        for (interval, expected) in cases {
            let options = FetchOptions::new("sdk-1").poll_interval(interval);
            for options in [options.clone().refresh(Refresh::Poll(interval)), options] {
                assert_eq!(plan(&options).unwrap().interval, Some(expected), "{options:?}");
            }
        }
    }
}
