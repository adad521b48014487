//! Options of remote evaluation.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::options::FetchOptions;

/// Default of [`RemoteOptions::soft_ttl`], as in the JavaScript SDK.
pub const DEFAULT_REMOTE_SOFT_TTL: Duration = Duration::from_secs(60);
/// Default of [`RemoteOptions::hard_ttl`], as in the JavaScript SDK.
pub const DEFAULT_REMOTE_HARD_TTL: Duration = Duration::from_secs(4 * 3600);
/// Default of [`RemoteOptions::max_answers`].
pub const DEFAULT_REMOTE_ANSWERS: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();
/// Default of [`RemoteOptions::max_answer_bytes`]: 64 MiB.
pub const DEFAULT_REMOTE_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Default of [`RemoteOptions::max_requests`].
pub const DEFAULT_REMOTE_REQUESTS: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// How many requests may wait for one of [`RemoteOptions::max_requests`]. Beyond this, a user gets the
/// last good answer, and the error [`FetchErrorKind::Busy`](crate::FetchErrorKind::Busy).
pub const MAX_WAITING_REQUESTS: usize = 1_000;

/// Options of remote evaluation.
///
/// `Debug` omits the client key, and addresses and headers, which may have passwords.
#[derive(Clone)]
pub struct RemoteOptions {
    pub(super) fetch: FetchOptions,
    pub(super) key_attributes: Option<Box<[String]>>,
    pub(super) soft_ttl: Duration,
    pub(super) hard_ttl: Duration,
    pub(super) max_answers: NonZeroUsize,
    pub(super) max_answer_bytes: usize,
    pub(super) max_requests: NonZeroUsize,
}

impl RemoteOptions {
    /// Creates options for this client key (`sdk-...`), all at their defaults. The default host does not
    /// evaluate for clients, so [`fetch`](Self::fetch) must set another one.
    pub fn new(client_key: impl Into<String>) -> Self {
        RemoteOptions {
            fetch: FetchOptions::new(client_key),
            key_attributes: None,
            soft_ttl: DEFAULT_REMOTE_SOFT_TTL,
            hard_ttl: DEFAULT_REMOTE_HARD_TTL,
            max_answers: DEFAULT_REMOTE_ANSWERS,
            max_answer_bytes: DEFAULT_REMOTE_ANSWER_BYTES,
            max_requests: DEFAULT_REMOTE_REQUESTS,
        }
    }

    /// Sets options of the requests: hosts, headers, time limits, a proxy, certificates.
    /// [`Refresh::Stream`](crate::Refresh::Stream) follows notices of changes. Other values of
    /// `refresh` do not, and intervals are not used.
    #[must_use]
    pub fn fetch(mut self, set: impl FnOnce(FetchOptions) -> FetchOptions) -> Self {
        self.fetch = set(self.fetch);
        self
    }

    /// Sets the attributes that the answer depends on. Users with the same values of them, the same URL
    /// and the same forced values share an answer. Default: all attributes.
    #[must_use]
    pub fn key_attributes<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.key_attributes = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the age up to which an answer is fresh. An older one is used as well, and the server is asked
    /// for the next one meanwhile. Default: [`DEFAULT_REMOTE_SOFT_TTL`].
    #[must_use]
    pub fn soft_ttl(mut self, ttl: Duration) -> Self {
        self.soft_ttl = ttl;
        self
    }

    /// Sets the age up to which an answer is used without asking the server first. An older one is used
    /// only if the server does not answer. Default: [`DEFAULT_REMOTE_HARD_TTL`].
    #[must_use]
    pub fn hard_ttl(mut self, ttl: Duration) -> Self {
        self.hard_ttl = ttl;
        self
    }

    /// Sets how many answers are kept. The least recently used one is forgotten first. Default:
    /// [`DEFAULT_REMOTE_ANSWERS`].
    #[must_use]
    pub fn max_answers(mut self, count: NonZeroUsize) -> Self {
        self.max_answers = count;
        self
    }

    /// Sets how long the texts of all kept answers may be together, in bytes. A compiled answer takes
    /// a few times its text. Default: [`DEFAULT_REMOTE_ANSWER_BYTES`].
    #[must_use]
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = bytes;
        self
    }

    /// Sets how many requests are sent at the same time. Each needs a thread and a connection, which end
    /// after some seconds without a request. Default: [`DEFAULT_REMOTE_REQUESTS`].
    #[must_use]
    pub fn max_requests(mut self, count: NonZeroUsize) -> Self {
        self.max_requests = count;
        self
    }
}

impl fmt::Debug for RemoteOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RemoteOptions")
            .field("soft_ttl", &self.soft_ttl)
            .field("hard_ttl", &self.hard_ttl)
            .field("max_answers", &self.max_answers)
            .field("max_requests", &self.max_requests)
            .finish_non_exhaustive()
    }
}
