//! The embedded client with everything that it can do without a server: flags, experiments and
//! sticky assignments. `cargo xtask wasm` compares its answers in WebAssembly with those of a native
//! program.

use std::fmt::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use growthbook::sticky::{
    CookieOptions, MemoryStickyBucketStore, StickyBucketDocument, StickyBucketKey,
    StickyBucketStore, StickyBucketStoreError, StickyBuckets, WriteBehind, read_cookies,
    set_cookie,
};
use growthbook::{Client, Experiment, PayloadError, UserContext};

const PAYLOAD: &str = r#"{"features": {
    "dark-mode": {"defaultValue": false, "rules": [
        {"condition": {"country": {"$in": ["US", "CA"]}, "email": {"$regex": "@example"}}, "force": true}
    ]},
    "limit": {"defaultValue": 10, "rules": [{"coverage": 0.5, "hashAttribute": "id", "force": 50}]},
    "checkout": {"defaultValue": "none", "rules": [{
        "key": "checkout", "variations": ["old", "new", "newest"],
        "meta": [{"key": "0"}, {"key": "1"}, {"key": "2"}]
    }]}
}}"#;

/// The same with weights that assign another variation to most users.
const REWEIGHTED: &str = r#"{"features": {
    "checkout": {"defaultValue": "none", "rules": [{
        "key": "checkout", "variations": ["old", "new", "newest"], "weights": [0, 0, 1],
        "meta": [{"key": "0"}, {"key": "1"}, {"key": "2"}]
    }]}
}}"#;

const USERS: u32 = 20;

/// Returns the answers as lines of text, or the error.
pub fn answers() -> String {
    let mut lines = String::new();
    match write_answers(&mut lines) {
        Ok(()) => lines,
        Err(error) => format!("error: {error}"),
    }
}

fn write_answers(lines: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    evaluations(lines)?;
    sticky_assignments(lines, "memory", &MemoryStickyBucketStore::default())?;
    let queue = WriteBehind::new(MemoryStickyBucketStore::default());
    sticky_assignments(lines, "a queue", &queue)?;
    queue.flush(Duration::from_secs(60))?;
    queue.close(Duration::from_secs(60))?;
    sticky_assignments(lines, "a store that fails at times", &FailsAtTimes::default())?;
    cookies(lines)
}

/// Flags and experiments, with callbacks, and through each way to ask.
fn evaluations(lines: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    static VIEWED: AtomicUsize = AtomicUsize::new(0);
    let client = Client::embedded()
        .payload(PAYLOAD)
        .on_experiment_viewed(|_| {
            VIEWED.fetch_add(1, Ordering::Relaxed);
        })
        .build()?;
    for user in 0..USERS {
        let country = if user % 2 == 0 { "US" } else { "FR" };
        let user = UserContext::new(format!("user-{user}"))
            .attribute("country", country)
            .attribute("email", format!("{user}@example.com"));
        let gb = client.for_user(user);
        let experiment = Experiment::new("cta", ["Buy", "Order now"]);
        writeln!(
            lines,
            "{} {} {} {}",
            gb.is_on("dark-mode"),
            gb.feature_value("limit", 0),
            gb.feature_value("checkout", "fallback"),
            gb.run(&experiment).value,
        )?;
        writeln!(lines, "{}", gb.explain("limit"))?;
    }
    writeln!(lines, "{} exposures", VIEWED.load(Ordering::Relaxed))?;
    let refused = client.set_payload("not a payload");
    writeln!(lines, "{refused:?}")?;
    Ok(())
}

/// Assignments before and after the weights change.
fn sticky_assignments<S: StickyBucketStore + Clone + 'static>(
    lines: &mut String,
    name: &str,
    store: &S,
) -> Result<(), PayloadError> {
    for payload in [PAYLOAD, REWEIGHTED] {
        let client =
            Client::embedded().payload(payload).sticky_bucket_store(store.clone()).build()?;
        let values = (0..USERS).map(|user| {
            client.for_user(format!("user-{user}")).feature_value("checkout", String::new())
        });
        lines.push_str(&format!("{name}: {}\n", values.collect::<Vec<_>>().join(" ")));
    }
    Ok(())
}

/// A store whose every third call fails.
#[derive(Clone, Default)]
struct FailsAtTimes {
    store: MemoryStickyBucketStore,
    calls: std::sync::Arc<AtomicUsize>,
}

impl FailsAtTimes {
    fn call(&self) -> Result<(), StickyBucketStoreError> {
        match self.calls.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Err(StickyBucketStoreError::new("fails at times")),
            _ => Ok(()),
        }
    }
}

impl StickyBucketStore for FailsAtTimes {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        self.call()?;
        self.store.get_all(keys)
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.call()?;
        self.store.save(document)
    }
}

/// Documents that the application keeps.
fn cookies(lines: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_json(PAYLOAD)?;
    let gb = client.for_user_with_sticky("user-1", read_cookies(["theme=dark"]));
    gb.is_on("checkout");
    for document in gb.take_changed_sticky_buckets() {
        writeln!(lines, "{}", set_cookie(&document, &CookieOptions::new())?)?;
    }
    Ok(())
}

static ANSWERS: OnceLock<String> = OnceLock::new();

/// Evaluates everything. Returns where the text of the answers begins in memory.
#[expect(unsafe_code, reason = "JavaScript finds the function by its name, which must be unique")]
#[unsafe(no_mangle)]
pub extern "C" fn answers_start() -> *const u8 {
    ANSWERS.get_or_init(answers).as_ptr()
}

/// Returns the length of the text in bytes.
#[expect(unsafe_code, reason = "JavaScript finds the function by its name, which must be unique")]
#[unsafe(no_mangle)]
pub extern "C" fn answers_length() -> usize {
    ANSWERS.get_or_init(answers).len()
}
