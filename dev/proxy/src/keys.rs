//! One process with many client keys: its memory, threads and sockets.
//!
//! The double runs in a process of its own, so that its threads and sockets do not count.

use std::env;
use std::error::Error;
use std::thread;
use std::time::Duration;

use test_server::{GrowthBookProxy, Processes, ProxySettings, Resources, answer_questions};

use crate::Size;
use crate::payload::small_document;
use crate::report::Report;
use crate::watcher::{PATIENCE, Watcher, wait_until};

const KEYS: u64 = 200;

/// The most resident memory for a key, in kB.
const KILOBYTES: u64 = 120;
/// The most threads that all keys together add.
const THREADS: u64 = 17;

/// The name of the environment variable that makes this process the double.
const DOUBLE: &str = "PROXY_DOUBLE";

/// The question for the double's address.
const URL: &str = "url";

/// After this time the double has closed idle connections, and the client must have closed them too.
const IDLE: Duration = Duration::from_secs(8);

pub(crate) fn is_double() -> bool {
    env::var_os(DOUBLE).is_some()
}

/// Runs the double until its parent process ends.
pub(crate) fn run_double() {
    let keys: Vec<String> = (0..KEYS).map(key).collect();
    let keys = keys.iter().map(String::as_str);
    let proxy = GrowthBookProxy::start(ProxySettings::default(), keys, &small_document());
    wait_until(PATIENCE, || proxy.able_since().is_some());
    answer_questions(|question| {
        assert_eq!(question, URL, "the only question");
        proxy.url()
    });
}

pub(crate) fn measure(size: Size, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let double = Processes::start(1, &[(DOUBLE, "1".into())]);
    let url = double.ask(URL).concat();
    let number = size.choose(50, KEYS);
    // The first client also pays for what all share.
    let first = Watcher::start_and_wait(&url, &key(0))?;
    let before = Resources::at_rest();
    let watchers: Vec<Watcher> =
        (1..number).map(|number| Watcher::start(&url, &key(number))).collect::<Result<_, _>>()?;
    let are_ready = || watchers.iter().all(|watcher| watcher.version() == 1);
    if !wait_until(PATIENCE, are_ready) {
        return Err("a client did not get its payload".into());
    }
    thread::sleep(IDLE);
    let during = Resources::at_rest();
    let streams = watchers.iter().filter(|watcher| watcher.has_stream()).count() as u64 + 1;
    let half_closed = half_closed_sockets(&url);
    drop((first, watchers));
    let after = Resources::back_to(before, Duration::from_secs(10));

    let added = |of: fn(&Resources) -> Option<u64>| {
        of(&during).unwrap_or(0).saturating_sub(of(&before).unwrap_or(0))
    };
    let kilobytes = added(|it| it.memory) / (number - 1) / 1000;
    println!("{number} client keys: {streams} streams are open");
    report.count(&format!("{number} keys: kB of memory a key"), kilobytes, KILOBYTES);
    report.count("  threads", added(|it| it.threads), THREADS);
    // Each key has the socket of its stream.
    report.count("  sockets", added(|it| it.fds), number);
    report.count("  sockets that only the server has closed", half_closed, 0);
    let left = |of: fn(&Resources) -> Option<u64>| {
        of(&after).unwrap_or(0).saturating_sub(of(&before).unwrap_or(0))
    };
    report.count("  threads left after dropping the clients", left(|it| it.threads), 0);
    report.count("  sockets left after dropping the clients", left(|it| it.fds), 0);
    Ok(())
}

fn key(number: u64) -> String {
    format!("sdk-{number}")
}

/// Counts the sockets of this process's network whose peer, this server, has closed its end.
fn half_closed_sockets(url: &str) -> u64 {
    /// The state `CLOSE_WAIT` in Linux's table.
    const CLOSE_WAIT: &str = "08";
    let port = url.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).unwrap_or(0);
    let peer = format!(":{port:04X}");
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap_or_default();
    let is_half_closed = |line: &&str| {
        let mut cells = line.split_whitespace().skip(2);
        cells.next().is_some_and(|address| address.ends_with(&peer))
            && cells.next() == Some(CLOSE_WAIT)
    };
    table.lines().filter(is_half_closed).count() as u64
}
