//! The delays that the machine itself causes, because it does other work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The time between two wake-ups of the metronome.
const TICK: Duration = Duration::from_millis(2);

/// The number of threads that an update wakes, one after another: of the server, of the client, and
/// of the measurement. Each may be as late as the machine is.
pub(crate) const WAKE_UPS: u32 = 3;

/// How much later than wanted the machine woke a thread.
#[derive(Clone, Copy, Default)]
pub(crate) struct Delay(pub(crate) Duration);

/// Delays of the machine or of updates.
pub(crate) struct Delays(Vec<Duration>);

impl Delays {
    pub(crate) fn new(mut delays: Vec<Duration>) -> Self {
        delays.sort_unstable();
        Delays(delays)
    }

    /// Returns the delay that this share of all does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        let index = (last as f64 * share).ceil() as usize;
        self.0.get(index.min(last)).copied().unwrap_or_default()
    }

    pub(crate) fn slowest(&self) -> Duration {
        self.quantile(1.0)
    }

    /// Returns the delay of the machine that the slowest of some hundred updates may meet: a rare
    /// one at each wake-up, or the slowest of all once.
    pub(crate) fn rare(&self) -> Delay {
        Delay(self.quantile(0.999).max(self.slowest() / WAKE_UPS))
    }
}

/// Runs the measurement. Also returns how late the machine woke a sleeping thread meanwhile.
pub(crate) fn observe<R>(measurement: impl FnOnce() -> R) -> (R, Delays) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let metronome = scope.spawn(|| {
            let mut delays = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let start = Instant::now();
                thread::sleep(TICK);
                delays.push(start.elapsed().saturating_sub(TICK));
            }
            delays
        });
        let result = measurement();
        stop.store(true, Ordering::Relaxed);
        (result, Delays::new(metronome.join().unwrap_or_default()))
    })
}
