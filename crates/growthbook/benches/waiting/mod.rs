//! The time that a thread waited for a core. The benchmarks leave it out, because it depends on the
//! machine and not on the library.

use std::fs::File;
use std::io::{Read, Seek};
use std::time::Duration;

/// The time that the calling thread was ready to run, but had no core. Linux reports it. On other
/// systems it is zero.
pub(crate) struct Waiting(Option<File>);

impl Waiting {
    /// Opens the counter of the calling thread.
    pub(crate) fn of_this_thread() -> Self {
        Waiting(File::open("/proc/thread-self/schedstat").ok())
    }

    /// Whether the system reports the time.
    pub(crate) fn is_known(&mut self) -> bool {
        self.read().is_some()
    }

    /// Returns the time since the start of the thread.
    pub(crate) fn total(&mut self) -> Duration {
        self.read().unwrap_or_default()
    }

    /// Reads the second of three numbers, which is in nanoseconds.
    fn read(&mut self) -> Option<Duration> {
        let mut text = String::new();
        let file = self.0.as_mut()?;
        file.rewind().ok()?;
        file.read_to_string(&mut text).ok()?;
        text.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
    }
}
