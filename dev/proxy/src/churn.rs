//! The Proxy ends and comes back.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use test_server::ProxySettings;

use crate::Size;
use crate::machine::Delay;
use crate::payload::document;
use crate::report::Report;
use crate::watcher::{PATIENCE, Watcher, start_proxy, wait_until};

/// How long a stream lives before it ends. A shorter one would count as brief.
const HEALTHY: Duration = Duration::from_millis(5_500);
/// How long the Proxy is down.
const OUTAGE: Duration = Duration::from_secs(1);
/// The backoff grows as the outage does, so an update may be late by the outage once more.
const MISSED_UPDATE: Duration = Duration::from_millis(1_200 + 1_000);

const CLIENTS: usize = 40;
const API_LATENCY: Duration = Duration::from_millis(500);
const STREAMS_BACK: Duration = Duration::from_secs(15);
/// The longest time of a measurement.
const LONGEST: Duration = Duration::from_secs(30);

pub(crate) fn measure(size: Size, report: &mut Report) -> Result<(), Box<dyn Error>> {
    measure_missed_update(size, report)?;
    measure_restart(report)
}

/// Measures when a client sees an update of the time in which the Proxy was down.
fn measure_missed_update(size: Size, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let mut proxy = start_proxy(ProxySettings::default(), &["sdk-1"]);
    let watcher = Watcher::start_and_wait(&proxy.url(), "sdk-1")?;
    let (mut slowest_kill, mut slowest_term, mut without_stream) = Default::default();
    for round in 1..=size.choose(2, 6) {
        // A streamed update shows that the stream works, and so ends the backoff of streams.
        let missed = 2 * round + 1;
        proxy.set_payload(&document(missed - 1));
        watcher.wait_for(missed - 1, Instant::now())?;
        thread::sleep(HEALTHY);
        let slowest: &mut Duration = if round % 2 == 0 {
            proxy.kill();
            &mut slowest_kill
        } else {
            proxy.terminate();
            &mut slowest_term
        };
        proxy.set_payload(&document(missed));
        thread::sleep(OUTAGE);
        proxy.start_again();
        let took = watcher.wait_for(missed, Instant::now()).unwrap_or(PATIENCE);
        *slowest = took.max(*slowest);
        if !wait_until(LONGEST, || watcher.has_stream()) {
            without_stream += 1;
            break;
        }
    }
    for (signal, slowest) in [("SIGKILL", slowest_kill), ("SIGTERM", slowest_term)] {
        let name = format!("update missed in {} s after {signal}", OUTAGE.as_secs());
        report.time(&name, slowest, MISSED_UPDATE, Delay::default());
    }
    let name = format!("  without a stream {} s after that", LONGEST.as_secs());
    report.count(&name, without_stream, 0);
    Ok(())
}

/// Measures when all clients have their streams again after a restart.
fn measure_restart(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let keys: Vec<String> = (0..CLIENTS).map(|number| format!("sdk-{number}")).collect();
    let settings = ProxySettings { api_latency: API_LATENCY, ..ProxySettings::default() };
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut proxy = start_proxy(settings, &names);
    let watchers: Vec<Watcher> =
        keys.iter().map(|key| Watcher::start(&proxy.url(), key)).collect::<Result<_, _>>()?;
    let with_stream = || watchers.iter().filter(|watcher| watcher.has_stream()).count();
    if !wait_until(PATIENCE, || with_stream() == CLIENTS) {
        return Err(format!("only {} of {CLIENTS} clients have a stream", with_stream()).into());
    }
    proxy.terminate();
    proxy.set_payload(&document(2));
    proxy.start_again();
    let begin = Instant::now();
    let mut flags = LONGEST;
    wait_until(LONGEST, || {
        if flags == LONGEST && watchers.iter().all(|watcher| watcher.version() == 2) {
            flags = begin.elapsed();
        }
        flags < LONGEST && proxy.open_streams() == CLIENTS && with_stream() == CLIENTS
    });
    let took = begin.elapsed();
    let name = format!("restart with {CLIENTS} clients:");
    report.time(&format!("{name} all have the new payload"), flags, STREAMS_BACK, Delay::default());
    report.time(&format!("{name} all have a stream"), took, STREAMS_BACK, Delay::default());
    let without = CLIENTS - with_stream();
    let seconds = LONGEST.as_secs();
    report.count(&format!("  without a stream after {seconds} s"), without as u64, 0);
    let stale = watchers.iter().filter(|watcher| watcher.version() != 2).count();
    report.count(&format!("  without the new payload after {seconds} s"), stale as u64, 0);
    Ok(())
}
