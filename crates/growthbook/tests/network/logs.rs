//! Captured log records.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// The records with the target `growthbook` and the level `info` or above, by thread, as
/// `LEVEL text`.
static RECORDS: Mutex<Option<HashMap<ThreadId, Vec<String>>>> = Mutex::new(None);

/// Texts that no record may contain, and the records that contain one.
static WATCH: Mutex<Watch> =
    Mutex::new(Watch { secrets: Vec::new(), records: 0, leaks: Vec::new() });

#[derive(Default)]
struct Watch {
    secrets: Vec<String>,
    records: usize,
    leaks: Vec<String>,
}

/// Searches all records for secrets until it is dropped. Only one can exist at a time.
pub(crate) struct Watching(());

/// Starts capturing.
pub(crate) fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Capture).unwrap();
        log::set_max_level(LevelFilter::Info);
    });
}

/// Returns the captured records of a thread.
pub(crate) fn of(thread: ThreadId) -> Vec<String> {
    let records = lock(&RECORDS);
    records.as_ref().and_then(|records| records.get(&thread)).cloned().unwrap_or_default()
}

/// Starts to search the records of all targets and levels for these texts.
pub(crate) fn watch_for(secrets: &[&str]) -> Watching {
    capture();
    let secrets = secrets.iter().map(|&secret| secret.to_owned()).collect();
    let before = std::mem::replace(&mut *lock(&WATCH), Watch { secrets, ..Watch::default() });
    assert!(before.secrets.is_empty(), "another test is watching");
    log::set_max_level(LevelFilter::Trace);
    Watching(())
}

impl Watching {
    /// Returns the number of searched records, and the records that contain a secret.
    pub(crate) fn found(&self) -> (usize, Vec<String>) {
        let watch = lock(&WATCH);
        (watch.records, watch.leaks.clone())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        log::set_max_level(LevelFilter::Info);
        *lock(&WATCH) = Watch::default();
    }
}

struct Capture;

impl Log for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.target() == "growthbook" && record.level() <= Level::Info {
            let text = format!("{} {}", record.level(), record.args());
            let mut records = lock(&RECORDS);
            let records = records.get_or_insert_default();
            records.entry(thread::current().id()).or_default().push(text);
        }
        let mut watch = lock(&WATCH);
        if !watch.secrets.is_empty() {
            watch.records += 1;
            let text = readable(&record.args().to_string());
            let is_leak = watch.secrets.iter().any(|secret| text.contains(secret.as_str()));
            if is_leak {
                ROWS.with_borrow_mut(String::clear);
                watch.leaks.push(format!("{} {} {text}", record.level(), record.target()));
            }
        }
    }

    fn flush(&self) {}
}

thread_local! {
    /// The end of the text of the hex dumps on this thread.
    static ROWS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Returns the text of a record. For a row of a hex dump, it returns the dumped text of this row and
/// of the rows before it: a secret may be split between rows.
fn readable(text: &str) -> String {
    /// Longer than a secret.
    const KEPT: usize = 512;
    /// `0011 2233 4455 6677 8899 aabb ccdd eeff `
    const HEX: usize = 40;
    let row = text.split_at_checked(HEX).filter(|(hex, _)| {
        let is_hex = |part: &str| part.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-');
        hex.split(' ').all(is_hex) && hex.ends_with(' ')
    });
    let Some((_, row)) = row else { return text.to_owned() };
    ROWS.with_borrow_mut(|rows| {
        rows.push_str(row.trim_start());
        let from = rows.len().saturating_sub(KEPT);
        *rows = rows.get(from..).unwrap_or_default().to_owned();
        rows.clone()
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
