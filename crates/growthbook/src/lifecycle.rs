//! Waiting for a payload, refreshing and closing.

use core::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use growthbook_core::PayloadSource;
use growthbook_fetch::{
    CloseTimedOut, FetchError, FetchErrorKind, NotReady, ReadyFuture, RefreshFuture,
};

use crate::client::Client;

/// The client has a payload.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ready {
    /// Where the payload came from.
    pub source: PayloadSource,
    /// Why there is no payload from the network or a cache, if there is not.
    pub cause: Option<FetchError>,
    /// Whether the time for waiting ran out.
    pub timed_out: bool,
}

impl Client {
    /// Waits until there is a payload from the network or a cache. Waits through failures that may
    /// pass. With [`Refresh::Manual`](crate::Refresh::Manual) it fetches once, unless there is a
    /// payload.
    ///
    /// An embedded client is ready if it has a payload.
    ///
    /// # Errors
    ///
    /// When there was no payload in time, or waiting is pointless, and there is no fallback: so far
    /// every flag is unknown. Refreshing continues.
    pub fn wait_ready(&self, timeout: Duration) -> Result<Ready, NotReady> {
        let outcome = match self.connection() {
            Some(connection) => connection.feed().wait_ready(timeout),
            None => self.embedded_ready(),
        };
        self.with_fallback(outcome)
    }

    /// Returns a future that waits like [`wait_ready`](Client::wait_ready), for async code on any
    /// executor. It has no timer: it resolves when there is a payload, or when the next attempt has
    /// failed. If the server has refused, it resolves at once. With
    /// [`Refresh::Manual`](crate::Refresh::Manual) there may be no further attempt, so it resolves at
    /// once as well. Use the executor's timeout to wait for a shorter time, and call it again to
    /// wait longer.
    ///
    /// ```
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// # let client = growthbook::Client::builder("sdk-abc123").start()?;
    /// if let Err(error) = client.ready().await {
    ///     eprintln!("flags have their fallbacks for now: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn ready(&self) -> ReadyClient<'_> {
        let future = self.connection().map(|connection| connection.feed().ready());
        ReadyClient { client: self, future }
    }

    fn embedded_ready(&self) -> Result<(), NotReady> {
        let has_payload = self.live().load().source().is_some();
        if has_payload { Ok(()) } else { Err(FetchError::from(FetchErrorKind::NoServer).into()) }
    }

    fn with_fallback(&self, outcome: Result<(), NotReady>) -> Result<Ready, NotReady> {
        match (outcome, self.live().load().source()) {
            (Ok(()), Some(source)) => Ok(Ready { source, cause: None, timed_out: false }),
            (Err(why), Some(source)) => {
                Ok(Ready { source, cause: why.cause, timed_out: why.timed_out })
            }
            (Err(why), None) => Err(why),
            (Ok(()), None) => Err(FetchError::from(FetchErrorKind::NoServer).into()),
        }
    }

    /// Fetches now, on this thread. Clients that fetch at the same time share one request.
    ///
    /// # Errors
    ///
    /// When the fetch fails, or the reply is not a payload. The payload in use stays.
    pub fn refresh(&self) -> Result<(), FetchError> {
        match self.connection() {
            Some(connection) => connection.feed().refresh(),
            None => Err(FetchErrorKind::NoServer.into()),
        }
    }

    /// Fetches now, without blocking the caller, on any executor. A thread of its own fetches, and
    /// ends with the fetch. Calls during the fetch share it. Dropping the future does not stop the
    /// fetch.
    ///
    /// The future resolves to an error when the fetch fails, when the reply is not a payload, or when
    /// the system does not start a thread. The payload in use stays.
    ///
    /// ```
    /// # async fn refresh(client: &growthbook::Client) {
    /// if let Err(error) = client.refresh_async().await {
    ///     eprintln!("the flags may be old: {error}");
    /// }
    /// # }
    /// ```
    pub fn refresh_async(&self) -> RefreshFuture {
        match self.connection() {
            Some(connection) => connection.feed().refresh_async(),
            None => RefreshFuture::failed(FetchErrorKind::NoServer.into()),
        }
    }

    /// Stops refreshing until [`resume`](Client::resume), for all handles of this client: nothing is
    /// fetched, and the stream is closed. Evaluation continues with the payload in use. A refresh
    /// that the application orders fails with [`FetchErrorKind::Paused`].
    ///
    /// Other clients on the same host and key go on, and this client does not get their payloads.
    /// Does nothing for an embedded, a paused or a closed client.
    pub fn pause(&self) {
        if let Some(connection) = self.connection() {
            connection.feed().pause();
        }
    }

    /// Refreshes again after [`pause`](Client::pause), and fetches at once. With
    /// [`Refresh::Manual`](crate::Refresh::Manual), refreshes of the application are allowed again.
    /// Does nothing if the client is not paused.
    ///
    /// # Errors
    ///
    /// When the system has no thread or file descriptor left. The client stays paused.
    pub fn resume(&self) -> Result<(), FetchError> {
        self.connection().map_or(Ok(()), |connection| connection.feed().resume())
    }

    /// Stops refreshing, for all handles of this client. Evaluation continues with the payload in
    /// use. Afterwards the threads and sockets, with those of the cache, are gone, unless other
    /// clients share them.
    ///
    /// Plugins send what they have queued, and stop.
    ///
    /// Dropping the last handle does the same, within
    /// [`close_timeout`](crate::FetchOptions::close_timeout), and
    /// [`DEFAULT_PLUGIN_STOP_TIMEOUT`](crate::tracking::DEFAULT_PLUGIN_STOP_TIMEOUT) for plugins.
    ///
    /// # Errors
    ///
    /// When that takes longer than the deadline. The threads end a little later.
    pub fn close(&self, deadline: Duration) -> Result<(), CloseTimedOut> {
        let start = growthbook_support::now();
        let closed = self.connection().map_or(Ok(()), |connection| connection.close(deadline));
        let spent = start.map(|start| start.elapsed()).unwrap_or_default();
        let stopped = self.registry().listeners().stop(deadline.saturating_sub(spent));
        closed.and(if stopped { Ok(()) } else { Err(CloseTimedOut) })
    }
}

/// Resolves when a client has a payload, or the next attempt to get one has failed: see
/// [`Client::ready`].
#[must_use = "futures do nothing unless awaited"]
pub struct ReadyClient<'a> {
    client: &'a Client,
    /// `None` for an embedded client.
    future: Option<ReadyFuture>,
}

impl Future for ReadyClient<'_> {
    type Output = Result<Ready, NotReady>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = match &mut self.future {
            Some(future) => Pin::new(future).poll(context),
            None => Poll::Ready(self.client.embedded_ready()),
        };
        outcome.map(|outcome| self.client.with_fallback(outcome))
    }
}

impl fmt::Debug for ReadyClient<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReadyClient").finish_non_exhaustive()
    }
}
