//! Lets a server evaluate for many different users: `soak --remote [USERS]`.
//!
//! The server runs in this process. So its threads, sockets and memory also count.

use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use growthbook::remote::RemoteStatus;
use growthbook::remote_eval::RemoteEvalRequest;
use growthbook::{Client, RemoteClient, UserContext};
use test_server::{FeaturesServer, Resources};

/// The users of a soak without a number.
pub(crate) const DEFAULT_USERS: u64 = 2_000_000;
/// The threads that ask for users at the same time.
const CALLERS: u64 = 8;
/// The requests at the same time, which need as many threads of the client and of the server.
const REQUESTS: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// The rows of the table.
const ROWS: u64 = 20;
/// The rows after which the memory must stay flat.
const WARM: usize = 2;
/// The limit of memory growth after the warm-up, in bytes.
const MEMORY_GROWTH: u64 = 16 * 1024 * 1024;

/// The result of a soak.
pub(crate) struct Report {
    users: u64,
    /// The users who did not get their answer.
    wrong: u64,
    took: Duration,
    rows: Vec<(u64, Resources, RemoteStatus)>,
    before: Resources,
}

/// Asks for this number of different users.
///
/// # Errors
///
/// When the client cannot be started.
pub(crate) fn run(users: u64) -> Result<Report, Box<dyn Error>> {
    let evaluating = Client::from_json(
        r#"{"features": {
            "exp": {"rules": [{"key": "exp", "variations": [0, 1]}]},
            "flag": {"defaultValue": 0, "rules": [{"condition": {"parity": 1}, "force": 1}]}
        }}"#,
    )?;
    let server = FeaturesServer::start("{}");
    server.keep_no_requests();
    server.evaluate_with(move |body| match RemoteEvalRequest::from_json(body) {
        Ok(request) => (200, evaluating.remote_eval(&request).to_json_string()),
        Err(error) => (error.status(), error.to_string()),
    });
    let before = Resources::now();
    let remote = Client::remote_builder("sdk-abc123")
        .api_host(server.url())
        .remote_options(|options| options.max_requests(REQUESTS))
        .on_experiment_viewed(|_| {})
        .start()?;
    let start = Instant::now();
    let mut wrong = 0;
    let mut rows = Vec::new();
    for row in 0..ROWS {
        let range = users * row / ROWS..users * (row + 1) / ROWS;
        let end = range.end;
        wrong += ask(&remote, range.start, end);
        rows.push((end, Resources::now(), remote.status()));
    }
    Ok(Report { users, wrong, took: start.elapsed(), rows, before })
}

/// Asks for these users, and returns the number of those who did not get their answer.
fn ask(remote: &RemoteClient, from: u64, to: u64) -> u64 {
    let next = AtomicU64::new(from);
    let wrong = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                loop {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    if id >= to {
                        break;
                    }
                    let user = UserContext::new(id).attribute("parity", id % 2);
                    let user = remote.wait_for_user(user, Duration::from_secs(30));
                    user.scope.is_on("exp");
                    let is_right = user.scope.feature_value("flag", 9) == id % 2;
                    if user.error.is_some() || !is_right {
                        wrong.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    wrong.into_inner()
}

impl Report {
    /// Returns every exceeded limit.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.wrong > 0 {
            problems.push(format!("{} users did not get their answer", self.wrong));
        }
        let memory = |row: &(u64, Resources, RemoteStatus)| row.1.memory.unwrap_or_default();
        let warm = self.rows.get(WARM).map(memory).unwrap_or_default();
        let highest = self.rows.iter().skip(WARM).map(memory).max().unwrap_or_default();
        if highest.saturating_sub(warm) > MEMORY_GROWTH {
            problems.push("the memory grew too much".to_owned());
        }
        let limit = growthbook::remote::DEFAULT_REMOTE_ANSWERS.get();
        if self.rows.iter().any(|(_, _, status)| status.answers > limit) {
            problems.push("too many answers are kept".to_owned());
        }
        // The workers, as many connections of the server, and the two ends of the stream. The system
        // may still count callers that have ended.
        let most = 2 * REQUESTS.get() as u64 + 4 + CALLERS;
        let allowed = self.before.threads.map(|threads| threads + most);
        if self.rows.iter().any(|(_, resources, _)| resources.threads > allowed) {
            problems.push("there are too many threads".to_owned());
        }
        problems
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.users as f64 / self.took.as_secs_f64().max(1e-9);
        writeln!(
            formatter,
            "{} users in {:.0} s, {rate:.0} requests a second; {} did not get their answer\n",
            self.users,
            self.took.as_secs_f64(),
            self.wrong,
        )?;
        writeln!(formatter, "| users | answers kept | their text, KiB | threads | memory, MiB |")?;
        writeln!(formatter, "|--:|--:|--:|--:|--:|")?;
        for (users, resources, status) in &self.rows {
            writeln!(
                formatter,
                "| {users} | {} | {} | {} | {:.1} |",
                status.answers,
                status.answer_bytes / 1024,
                resources.threads.unwrap_or_default(),
                resources.memory.unwrap_or_default() as f64 / 1024.0 / 1024.0,
            )?;
        }
        Ok(())
    }
}
