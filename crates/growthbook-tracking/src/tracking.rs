//! The plugin that sends events to GrowthBook's ingestor.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use growthbook_core::event::{
    CustomEvent, EXPERIMENT_VIEWED, ExperimentViewed, FEATURE_EVALUATED, FeatureUsage,
};
use growthbook_core::plugin::{Plugin, PluginOwner};
use growthbook_support::{Level, log};

use crate::duplicates::{Duplicates, Identity};
use crate::ingestor::{Ingestor, Target, TrackingConfigError};
use crate::options::TrackingOptions;
use crate::sender::Sender;
use crate::status::{FlushTimedOut, TrackingStatus};
use crate::wire::event_text;

/// Sends exposures, evaluated features and custom events to GrowthBook's ingestor, as the JavaScript
/// SDK's tracking plugin does.
///
/// - One thread sends the events. It starts with the first one. An evaluation never waits for the
///   network.
/// - A request has up to [100 events](crate::DEFAULT_BATCH_SIZE). It is sent when it is full, or
///   after [a second](crate::DEFAULT_INTERVAL). There is at most one request a second, except while
///   closing.
/// - The queue is bounded. When it is full, new events are lost. [`status`](Self::status) counts
///   them.
/// - A request that fails (no connection, 408, 429, 5xx) is repeated, with a growing delay of up to
///   a minute, for [10 minutes](crate::DEFAULT_RETRY_FOR). Other statuses lose the events of the
///   request, and 413 divides it.
/// - An exposure is sent once, and so is an evaluated feature with the same result and attributes,
///   as far as [1,000 events](crate::DEFAULT_DUPLICATE_CACHE_SIZE) are remembered.
/// - The log (target `growthbook`) has the first failure of a series, and the recovery. It contains
///   neither keys nor attribute values.
/// - The child of a `fork()` starts with an empty queue and its own thread. The parent sends the
///   events that were queued before.
///
/// Clones share the queue. The client [stops](Plugin::stop) it when the client is closed. Dropping
/// the last clone sends the queued events for at most
/// [`drop_deadline`](TrackingOptions::drop_deadline).
#[derive(Clone)]
pub struct IngestorTracking {
    owner: Arc<Owner>,
}

impl IngestorTracking {
    /// Makes the plugin. It does not start the thread yet.
    ///
    /// # Errors
    ///
    /// When an option is invalid.
    pub fn new(options: TrackingOptions) -> Result<Self, TrackingConfigError> {
        let duplicates =
            Duplicates::new(options.duplicate_cache_size, &options.duplicate_key_attributes);
        let sender = Sender::new(options.limits.clone());
        let target = Target::check(&options)?;
        let owner = Owner { target, duplicates, sender, options };
        if let Some(key) = &owner.options.client_key {
            owner.connect(key);
        }
        Ok(IngestorTracking { owner: Arc::new(owner) })
    }

    /// Waits until all events that are queued now are sent or lost, at most until the deadline.
    /// Requests keep their distance of a second.
    ///
    /// # Errors
    ///
    /// When events are still queued. The thread continues to send them.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimedOut> {
        self.owner.sender.flush(end(deadline))
    }

    /// Sends all queued events, at most until the deadline, and ends the thread. Requests need no
    /// distance. Later events are lost. Closing twice has no further effect.
    ///
    /// # Errors
    ///
    /// When events were still queued. They are lost.
    pub fn close(&self, deadline: Duration) -> Result<(), FlushTimedOut> {
        self.owner.sender.close(end(deadline))
    }

    /// Returns what happened to the events so far.
    pub fn status(&self) -> TrackingStatus {
        self.owner.sender.status()
    }
}

impl Plugin for IngestorTracking {
    fn name(&self) -> &str {
        "growthbook-tracking"
    }

    fn start(&self, owner: &PluginOwner<'_>) {
        if let Some(key) = owner.client_key() {
            self.owner.connect(key);
        }
    }

    fn experiment_viewed(&self, viewed: &ExperimentViewed<'_>) {
        if self.owner.accepts(self.owner.duplicates.exposure(viewed)) {
            let properties = viewed.properties();
            let (user, time) = (viewed.user, viewed.timestamp);
            self.owner.send(&CustomEvent::new(EXPERIMENT_VIEWED, &properties, user, time));
        }
    }

    fn wants_feature_usage(&self) -> bool {
        self.owner.options.feature_usage
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        if self.owner.accepts(self.owner.duplicates.usage(usage)) {
            let properties = usage.properties();
            let (user, time) = (usage.user, usage.timestamp);
            self.owner.send(&CustomEvent::new(FEATURE_EVALUATED, &properties, user, time));
        }
    }

    fn event(&self, event: &CustomEvent<'_>) {
        if self.owner.sender.has_room() {
            self.owner.send(event);
        }
    }

    fn lost_events(&self) -> u64 {
        self.status().lost.total()
    }

    fn flush(&self, limit: Duration) -> bool {
        IngestorTracking::flush(self, limit).is_ok()
    }

    fn stop(&self, limit: Duration) -> bool {
        IngestorTracking::close(self, limit).is_ok()
    }
}

/// Prints the status, without keys and attribute values.
impl fmt::Debug for IngestorTracking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("IngestorTracking")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// What the clones share. The thread does not own it, so the last clone can end the thread.
struct Owner {
    options: TrackingOptions,
    target: Target,
    duplicates: Duplicates,
    sender: Sender,
}

impl Owner {
    fn connect(&self, client_key: &str) {
        let key = self.options.client_key.as_deref().unwrap_or(client_key);
        self.sender.set_ingestor(Ingestor::new(self.target.clone(), key));
    }

    /// Whether an event is new, and has room in the queue. Only then it is remembered: an event that
    /// is lost may be sent when it is repeated.
    fn accepts(&self, identity: Identity) -> bool {
        if self.duplicates.contains(identity) {
            self.sender.count_duplicate();
            return false;
        }
        let has_room = self.sender.has_room();
        if has_room {
            self.duplicates.insert(identity);
        }
        has_room
    }

    fn send(&self, event: &CustomEvent<'_>) {
        if self.options.filter.as_ref().is_none_or(|filter| filter(event)) {
            self.sender.push(event_text(event).into());
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // `status` cannot be asked any more. The log says how many events are lost.
        if let Err(error) = self.sender.close(end(self.options.drop_deadline)) {
            log!(Level::Warn, "{error}");
        }
    }
}

/// Returns the end of a deadline that starts now. `None` means no end: an `Instant` cannot hold it.
fn end(deadline: Duration) -> Option<Instant> {
    Instant::now().checked_add(deadline)
}
