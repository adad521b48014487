//! The resources of this process, from Linux's `/proc`.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Threads, open files and memory; `None` on a system without `/proc`.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    /// Threads.
    pub threads: Option<u64>,
    /// Open files, with sockets.
    pub fds: Option<u64>,
    /// Resident memory, in bytes.
    pub memory: Option<u64>,
}

impl Resources {
    /// Returns the current numbers.
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").ok();
        let number = |name| status.as_deref().and_then(|status| field(status, name));
        Resources {
            threads: number("Threads:"),
            fds: count_fds(),
            memory: number("VmRSS:").map(|kibibytes| kibibytes * 1024),
        }
    }

    /// Returns the lowest numbers of threads and files during half a second. So those of a current
    /// request do not count.
    pub fn at_rest() -> Self {
        let mut least = Resources::now();
        for _ in 0..50 {
            thread::sleep(Duration::from_millis(10));
            let now = Resources::now();
            least = Resources {
                threads: least.threads.min(now.threads),
                fds: least.fds.min(now.fds),
                memory: now.memory,
            };
        }
        least
    }

    /// Waits until the numbers are those of the beginning, because the system frees threads and
    /// files a little later.
    pub fn back_to(beginning: Resources, patience: Duration) -> Self {
        let start = Instant::now();
        loop {
            let now = Resources::now();
            let is_back = now.threads == beginning.threads && now.fds == beginning.fds;
            if is_back || start.elapsed() > patience {
                return now;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Counts the open files, without the one that this function opens.
fn count_fds() -> Option<u64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(open).ok().map(|open| open.saturating_sub(1))
}
