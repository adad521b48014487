//! Plugins that are added and removed while a client runs.

use core::fmt;
use std::sync::{Arc, Weak};

use growthbook_core::plugin::Plugin;

use crate::listeners::{DEFAULT_PLUGIN_STOP_TIMEOUT, Listener, Registry};
use crate::state::Live;

/// A plugin that was added to a running client, see [`Client::subscribe`](crate::Client::subscribe).
/// Dropping it removes and stops the plugin.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    listener: Arc<Listener>,
    registry: Weak<Registry>,
    live: Weak<Live>,
}

impl Subscription {
    pub(crate) fn new(live: &Arc<Live>, registry: &Arc<Registry>, plugin: Box<dyn Plugin>) -> Self {
        let listener = registry.start(plugin);
        publish(live, registry);
        Subscription { listener, registry: Arc::downgrade(registry), live: Arc::downgrade(live) }
    }

    /// Keeps the plugin as long as the client.
    pub fn keep(mut self) {
        self.registry = Weak::new();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(registry) = self.registry.upgrade() else { return };
        registry.remove(&self.listener);
        if let Some(live) = self.live.upgrade() {
            publish(&live, &registry);
        }
        self.listener.stop(DEFAULT_PLUGIN_STOP_TIMEOUT);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Subscription").finish_non_exhaustive()
    }
}

/// Gives the current plugins to the evaluations of scopes that are made from now on.
fn publish(live: &Live, registry: &Registry) {
    live.set_data(|state| state.with_listeners(registry.listeners()));
}
