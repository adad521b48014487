//! Closures of the application, which may panic.

use std::sync::atomic::{AtomicBool, Ordering};

use growthbook::UserContext;
use growthbook_support::{Level, contain};

/// Adds to the user of a request, who has the request's own attributes.
pub(crate) type UserHook<R> = Hook<dyn Fn(&R, UserContext) -> UserContext + Send + Sync>;
/// Answers a question about a request.
pub(crate) type Question<R> = Hook<dyn Fn(&R) -> bool + Send + Sync>;

/// A closure of the application. Its panics do not reach the request.
pub(crate) struct Hook<F: ?Sized> {
    name: &'static str,
    has_panicked: AtomicBool,
    function: Box<F>,
}

impl<F: ?Sized> Hook<F> {
    pub(crate) fn new(name: &'static str, function: Box<F>) -> Self {
        Hook { name, has_panicked: AtomicBool::new(false), function }
    }

    /// Calls the closure. Returns `None` if it panics. Only its first panic is logged, so that a
    /// broken hook does not fill the log.
    pub(crate) fn call<T>(&self, call: impl FnOnce(&F) -> T) -> Option<T> {
        let outcome = contain(|| call(&self.function)).ok();
        if outcome.is_none() && !self.has_panicked.swap(true, Ordering::Relaxed) {
            growthbook_support::log!(Level::Error, "the hook {} panicked", self.name);
        }
        outcome
    }
}
