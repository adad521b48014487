//! The port to plugins, which receive the events of a client or of a user scope.

use core::error::Error;
use core::fmt;
use core::time::Duration;

use crate::event::{CustomEvent, ExperimentViewed, FeatureUsage, FlagProblem};
use crate::payload::PayloadChange;

/// Receives what happens in a client or a user scope. Callbacks are plugins with one method.
///
/// # Contract
///
/// - **Events arrive on the evaluating thread.** A method that waits delays that evaluation, and no
///   other. So a plugin queues events, and sends them on a thread of its own. Its queue is bounded.
/// - **Several threads may call it at the same time.** The caller holds no lock, so a plugin may
///   evaluate. Events of its own evaluations reach it, too.
/// - **A method may panic.** The client logs the first panic of each plugin, and continues. Other
///   plugins, and the answer of the evaluation, are not affected.
/// - **A view borrows from the evaluation.** Its `to_record` makes an owned copy.
/// - **`start` is called before every event, and `stop` after them**, once each. A scope that lives
///   longer than its client may report events after `stop`. A plugin drops them.
/// - **A fork copies the plugin, but not its threads.** The client does not call it then. A plugin
///   with a thread compares the process id.
///
/// # Example
///
/// ```
/// use std::sync::mpsc::{SyncSender, sync_channel};
///
/// use growthbook_core::event::{ExperimentViewed, ExperimentViewedRecord};
/// use growthbook_core::plugin::Plugin;
///
/// struct Queue(SyncSender<ExperimentViewedRecord>);
///
/// impl Plugin for Queue {
///     fn experiment_viewed(&self, viewed: &ExperimentViewed<'_>) {
///         // A full queue loses the exposure. It does not delay the evaluation.
///         let _ = self.0.try_send(viewed.to_record());
///     }
/// }
/// # let (sender, _receiver) = sync_channel(1);
/// # let plugin: Box<dyn Plugin> = Box::new(Queue(sender));
/// ```
pub trait Plugin: Send + Sync {
    /// Returns a name for log records. Default: "plugin".
    fn name(&self) -> &str {
        "plugin"
    }

    /// Is called when the plugin is added to a client or scope.
    fn start(&self, owner: &PluginOwner<'_>) {
        let _ = owner;
    }

    /// Whether [`experiment_viewed`](Plugin::experiment_viewed) is called. It is asked once, after
    /// `start`. Default: true.
    fn wants_exposures(&self) -> bool {
        true
    }

    /// A user saw a variation. It is called once per exposure, as far as the client remembers.
    fn experiment_viewed(&self, viewed: &ExperimentViewed<'_>) {
        let _ = viewed;
    }

    /// Whether [`result`](Plugin::result) is called. It is asked once, after `start`. Default:
    /// false, which costs evaluations nothing.
    fn wants_results(&self) -> bool {
        false
    }

    /// An experiment ran, for a user who takes part or for one who is excluded. It is called when
    /// inclusion or variation differ from the user's last result, as far as the client remembers.
    fn result(&self, result: &ExperimentViewed<'_>) {
        let _ = result;
    }

    /// Whether [`feature_usage`](Plugin::feature_usage) is called. It is asked once, after `start`.
    /// Default: false, which costs evaluations nothing.
    fn wants_feature_usage(&self) -> bool {
        false
    }

    /// Whether [`feature_usage`](Plugin::feature_usage) is also called for values forced in code, if
    /// it is called at all. It is asked once, after `start`. Default: false, as in the JavaScript
    /// SDK.
    fn wants_overrides(&self) -> bool {
        false
    }

    /// A feature was evaluated, as itself or as a prerequisite of another one.
    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        let _ = usage;
    }

    /// Whether [`flag_problem`](Plugin::flag_problem) is called. It is asked once, after `start`.
    /// Default: false, which costs evaluations nothing.
    fn wants_flag_problems(&self) -> bool {
        false
    }

    /// Code asked for a flag that is unknown, or that has a value of another type. It is called each
    /// time, once the client has a payload.
    fn flag_problem(&self, problem: &FlagProblem<'_>) {
        let _ = problem;
    }

    /// The application logged an event.
    fn event(&self, event: &CustomEvent<'_>) {
        let _ = event;
    }

    /// Features or saved groups of the payload changed. It is not called for the payload that a
    /// client starts with, nor for a plugin of a scope.
    fn payload_changed(&self, change: &PayloadChange) {
        let _ = change;
    }

    /// A refresh failed. It is not called for a plugin of a scope.
    fn refresh_failed(&self, cause: &(dyn Error + 'static)) {
        let _ = cause;
    }

    /// Returns the number of events that the plugin has lost so far, such as those that found its
    /// queue full. Default: 0.
    fn lost_events(&self) -> u64 {
        0
    }

    /// Sends all queued events. Waits no longer than the limit, and returns whether the queue is
    /// empty. The default does nothing and returns true.
    fn flush(&self, limit: Duration) -> bool {
        let _ = limit;
        true
    }

    /// Ends the plugin: sends all queued events, and ends its threads. Waits no longer than the
    /// limit, and returns whether that was enough. The default does nothing and returns true.
    fn stop(&self, limit: Duration) -> bool {
        let _ = limit;
        true
    }
}

/// Ignores everything.
impl Plugin for () {}

/// The client or scope that a plugin is added to.
///
/// `Debug` does not print the client key.
#[derive(Clone, Copy, Default)]
pub struct PluginOwner<'a> {
    client_key: Option<&'a str>,
}

impl<'a> PluginOwner<'a> {
    /// Describes a client or scope without a client key.
    pub fn new() -> Self {
        PluginOwner::default()
    }

    /// Sets the client key.
    #[must_use]
    pub fn with_client_key(self, client_key: &'a str) -> Self {
        PluginOwner { client_key: Some(client_key) }
    }

    /// Returns the client key. `None` for a client that asks no server. Do not log it.
    pub fn client_key(&self) -> Option<&'a str> {
        self.client_key
    }
}

impl fmt::Debug for PluginOwner<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PluginOwner").finish_non_exhaustive()
    }
}
