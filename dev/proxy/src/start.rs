//! Clients that start together with the Proxy, while it answers 404 to everything.

use std::error::Error;
use std::thread;
use std::time::Duration;

use test_server::{GrowthBookProxy, ProxySettings};

use crate::Size;
use crate::machine::Delay;
use crate::payload::document;
use crate::report::Report;
use crate::watcher::{Watcher, wait_until};

/// The longest time from the moment at which the Proxy can answer.
const TARGET: Duration = Duration::from_secs(5);
/// The longest time of a measurement.
const LONGEST: Duration = Duration::from_secs(30);
const API_LATENCY: Duration = Duration::from_millis(500);

/// One start.
struct Start {
    /// From the moment at which the Proxy could answer.
    flags: Duration,
    stream: Duration,
    /// `wait_ready` gave up before its time was over.
    gave_up: bool,
}

pub(crate) fn measure(size: Size, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let number = size.choose(2, 6);
    let starts: Result<Vec<Start>, String> = thread::scope(|scope| {
        let runs: Vec<_> = (0..number).map(|_| scope.spawn(start)).collect();
        let join = |run: thread::ScopedJoinHandle<'_, _>| {
            run.join().unwrap_or_else(|_| Err("a measurement panicked".into()))
        };
        runs.into_iter().map(join).collect()
    });
    let starts = starts?;
    let slowest = |of: fn(&Start) -> Duration| starts.iter().map(of).max().unwrap_or_default();
    let name = format!("{number} starts while it answers 404:");
    report.time(&format!("{name} slowest flags"), slowest(|it| it.flags), TARGET, Delay::default());
    let stream = slowest(|it| it.stream);
    report.time(&format!("{name} slowest stream"), stream, TARGET, Delay::default());
    let gave_up = starts.iter().filter(|start| start.gave_up).count();
    report.count("  calls of wait_ready that failed early", gave_up as u64, 0);
    Ok(())
}

fn start() -> Result<Start, String> {
    let settings = ProxySettings { api_latency: API_LATENCY, ..ProxySettings::default() };
    let proxy = GrowthBookProxy::start(settings, ["sdk-1"], &document(1));
    let watcher = Watcher::start(&proxy.url(), "sdk-1").map_err(|error| error.to_string())?;
    let gave_up = watcher.client.wait_ready(LONGEST).is_err();
    let mut flags = LONGEST;
    wait_until(LONGEST, || {
        if flags == LONGEST && watcher.version() == 1 {
            flags = since_able(&proxy);
        }
        flags < LONGEST && watcher.has_stream()
    });
    Ok(Start { flags, stream: since_able(&proxy), gave_up })
}

fn since_able(proxy: &GrowthBookProxy) -> Duration {
    proxy.able_since().map_or(Duration::ZERO, |able| able.elapsed())
}
