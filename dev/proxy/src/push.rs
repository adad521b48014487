//! The time from a push of a payload until evaluations see it.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use test_server::ProxySettings;

use crate::Size;
use crate::machine::{Delay, Delays, observe};
use crate::payload::document;
use crate::report::Report;
use crate::watcher::{Watcher, start_proxy};

const P50: Duration = Duration::from_micros(2_800);
const P99: Duration = Duration::from_micros(5_700);

/// The pause between two pushes.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) fn measure(size: Size, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let proxy = start_proxy(ProxySettings::default(), &["sdk-1"]);
    let watcher = Watcher::start_and_wait(&proxy.url(), "sdk-1")?;
    // The first stream brings a fetch, which could bring the first push.
    thread::sleep(PAUSE * 4);
    let (delays, machine) = observe(|| {
        (2..2 + size.choose(20, 50))
            .map(|version| {
                thread::sleep(PAUSE);
                let begin = Instant::now();
                proxy.set_payload(&document(version));
                watcher.wait_for(version, begin)
            })
            .collect::<Result<Vec<_>, _>>()
    });
    let delays = Delays::new(delays?);
    for (name, share, target) in [("p50", 0.5, P50), ("p99", 0.99, P99)] {
        let name = format!("push to visible, {name}");
        report.time(&name, delays.quantile(share), target, Delay(machine.quantile(share)));
    }
    Ok(())
}
