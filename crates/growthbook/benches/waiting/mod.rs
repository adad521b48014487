//! How long a thread waited for a core, so that figures tell of the library and not of the machine.

use std::fs::File;
use std::io::{Read, Seek};
use std::time::Duration;

/// The time the calling thread was ready to run and did not. Linux tells; elsewhere it is nothing.
pub(crate) struct Waiting(Option<File>);

impl Waiting {
    /// Of the thread that calls it.
    pub(crate) fn of_this_thread() -> Self {
        Waiting(File::open("/proc/thread-self/schedstat").ok())
    }

    /// Whether it can be told.
    pub(crate) fn is_known(&mut self) -> bool {
        self.read().is_some()
    }

    /// Since the thread was started.
    pub(crate) fn total(&mut self) -> Duration {
        self.read().unwrap_or_default()
    }

    /// The second of three numbers, in nanoseconds.
    fn read(&mut self) -> Option<Duration> {
        let mut text = String::new();
        let file = self.0.as_mut()?;
        file.rewind().ok()?;
        file.read_to_string(&mut text).ok()?;
        text.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
    }
}
