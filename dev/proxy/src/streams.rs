//! Streams that the Proxy ends after a short time.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use test_server::ProxySettings;

use crate::Size;
use crate::machine::{Delays, observe};
use crate::payload::document;
use crate::report::Report;
use crate::watcher::{PATIENCE, Watcher, start_proxy};

struct Case {
    name: &'static str,
    lifetime: Duration,
    /// The slowest update. After a brief stream, the client opens the next one after a second, or it
    /// polls every 5 s, with jitter.
    target: Duration,
}

const CASES: [Case; 3] = [
    Case { name: "6 s", lifetime: Duration::from_secs(6), target: Duration::from_millis(9) },
    Case { name: "3 s", lifetime: Duration::from_secs(3), target: Duration::from_millis(1_500) },
    Case { name: "1 ms", lifetime: Duration::from_millis(1), target: Duration::from_secs(6) },
];

/// The time of each measurement. They run at the same time.
const FULL: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(15);

pub(crate) fn measure(size: Size, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let time = size.choose(SHORT, FULL);
    let (slowest, machine) = observe(|| {
        thread::scope(|scope| {
            let runs = CASES.map(|case| scope.spawn(move || slowest_update(case.lifetime, time)));
            runs.map(|run| run.join().unwrap_or_else(|_| Err("a measurement panicked".into())))
        })
    });
    for (case, slowest) in CASES.iter().zip(slowest) {
        let name = format!("streams of {}, for {} s: slowest update", case.name, time.as_secs());
        report.time(&name, slowest?, case.target, machine.rare());
    }
    Ok(())
}

fn slowest_update(lifetime: Duration, time: Duration) -> Result<Duration, String> {
    let settings = ProxySettings { stream_lifetime: lifetime, ..ProxySettings::default() };
    let proxy = start_proxy(settings, &["sdk-1"]);
    let watcher = Watcher::start(&proxy.url(), "sdk-1").map_err(|error| error.to_string())?;
    watcher.wait_for(1, Instant::now())?;
    let mut delays = Vec::new();
    let begin = Instant::now();
    for version in 2.. {
        if begin.elapsed() > time {
            break;
        }
        // A push just after the end of a stream finds out whether the client is deaf then.
        let pause = Duration::from_millis(50 + version * 137 % 300);
        if !proxy.wait_for_streams(0, pause) || lifetime < pause {
            thread::sleep(Duration::from_millis(version * 7 % 20));
        }
        let pushed = Instant::now();
        proxy.set_payload(&document(version));
        match watcher.wait_for(version, pushed) {
            Ok(delay) => delays.push(delay),
            Err(_) => return Ok(PATIENCE),
        }
    }
    Ok(Delays::new(delays).slowest())
}
