//! The plugins in use: those of a client, and those of a scope.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use growthbook_core::plugin::{Plugin, PluginOwner};
use growthbook_support::Level;

/// How long a plugin may take to stop when its client, scope or subscription is dropped.
pub const DEFAULT_PLUGIN_STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A plugin in use. Its panics are contained here.
pub(crate) struct Listener {
    plugin: Box<dyn Plugin>,
    wants: Wants,
    is_active: AtomicBool,
    has_panicked: AtomicBool,
    /// The events that were lost because the plugin panicked.
    lost_events: AtomicU64,
}

/// The kinds of events that plugins of a list receive.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wants {
    pub(crate) exposures: bool,
    pub(crate) results: bool,
    pub(crate) usage: bool,
    /// Usage of features whose value is forced in code.
    pub(crate) overrides: bool,
    /// Evaluations of flags that are unknown or have another type.
    pub(crate) flag_problems: bool,
}

impl Wants {
    /// Whether evaluations have to be observed. A flag problem is found without an observer.
    fn any(self) -> bool {
        self.exposures || self.results || self.usage
    }
}

impl Listener {
    /// Starts a plugin.
    pub(crate) fn start(plugin: Box<dyn Plugin>, owner: &PluginOwner<'_>) -> Arc<Self> {
        let mut listener = Listener {
            plugin,
            wants: Wants::default(),
            is_active: AtomicBool::new(true),
            has_panicked: AtomicBool::new(false),
            lost_events: AtomicU64::new(0),
        };
        listener.call(|plugin| plugin.start(owner));
        let wants = listener.call(|plugin| Wants {
            exposures: plugin.wants_exposures(),
            results: plugin.wants_results(),
            usage: plugin.wants_feature_usage(),
            overrides: plugin.wants_overrides(),
            flag_problems: plugin.wants_flag_problems(),
        });
        listener.wants = wants.unwrap_or_default();
        listener.wants.overrides &= listener.wants.usage;
        Arc::new(listener)
    }

    /// Calls the plugin, unless it was removed.
    fn notify(&self, call: impl FnOnce(&dyn Plugin)) {
        if self.is_active.load(Ordering::Relaxed) && self.call(call).is_none() {
            self.lost_events.fetch_add(1, Ordering::Relaxed);
            #[cfg(feature = "metrics")]
            crate::metrics_plugin::count_lost_event();
        }
    }

    /// Returns the number of events that the plugin has lost.
    #[cfg(feature = "fetch")]
    fn lost_events(&self) -> u64 {
        let by_itself = self.call(|plugin| plugin.lost_events()).unwrap_or_default();
        by_itself.saturating_add(self.lost_events.load(Ordering::Relaxed))
    }

    /// Stops the plugin. Only the first call has an effect. Returns whether the time was enough.
    pub(crate) fn stop(&self, limit: Duration) -> bool {
        let was_active = self.is_active.swap(false, Ordering::Relaxed);
        !was_active || self.call(|plugin| plugin.stop(limit)).unwrap_or(true)
    }

    /// Calls the plugin. Logs its first panic only, so that a broken one does not fill the log.
    fn call<R>(&self, call: impl FnOnce(&dyn Plugin) -> R) -> Option<R> {
        let outcome = growthbook_support::contain(|| call(&*self.plugin)).ok();
        if outcome.is_none() && !self.has_panicked.swap(true, Ordering::Relaxed) {
            let name = growthbook_support::contain(|| self.plugin.name().to_owned());
            let name = name.unwrap_or_default();
            growthbook_support::log!(Level::Error, "the callback {name} panicked");
        }
        outcome
    }
}

/// A plugin of a client was stopped before. One of a scope stops with the last scope that has it.
impl Drop for Listener {
    fn drop(&mut self) {
        self.stop(DEFAULT_PLUGIN_STOP_TIMEOUT);
    }
}

/// The plugins that evaluations notify.
#[derive(Clone, Default)]
pub(crate) struct Listeners {
    list: Vec<Arc<Listener>>,
    wants: Wants,
}

impl Listeners {
    fn new(list: Vec<Arc<Listener>>) -> Self {
        let mut listeners = Listeners::default();
        list.into_iter().for_each(|listener| listeners.add(listener));
        listeners
    }

    pub(crate) fn add(&mut self, listener: Arc<Listener>) {
        let wants = listener.wants;
        self.wants.exposures |= wants.exposures;
        self.wants.results |= wants.results;
        self.wants.usage |= wants.usage;
        self.wants.overrides |= wants.overrides;
        self.wants.flag_problems |= wants.flag_problems;
        self.list.push(listener);
    }

    #[inline]
    pub(crate) fn wants(&self) -> Wants {
        self.wants
    }

    /// Whether evaluations notify any plugin.
    pub(crate) fn wants_any(&self) -> bool {
        self.wants.any()
    }

    /// Calls every plugin that wants these events. Another plugin's panic changes nothing.
    pub(crate) fn notify(&self, wants: impl Fn(Wants) -> bool, call: impl Fn(&dyn Plugin)) {
        for listener in self.list.iter().filter(|listener| wants(listener.wants)) {
            listener.notify(&call);
        }
    }

    /// Calls every plugin.
    pub(crate) fn notify_all(&self, call: impl Fn(&dyn Plugin)) {
        self.notify(|_| true, call);
    }

    /// Returns the number of events that the plugins have lost.
    #[cfg(feature = "fetch")]
    pub(crate) fn lost_events(&self) -> u64 {
        self.list.iter().map(|listener| listener.lost_events()).fold(0, u64::saturating_add)
    }

    /// Stops every plugin within the limit for all of them. Returns whether it was enough.
    pub(crate) fn stop(&self, limit: Duration) -> bool {
        within(limit, &self.list, Listener::stop)
    }

    /// Flushes every plugin within the limit for all of them. Returns whether it was enough.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        within(limit, &self.list, |listener, limit| {
            listener.call(|plugin| plugin.flush(limit)).unwrap_or(true)
        })
    }
}

/// Calls a function with each plugin, one after another, with the time that is left.
fn within(
    limit: Duration,
    list: &[Arc<Listener>],
    call: impl Fn(&Listener, Duration) -> bool,
) -> bool {
    let start = growthbook_support::now();
    let mut is_enough = true;
    for listener in list {
        let spent = start.map(|start| start.elapsed()).unwrap_or_default();
        is_enough &= call(listener, limit.saturating_sub(spent));
    }
    is_enough
}

/// The plugins of a client. Evaluations use a copy of the list, which is swapped together with the
/// payload.
#[derive(Default)]
pub(crate) struct Registry {
    list: Mutex<Vec<Arc<Listener>>>,
    client_key: Option<String>,
}

impl Registry {
    pub(crate) fn new(client_key: Option<String>) -> Self {
        Registry { list: Mutex::default(), client_key }
    }

    /// Starts a plugin and adds it.
    pub(crate) fn start(&self, plugin: Box<dyn Plugin>) -> Arc<Listener> {
        let mut owner = PluginOwner::new();
        if let Some(key) = &self.client_key {
            owner = owner.with_client_key(key);
        }
        let listener = Listener::start(plugin, &owner);
        self.lock().push(listener.clone());
        listener
    }

    /// Returns the current plugins.
    pub(crate) fn listeners(&self) -> Listeners {
        Listeners::new(self.lock().clone())
    }

    pub(crate) fn remove(&self, listener: &Arc<Listener>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, listener));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Listener>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the plugins when the last handle of a client is dropped.
pub(crate) struct StopOnDrop(pub(crate) Arc<Registry>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.listeners().stop(DEFAULT_PLUGIN_STOP_TIMEOUT);
    }
}
