//! Options for sending events.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use growthbook_core::event::CustomEvent;
use growthbook_net::ConnectionOptions;

/// The ingestor in the United States, which is the default.
pub const US_INGESTOR: &str = "https://us-east-1.gb-ingest.com";

/// The ingestor in the European Union.
pub const EU_INGESTOR: &str = "https://eu-west-1.gb-ingest.com";

/// The default of the most events in a request. It is also the ingestor's documented limit.
pub const DEFAULT_BATCH_SIZE: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// The default of the longest time that an event waits for a full batch.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);

/// The default of the most events in the queue.
pub const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The default of the most bytes in the queue: 16 MiB.
pub const DEFAULT_CAPACITY_BYTES: NonZeroUsize = NonZeroUsize::new(16 * 1024 * 1024).unwrap();

/// The default of the number of events that are remembered, so that each is sent once.
pub const DEFAULT_DUPLICATE_CACHE_SIZE: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();

/// The default of the time for which a failing request is repeated.
pub const DEFAULT_RETRY_FOR: Duration = Duration::from_secs(600);

/// The default of the time limit of a request.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The default of the time that dropping the last handle may take.
pub const DEFAULT_DROP_DEADLINE: Duration = Duration::from_secs(1);

/// Options for [`IngestorTracking`](crate::IngestorTracking).
#[derive(Clone)]
pub struct TrackingOptions {
    pub(crate) host: String,
    pub(crate) client_key: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) feature_usage: bool,
    pub(crate) duplicate_cache_size: NonZeroUsize,
    pub(crate) duplicate_key_attributes: Vec<Box<str>>,
    pub(crate) filter: Option<EventFilter>,
    pub(crate) request_timeout: Duration,
    pub(crate) drop_deadline: Duration,
    pub(crate) connection: ConnectionOptions,
}

/// Decides whether an event is sent.
pub(crate) type EventFilter = Arc<dyn Fn(&CustomEvent<'_>) -> bool + Send + Sync>;

/// The limits of the queue.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) batch_size: NonZeroUsize,
    pub(crate) interval: Duration,
    pub(crate) capacity: NonZeroUsize,
    pub(crate) capacity_bytes: NonZeroUsize,
    pub(crate) retry_for: Duration,
}

impl TrackingOptions {
    /// Makes the default options.
    pub fn new() -> Self {
        TrackingOptions {
            host: US_INGESTOR.into(),
            client_key: None,
            limits: Limits {
                batch_size: DEFAULT_BATCH_SIZE,
                interval: DEFAULT_INTERVAL,
                capacity: DEFAULT_CAPACITY,
                capacity_bytes: DEFAULT_CAPACITY_BYTES,
                retry_for: DEFAULT_RETRY_FOR,
            },
            feature_usage: true,
            duplicate_cache_size: DEFAULT_DUPLICATE_CACHE_SIZE,
            duplicate_key_attributes: Vec::new(),
            filter: None,
            request_timeout: DEFAULT_REQUEST_TIMEOUT,
            drop_deadline: DEFAULT_DROP_DEADLINE,
            connection: ConnectionOptions::new(),
        }
    }

    /// Sets the ingestor: [`US_INGESTOR`], [`EU_INGESTOR`], or an address of yours. Slashes at its
    /// end are ignored. Default: [`US_INGESTOR`].
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Sets the client key. Default: the key of the client that the plugin is added to.
    #[must_use]
    pub fn client_key(mut self, client_key: impl Into<String>) -> Self {
        self.client_key = Some(client_key.into());
        self
    }

    /// Sets the most events in a request. Default: [`DEFAULT_BATCH_SIZE`], which is also the most.
    #[must_use]
    pub fn batch_size(mut self, events: NonZeroUsize) -> Self {
        self.limits.batch_size = events.min(DEFAULT_BATCH_SIZE);
        self
    }

    /// Sets how long an event waits for a full batch. Default: [`DEFAULT_INTERVAL`].
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.limits.interval = interval;
        self
    }

    /// Sets the most events in the queue. When it is full, new events are lost and counted. Default:
    /// [`DEFAULT_CAPACITY`].
    #[must_use]
    pub fn capacity(mut self, events: NonZeroUsize) -> Self {
        self.limits.capacity = events;
        self
    }

    /// Sets the most bytes in the queue, as JSON text. When it is full, new events are lost and
    /// counted. Default: [`DEFAULT_CAPACITY_BYTES`].
    #[must_use]
    pub fn capacity_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.limits.capacity_bytes = bytes;
        self
    }

    /// Sets for how long a failing request is repeated, before its events are lost. Default:
    /// [`DEFAULT_RETRY_FOR`].
    #[must_use]
    pub fn retry_for(mut self, retry_for: Duration) -> Self {
        self.limits.retry_for = retry_for;
        self
    }

    /// Sets whether evaluated features are sent, besides exposures and custom events. Default: true.
    #[must_use]
    pub fn feature_usage(mut self, feature_usage: bool) -> Self {
        self.feature_usage = feature_usage;
        self
    }

    /// Sets how many exposures and evaluated features are remembered, so that each is sent once.
    /// Default: [`DEFAULT_DUPLICATE_CACHE_SIZE`].
    #[must_use]
    pub fn duplicate_cache_size(mut self, events: NonZeroUsize) -> Self {
        self.duplicate_cache_size = events;
        self
    }

    /// Sets the attributes that make an event a different one. Default: none for exposures, which
    /// have the hash value, and all for evaluated features.
    #[must_use]
    pub fn duplicate_key_attributes<N: Into<Box<str>>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        self.duplicate_key_attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a function that decides whether an event is sent. It is called on the evaluating thread.
    /// Default: all are sent.
    #[must_use]
    pub fn event_filter(
        mut self,
        filter: impl Fn(&CustomEvent<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }

    /// Sets the time limit of a request. Default: [`DEFAULT_REQUEST_TIMEOUT`].
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Sets how connections are made: the proxy, and certificates. Default: directly, with Mozilla's
    /// certificates.
    #[must_use]
    pub fn connection(mut self, options: ConnectionOptions) -> Self {
        self.connection = options;
        self
    }

    /// Sets how long dropping the last handle may take. Default: [`DEFAULT_DROP_DEADLINE`].
    #[must_use]
    pub fn drop_deadline(mut self, deadline: Duration) -> Self {
        self.drop_deadline = deadline;
        self
    }
}

/// The same as [`TrackingOptions::new`].
impl Default for TrackingOptions {
    fn default() -> Self {
        TrackingOptions::new()
    }
}

/// Prints neither the client key nor the host.
impl fmt::Debug for TrackingOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TrackingOptions")
            .field("limits", &self.limits)
            .field("feature_usage", &self.feature_usage)
            .finish_non_exhaustive()
    }
}
