//! The payload in use: compiled, swapped in whole, and shared by all threads that evaluate.

mod in_use;
#[cfg(feature = "network")]
mod offer;
mod retired;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use growthbook_core::{Payload, PayloadChange, PayloadError, PayloadSource, Snapshot, Warning};
use growthbook_support::Level;

pub use in_use::{InUse, Pinned};

use retired::Retired;

/// The payload in use, compiled, for any number of threads.
///
/// [`load`](Self::load) pins it for an evaluation, and costs a few nanoseconds: no lock, and
/// usually no reference count. A new payload is read and compiled before it is swapped in, so
/// that no evaluation waits for it. A replaced one is freed by a later replacement, not by an
/// evaluation: freeing a large payload takes milliseconds.
///
/// As a [`PayloadSink`](crate::PayloadSink) it takes what a [`Feed`](crate::Feed) offers by these
/// rules:
/// - A payload from the network, another process or the application ranks highest. One from a
///   cache or file ranks above a fallback, and a fallback above nothing. A payload never replaces
///   one of a higher rank.
/// - A payload whose `dateUpdated` is older than that of the payload in use is ignored.
/// - A section that cannot be decrypted is replaced by the one in use.
///
/// `T` is data of the program's own that evaluations need together with the payload, such as
/// settings: see [`set_data`](Self::set_data). One load gives both.
///
/// ```
/// use growthbook_core::{Payload, PayloadSource};
/// use growthbook_fetch::LivePayload;
///
/// let live = LivePayload::new();
/// let payload = Payload::from_json(r#"{"features": {"dark-mode": {"defaultValue": true}}}"#)?;
/// live.replace(payload, PayloadSource::Application);
/// assert!(live.load().snapshot().for_user(&"user-1".into()).is_on("dark-mode"));
/// # Ok::<(), growthbook_core::PayloadError>(())
/// ```
pub struct LivePayload<T = ()> {
    current: ArcSwap<InUse<T>>,
    retired: Retired,
    read: ReadPayload,
    on_change: Option<OnChange>,
    on_failure: Option<OnFailure>,
}

type ReadPayload = Box<dyn Fn(&[u8]) -> Result<Payload, PayloadError> + Send + Sync>;
type OnChange = Box<dyn Fn(&PayloadChange) + Send + Sync>;
type OnFailure = Box<dyn Fn(&(dyn Error + 'static)) + Send + Sync>;

impl LivePayload {
    /// An empty payload: every feature is unknown until there is another one.
    pub fn new() -> Self {
        LivePayload::with_data(())
    }
}

/// Setting up.
impl<T> LivePayload<T> {
    /// An empty payload, and data of the program's own.
    pub fn with_data(data: T) -> Self {
        LivePayload {
            current: ArcSwap::from_pointee(InUse::new(data)),
            retired: Retired::default(),
            read: Box::new(|document: &[u8]| Payload::from_json(document)),
            on_change: None,
            on_failure: None,
        }
    }

    /// Reads documents with this function, such as one that calls
    /// `Payload::from_encrypted_json` with a decryption key. Default: [`Payload::from_json`].
    #[must_use]
    pub fn read_with(
        mut self,
        read: impl Fn(&[u8]) -> Result<Payload, PayloadError> + Send + Sync + 'static,
    ) -> Self {
        self.read = Box::new(read);
        self
    }

    /// Calls this function after each replacement that changed features or saved groups, on the
    /// thread that made it, under no lock. Default: none.
    #[must_use]
    pub fn on_change(mut self, callback: impl Fn(&PayloadChange) + Send + Sync + 'static) -> Self {
        self.on_change = Some(Box::new(callback));
        self
    }

    /// Calls this function after each refresh that failed, on the thread that made it, under no
    /// lock. Default: none.
    #[must_use]
    pub fn on_failure(
        mut self,
        callback: impl Fn(&(dyn Error + 'static)) + Send + Sync + 'static,
    ) -> Self {
        self.on_failure = Some(Box::new(callback));
        self
    }
}

/// Evaluating.
impl<T> LivePayload<T> {
    /// Pins the payload in use. Answers of its snapshot agree with one another for as long as it
    /// is pinned, whatever is swapped in meanwhile.
    #[inline]
    pub fn load(&self) -> Pinned<T> {
        Pinned(self.current.load())
    }

    /// Reads a document as [`read_with`](Self::read_with) says. Does not take it into use.
    ///
    /// # Errors
    ///
    /// When the document is not a payload, or cannot be decrypted.
    pub fn read(&self, document: &[u8]) -> Result<Payload, PayloadError> {
        (self.read)(document)
    }
}

/// Replacing.
impl<T: Clone> LivePayload<T> {
    /// Begins with this payload. The callback is not notified of it.
    #[must_use]
    pub fn starting_with(self, payload: Payload, source: PayloadSource) -> Self {
        let current = self.current.load_full();
        self.swap(current, &Compiled::new(payload, source, &Snapshot::empty()), |_| true);
        self
    }

    /// Replaces the payload, whatever its source and age.
    pub fn replace(&self, payload: Payload, source: PayloadSource) {
        let current = self.current.load_full();
        let compiled = Compiled::new(payload, source, current.snapshot());
        if let Some(replaced) = self.swap(current, &compiled, |_| true) {
            self.notify(&self.retire(replaced, &compiled));
        }
    }

    /// Replaces the payload by one that is made from it. Calls `change` again if another payload
    /// is swapped in meanwhile.
    ///
    /// # Errors
    ///
    /// When `change` fails. The payload in use stays.
    pub fn update<E>(
        &self,
        source: PayloadSource,
        change: impl Fn(&Payload) -> Result<Payload, E>,
    ) -> Result<(), E> {
        loop {
            let base = self.current.load_full();
            let compiled = Compiled::new(change(base.payload())?, source, base.snapshot());
            let is_base = |found: &InUse<T>| Arc::ptr_eq(found.payload(), base.payload());
            if let Some(replaced) = self.swap(base.clone(), &compiled, is_base) {
                drop(base);
                self.notify(&self.retire(replaced, &compiled));
                return Ok(());
            }
        }
    }

    /// Replaces the program's own data. A payload that is swapped in at the same time is kept,
    /// and so `change` may be called more than once.
    pub fn set_data(&self, change: impl Fn(&T) -> T) {
        self.current.rcu(|current| current.with_data(change(current.data())));
    }

    /// Swaps in a payload, and returns what it replaced. Keeps data that is set meanwhile. Does
    /// nothing if `may_replace` is false for what is in use by then.
    fn swap(
        &self,
        mut current: Arc<InUse<T>>,
        compiled: &Compiled,
        may_replace: impl Fn(&InUse<T>) -> bool,
    ) -> Option<Arc<InUse<T>>> {
        while may_replace(&current) {
            let next = Arc::new(compiled.with_data(current.data().clone()));
            let found = self.current.compare_and_swap(&current, next);
            if Arc::ptr_eq(&found, &current) {
                return Some(current);
            }
            // Another thread was faster, with data or with a payload.
            current = Guard::into_inner(found);
        }
        None
    }

    /// Puts a replaced payload aside, and returns the change that the callback is notified of:
    /// none, if there is no callback.
    fn retire(&self, replaced: Arc<InUse<T>>, compiled: &Compiled) -> PayloadChange {
        let change = match &self.on_change {
            Some(_) => compiled.payload.changes_since(replaced.payload()),
            None => PayloadChange::default(),
        };
        self.retired.add(replaced);
        change
    }

    fn notify(&self, change: &PayloadChange) {
        if let Some(callback) = self.on_change.as_ref().filter(|_| !change.is_empty()) {
            callback(change);
        }
    }
}

impl Default for LivePayload {
    fn default() -> Self {
        LivePayload::new()
    }
}

impl<T> fmt::Debug for LivePayload<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LivePayload").field("in_use", &*self.load()).finish_non_exhaustive()
    }
}

/// Reads and compiles a document of the server. It shares definitions with the snapshot before.
/// Logs no warnings: see [`log_warnings`].
#[cfg(feature = "network")]
pub(crate) fn compile_answer(document: &[u8], before: &Snapshot) -> Result<InUse, PayloadError> {
    let payload = Payload::from_json(document)?;
    Ok(Compiled::quietly(payload, PayloadSource::Network, before).with_data(()))
}

/// A payload that can be swapped in.
struct Compiled {
    payload: Arc<Payload>,
    snapshot: Arc<Snapshot>,
    source: PayloadSource,
}

impl Compiled {
    /// Compiles a payload that takes the place of another one. Logs its warnings.
    fn new(payload: Payload, source: PayloadSource, before: &Snapshot) -> Self {
        let compiled = Compiled::quietly(payload, source, before);
        log_warnings(&compiled.snapshot);
        compiled
    }

    /// Compiles a payload. Logs only the warnings that evaluations find later.
    fn quietly(payload: Payload, source: PayloadSource, before: &Snapshot) -> Self {
        let snapshot = payload.compile_after(before);
        snapshot.on_evaluation_warning(log_warning);
        Compiled { payload: Arc::new(payload), snapshot: Arc::new(snapshot), source }
    }

    fn with_data<T>(&self, data: T) -> InUse<T> {
        InUse {
            payload: self.payload.clone(),
            snapshot: self.snapshot.clone(),
            source: Some(self.source),
            data,
        }
    }
}

/// Logs the parts of a payload that were left out.
pub(crate) fn log_warnings(snapshot: &Snapshot) {
    /// More would flood the log. [`Snapshot::warnings`] has all.
    const LOGGED: usize = 20;
    let warnings = snapshot.warnings();
    for warning in warnings.iter().take(LOGGED) {
        log_warning(warning);
    }
    if warnings.len() > LOGGED {
        growthbook_support::log!(Level::Warn, "payload: {} more warnings", warnings.len() - LOGGED);
    }
}

fn log_warning(warning: &Warning) {
    growthbook_support::log!(Level::Warn, "payload: {warning}");
}
