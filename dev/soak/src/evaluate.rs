//! Threads that evaluate, and measure the time of each evaluation.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use growthbook::{Client, UserContext, UserScope};

use crate::histogram::Histogram;
use crate::payload::{FLAGS, key, version, version_again};

/// How many users each thread has.
const USERS: usize = 97;

/// The number of evaluations between two checks that the answers agree.
const CHECK_EVERY: usize = 10;

/// Evaluates with each client while `meanwhile` runs. Each client has its own thread and users.
///
/// # Errors
///
/// When answers contradict each other.
pub(crate) fn during<R>(
    clients: &[Client; 2],
    meanwhile: impl FnOnce() -> R,
) -> Result<(Histogram, R), String> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // It also stops the threads after a panic. Otherwise the scope would wait for them forever.
        let stopping = Stopping(&stop);
        let mut threads = Vec::new();
        for (number, client) in clients.iter().enumerate() {
            let stop = &stop;
            threads.push(scope.spawn(move || evaluate(client, &users(number), stop)));
        }
        let result = meanwhile();
        drop(stopping);
        let mut latencies = Histogram::new();
        for thread in threads {
            let of_thread = thread.join().map_err(|_| "an evaluating thread panicked")?;
            latencies.add(&of_thread?);
        }
        Ok((latencies, result))
    })
}

struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn users(thread: usize) -> Vec<UserContext> {
    let user = |index: usize| {
        UserContext::new(format!("user-{thread}-{index}"))
            .attribute("country", if index.is_multiple_of(3) { "US" } else { "FR" })
            .attribute("plan", if index.is_multiple_of(2) { "pro" } else { "free" })
            .attribute("email", format!("user-{index}@example.com"))
    };
    (0..USERS).map(user).collect()
}

fn evaluate(
    client: &Client,
    users: &[UserContext],
    stop: &AtomicBool,
) -> Result<Histogram, String> {
    let mut latencies = Histogram::new();
    let mut newest = 0;
    let keys: Vec<String> = (0..FLAGS).map(key).collect();
    let turns = users.iter().cycle().zip(keys.iter().cycle()).enumerate();
    for (turn, (user, key)) in turns {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let user = user.clone();
        let start = Instant::now();
        let scope = client.for_user(user);
        black_box(scope.is_on(key));
        latencies.record(start.elapsed());
        if turn.is_multiple_of(CHECK_EVERY) {
            newest = check(&scope, newest)?;
        }
    }
    Ok(latencies)
}

/// Checks that the scope has one payload, and that it is not older than an earlier one.
fn check(scope: &UserScope<'_>, newest: u64) -> Result<u64, String> {
    let versions = (version(scope), version_again(scope));
    if versions.0 != versions.1 {
        return Err(format!("one scope used two payloads: versions {versions:?}"));
    }
    if versions.0 < newest {
        return Err(format!("evaluation went back from version {newest} to {}", versions.0));
    }
    Ok(versions.0)
}
