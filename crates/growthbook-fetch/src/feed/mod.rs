//! One client's supply of payloads.

mod ready;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io, process};

use growthbook_core::cache::{CacheWatch, PayloadCache, PayloadKey};

pub use ready::ReadyFuture;

use crate::error::{FetchError, FetchErrorKind};
use crate::http::Settings;
use crate::options::{ConfigError, FetchOptions, Refresh};
use crate::registry;
use crate::schedule::Plan;
use crate::sink::PayloadSink;
use crate::source::{Member, MemberId, NotReady, Source};
use crate::status::{FetchStatus, StreamOff, StreamState};

/// One client's supply of payloads: started with what a cache has, kept fresh by a source that
/// all clients on one host and key share.
///
/// Dropping it is closing it.
pub struct Feed {
    source: Arc<Source>,
    member: Arc<Member>,
    member_id: MemberId,
    close_timeout: Duration,
    is_manual: bool,
    /// The process it was started in.
    process: u32,
    is_closed: AtomicBool,
    /// Watches the cache for payloads that other processes put.
    watch: Mutex<Option<CacheWatch>>,
}

impl Feed {
    /// Starts: offers what the cache has, and begins to refresh. Waits for the cache, never for
    /// the server.
    ///
    /// # Errors
    ///
    /// When the options cannot work, or no thread can be started. Nothing depends on the network.
    pub fn start(
        options: &FetchOptions,
        cache: Arc<dyn PayloadCache>,
        sink: impl PayloadSink + 'static,
    ) -> Result<Self, StartError> {
        let settings = Settings::check(options)?;
        let plan = match options.refresh {
            Refresh::Poll(interval) if interval.is_zero() => {
                return Err(ConfigError::ZeroInterval.into());
            }
            Refresh::Stream if options.poll_interval.is_zero() => {
                return Err(ConfigError::ZeroInterval.into());
            }
            refresh => Plan::new(refresh, options.poll_interval),
        };
        let key = PayloadKey::new(options.api_host.as_str(), options.client_key.trim());
        let member = Arc::new(Member::new(key, cache, Box::new(sink)));
        let cached = member.offer_cached();
        let (source, member_id) =
            registry::join(&settings, cached, &member, plan, options.cache_ttl)
                .map_err(StartError::Thread)?;
        // Others on the same host and key may know that it fails, or have a newer one.
        if let Some(last) = source.status().last_error {
            member.failed(&last.error);
        }
        if let Some(latest) = source.latest() {
            // One that this client cannot use is no reason not to start, and reported.
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
            watch: Mutex::new(watch),
        })
    }

    /// Whether the process was forked since, and this is the child. There is no thread here, the
    /// sockets are the parent's, and locks may be held by threads that do not exist: this feed
    /// does nothing any more, and another one has to be started.
    pub fn is_left_behind(&self) -> bool {
        self.process != process::id()
    }

    /// Asks the server now, on this thread, and waits for the answer. Clients that ask at the
    /// same time share one request.
    ///
    /// # Errors
    ///
    /// When there is no answer, or one that is no payload. The payload in use stays.
    pub fn refresh(&self) -> Result<(), FetchError> {
        self.refresh_within(Duration::MAX)
    }

    /// The same, but takes no longer than this.
    fn refresh_within(&self, limit: Duration) -> Result<(), FetchError> {
        if self.is_left_behind() || self.is_closed.load(Ordering::Relaxed) {
            return Err(FetchErrorKind::Closed.into());
        }
        self.source.fetch(limit)?;
        self.member.last_error().map_or(Ok(()), Err)
    }

    /// Waits until there is a payload from the network or a cache; through failures, as long as
    /// there is hope and time. With [`Refresh::Manual`] nobody else asks the server, so this does,
    /// once, unless there is a payload.
    ///
    /// # Errors
    ///
    /// When there was none in time, or asking on is pointless: the server refuses
    /// ([`FetchErrorKind::is_refusal`]), or the client is closed.
    pub fn wait_ready(&self, timeout: Duration) -> Result<(), NotReady> {
        if self.is_left_behind() {
            return Err(FetchError::from(FetchErrorKind::Closed).into());
        }
        if self.is_manual && !self.member.is_ready() {
            // What comes of it is in the state.
            let _ = self.refresh_within(timeout);
            return self.member.wait_ready(Duration::ZERO);
        }
        self.member.wait_ready(timeout)
    }

    /// A future for the outcome of the first attempt.
    pub fn ready(&self) -> ReadyFuture {
        ReadyFuture { member: self.member.clone(), is_manual: self.is_manual }
    }

    /// How refreshing is going.
    pub fn status(&self) -> FetchStatus {
        let mut status = self.member.complete(self.source.status());
        if self.is_closed.load(Ordering::Relaxed) {
            // Others may share the source, and its stream.
            status.stream = StreamState::Off(StreamOff::Closed);
        }
        status
    }

    /// Stops refreshing. The threads and sockets of the source and of the cache are gone
    /// afterwards, unless other clients share them.
    ///
    /// # Errors
    ///
    /// When that takes longer than the deadline. They will be gone a little later.
    pub fn close(&self, deadline: Duration) -> Result<(), CloseTimedOut> {
        if self.is_left_behind() {
            return Ok(());
        }
        let start = Instant::now();
        self.is_closed.store(true, Ordering::Relaxed);
        drop(self.watch.lock().unwrap_or_else(PoisonError::into_inner).take());
        // Before the source stops, so that whoever waits for a fetch that is interrupted finds out why.
        self.member.closed(FetchErrorKind::Closed.into());
        let closed = self.source.leave(self.member_id, deadline);
        registry::forget_stopped();
        // Last: the source may be writing to it.
        let disconnected = self.member.disconnect_cache(deadline.saturating_sub(start.elapsed()));
        if closed && disconnected { Ok(()) } else { Err(CloseTimedOut) }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = self.close(self.close_timeout);
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Feed").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// Why refreshing could not be started.
#[derive(Debug)]
pub enum StartError {
    /// The options cannot work.
    Config(ConfigError),
    /// The system gives no thread.
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
            StartError::Thread(_) => formatter.write_str("no thread could be started"),
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

/// Closing took longer than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseTimedOut;

impl fmt::Display for CloseTimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("closing took longer than allowed")
    }
}

impl core::error::Error for CloseTimedOut {}
