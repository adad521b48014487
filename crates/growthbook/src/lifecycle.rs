//! A client that asks a server: from its start to its end.

use core::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use growthbook_core::PayloadSource;
use growthbook_core::cache::PayloadCacheError;
use growthbook_fetch::{
    CloseTimedOut, Counters, FetchError, FetchErrorKind, LastError, NotReady, ReadyFuture,
    StreamOff, StreamState,
};

use crate::client::Client;

/// A client has something to evaluate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ready {
    /// Where it came from.
    pub source: PayloadSource,
    /// Why there is nothing from the network or a cache, if there is nothing.
    pub cause: Option<FetchError>,
    /// Whether waiting for that came to its end.
    pub timed_out: bool,
}

/// How a client is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Where the payload in use came from; `None` while there is none.
    pub source: Option<PayloadSource>,
    /// How long ago the server last sent or confirmed a payload. `None` when it never did, and for
    /// a payload from a cache that does not know: another SDK may have put it there.
    pub age: Option<Duration>,
    /// When the payload in use was last changed, as the API wrote it (ISO 8601).
    pub date_updated: Option<String>,
    /// The last failure to refresh, unless refreshing succeeded since.
    pub last_error: Option<LastError>,
    /// The cache's last failure, unless it worked since. Refreshing goes on without it.
    pub cache_error: Option<Arc<PayloadCacheError>>,
    /// The stream of changes, and why there is none.
    pub stream: StreamState,
    /// What was done since the first client on this host and key was started.
    pub counters: Counters,
}

impl Client {
    /// Waits until there is a payload from the network or a cache; through failures, as long as
    /// there is hope and time. With [`Refresh::Manual`](crate::Refresh::Manual) nobody else asks
    /// the server, so this does, once.
    ///
    /// A client without a server is ready when it has a payload.
    ///
    /// # Errors
    ///
    /// When there was none in time, or waiting on is pointless, and there is no fallback either:
    /// every flag is unknown so far. Refreshing goes on.
    pub fn wait_ready(&self, timeout: Duration) -> Result<Ready, NotReady> {
        let outcome = match self.connection() {
            Some(connection) => connection.feed().wait_ready(timeout),
            None => self.embedded_ready(),
        };
        self.with_fallback(outcome)
    }

    /// The same for async code, on any executor. It has no timer: it resolves when the first
    /// attempt has ended, well or badly; at once with [`Refresh::Manual`](crate::Refresh::Manual),
    /// where there is none unless you [`refresh`](Client::refresh). Put the executor's timeout around it for less, and ask
    /// again for more.
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

    /// How the client is doing.
    pub fn status(&self) -> Status {
        // In this order an open stream implies a payload.
        let status = self.connection().map(|connection| connection.feed().status());
        let in_use = self.live().load();
        let date_updated = in_use.payload().date_updated().map(str::to_owned);
        let source = in_use.source();
        match status {
            Some(status) => Status {
                source,
                // A time in the future is no time ago.
                age: status.fetched_at.map(|at| at.elapsed().unwrap_or_default()),
                date_updated,
                last_error: status.last_error,
                cache_error: status.cache_error,
                stream: status.stream,
                counters: status.counters,
            },
            None => Status {
                source,
                age: None,
                date_updated,
                last_error: None,
                cache_error: None,
                stream: StreamState::Off(StreamOff::NotWanted),
                counters: Counters::default(),
            },
        }
    }

    /// Asks the server now, on this thread, and waits for the answer. Clients that ask at the
    /// same time share one request.
    ///
    /// # Errors
    ///
    /// When there is no answer, or one that is no payload. The payload in use stays.
    pub fn refresh(&self) -> Result<(), FetchError> {
        match self.connection() {
            Some(connection) => connection.feed().refresh(),
            None => Err(FetchErrorKind::NoServer.into()),
        }
    }

    /// Stops refreshing, for all handles of this client. Evaluation goes on with the payload in
    /// use. The threads and sockets, those of the cache included, are gone afterwards, unless other
    /// clients share them.
    ///
    /// Dropping the last handle does the same, within
    /// [`close_timeout`](crate::FetchOptions::close_timeout).
    ///
    /// # Errors
    ///
    /// When that takes longer than the deadline. They will be gone a little later.
    pub fn close(&self, deadline: Duration) -> Result<(), CloseTimedOut> {
        self.connection().map_or(Ok(()), |connection| connection.close(deadline))
    }
}

/// Resolves when a client has something to evaluate, or the first attempt to get it has failed:
/// see [`Client::ready`].
#[must_use = "futures do nothing unless awaited"]
pub struct ReadyClient<'a> {
    client: &'a Client,
    /// `None` for a client without a server.
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
