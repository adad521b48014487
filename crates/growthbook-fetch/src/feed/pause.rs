//! Pausing and resuming.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::Feed;
use crate::error::{FetchError, FetchErrorKind};
use crate::sink::Offered;

impl Feed {
    /// Stops refreshing until [`resume`](Self::resume): nothing is fetched, and the stream is closed.
    /// The payload in use stays, though other clients on the same host and key may go on. A fetch
    /// that is under way has no effect.
    ///
    /// Does nothing if the feed is paused or closed.
    pub fn pause(&self) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_left_behind() || self.is_closed.load(Ordering::Relaxed) {
            return;
        }
        self.is_paused.store(true, Ordering::Relaxed);
        drop(watch.take());
        self.source.pause(self.member_id);
        drop(watch);
        // Ends the futures for the first payload: nothing will fetch it.
        self.member.failed(&FetchErrorKind::Paused.into());
    }

    /// Refreshes again after [`pause`](Self::pause), and fetches at once. With
    /// [`Refresh::Manual`](crate::Refresh::Manual), fetches are allowed again.
    ///
    /// Does nothing if the feed is not paused.
    ///
    /// # Errors
    ///
    /// When the system has no thread or file descriptor left. The feed stays paused.
    pub fn resume(&self) -> Result<(), FetchError> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = self.is_left_behind() || self.is_closed.load(Ordering::Relaxed);
        if is_over || !self.is_paused.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.source
            .resume(self.member_id)
            .map_err(|error| FetchError::with_source(FetchErrorKind::System, error))?;
        self.is_paused.store(false, Ordering::Relaxed);
        *watch = (!self.is_manual).then(|| self.member.watch_cache(&self.source)).flatten();
        drop(watch);
        // Other clients may have a newer document. If this client cannot use it, the status has
        // the error.
        if let Some(latest) = self.source.latest()
            && let Ok(Offered::Applied { change }) = self.member.offer(&latest)
        {
            self.member.notify(change);
        }
        Ok(())
    }

    /// Whether the feed is paused.
    pub fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Relaxed)
    }
}
