//! `EmbeddedStickyBucketStore` in processes that are killed, on damaged files and on a full disk.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBucketStore};
use growthbook_sticky::{EmbeddedStickyBucketStore, EmbeddedStoreError, EmbeddedStoreErrorKind};
use tempfile::TempDir;

const FILE_VARIABLE: &str = "STICKY_TEST_FILE";
const FIRST_VARIABLE: &str = "STICKY_TEST_FIRST";

#[test]
fn saved_documents_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sticky.redb");
    let mut saved = 0;
    for round in 0..15 {
        let mut child = start_saving(&path, saved);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The kill interrupts the next save at a random point.
        let mut acknowledged = lines.map_while(Result::ok).filter_map(|line| line.parse().ok());
        let last: u64 = acknowledged.nth(round).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let store = EmbeddedStickyBucketStore::open(&path).unwrap();
        for user in 0..=last {
            let buckets = store.get_all(&[key(user)]).unwrap();
            let document = buckets.get("id", &user.to_string());
            assert_eq!(document.unwrap().assignments.len(), 50, "user {user} of round {round}");
        }
        saved = last + 1;
    }
}

/// Starts a process that saves the documents of these users, one after another.
fn start_saving(path: &Path, first: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "save_until_killed", "--ignored", "--nocapture"])
        .env(FILE_VARIABLE, path)
        .env(FIRST_VARIABLE, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "another test runs it in a child process"]
fn save_until_killed() {
    let store = EmbeddedStickyBucketStore::open(std::env::var(FILE_VARIABLE).unwrap()).unwrap();
    let first: u64 = std::env::var(FIRST_VARIABLE).unwrap().parse().unwrap();
    println!();
    for user in first.. {
        store.save(&document(user)).unwrap();
        println!("{user}");
        std::io::stdout().flush().unwrap();
    }
}

/// The page size of the database.
const PAGE: usize = 4096;

#[test]
fn damaged_file_is_an_error_not_a_panic() {
    const FILES: u64 = 300;
    let (_folder, path) = file();
    let store = EmbeddedStickyBucketStore::open(&path).unwrap();
    (0..USERS).for_each(|user| store.save(&document(user)).unwrap());
    // The file of a process that was killed, and the same file after closing.
    let killed = fs::read(&path).unwrap();
    drop(store);
    let closed = fs::read(&path).unwrap();

    let (mut damaged_files, mut wrong) = (0, 0);
    for seed in 0..FILES {
        let whole = if seed % 2 == 0 { &closed } else { &killed };
        fs::write(&path, damaged(whole, &mut Random(seed))).unwrap();
        match EmbeddedStickyBucketStore::open(&path) {
            Ok(store) => {
                // The damage is in a part that is not used, or an earlier state is whole.
                let found = store.get_all(&keys()).unwrap();
                wrong += found.iter().filter(|found| !is_own_document(found)).count();
                store.save(&document(USERS)).unwrap();
            }
            Err(error) => {
                damaged_files += 1;
                assert_damaged(&error);
            }
        }
    }
    println!("{damaged_files} of {FILES} files are refused");
    assert_eq!(wrong, 0);
    assert!((FILES / 3..FILES).contains(&damaged_files), "{damaged_files}");
}

fn is_own_document(found: &StickyBucketDocument) -> bool {
    (0..USERS).map(document).any(|document| document == *found)
}

fn assert_damaged(error: &EmbeddedStoreError) {
    assert_eq!(error.kind(), EmbeddedStoreErrorKind::Damaged, "{error}");
    let advice = error.to_string();
    assert!(advice.contains("sticky.redb") && advice.contains("remove it"), "{advice}");
}

#[cfg(target_os = "linux")]
#[test]
fn store_recovers_from_a_full_disk() {
    let (_folder, path) = file();
    // Without this signal, a write beyond the limit is an error.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "fill_the_disk", "--ignored", "--nocapture"])
        .env(FILE_VARIABLE, &path)
        .status();
    assert!(status.unwrap().success());
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "another test runs it in a child process"]
fn fill_the_disk() {
    let path = std::env::var(FILE_VARIABLE).unwrap();
    let store = EmbeddedStickyBucketStore::open(&path).unwrap();
    // The file cannot grow, as if the disk were full.
    limit_file_size(&fs::metadata(&path).unwrap().len().to_string());
    let (full, error) =
        (0..).find_map(|user| Some((user, store.save(&document(user)).err()?))).unwrap();
    let error = error.source().unwrap();
    assert!(error.to_string().contains("free space"), "{error}");

    let is_loaded = |user| {
        let buckets = store.get_all(&[key(user)]).ok();
        buckets.is_some_and(|buckets| buckets.iter().len() == 1)
    };
    eventually("a load from the full disk", || is_loaded(full - 1));
    assert!(store.save(&document(full)).is_err());

    limit_file_size("unlimited");
    eventually("a save", || store.save(&document(full)).is_ok());
    assert!((0..=full).all(is_loaded));
}

/// Limits the size of the files that this process writes.
#[cfg(target_os = "linux")]
fn limit_file_size(limit: &str) {
    let process = format!("--pid={}", std::process::id());
    let status = Command::new("prlimit").arg(process).arg(format!("--fsize={limit}:")).status();
    assert!(status.unwrap().success());
}

/// The users in the file that is damaged.
const USERS: u64 = 60;

fn keys() -> Vec<StickyBucketKey> {
    (0..=USERS).map(key).collect()
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sticky.redb");
    (folder, path)
}

/// Waits until a condition holds. Only a failing test waits long.
#[track_caller]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "timed out waiting for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Cuts the file short, zeroes a page, flips a bit, or writes random bytes into a page.
fn damaged(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    // Most pages of a new file are empty. Damage to them would have no effect.
    let used: Vec<usize> = (0..whole.len() / PAGE)
        .filter(|page| whole[page * PAGE..][..PAGE].iter().any(|byte| *byte != 0))
        .collect();
    let start = used[random.below(used.len())] * PAGE;
    match random.below(4) {
        0 => bytes.truncate(random.below(whole.len())),
        1 => bytes[start..][..PAGE].fill(0),
        2 => bytes[start + random.below(PAGE)] ^= 1 << random.below(8),
        _ => {
            let length = 1 + random.below(64);
            let offset = start + random.below(PAGE - length);
            bytes[offset..][..length]
                .iter_mut()
                .for_each(|byte| *byte = random.next().to_le_bytes()[0]);
        }
    }
    bytes
}

/// The generator splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

fn document(user: u64) -> StickyBucketDocument {
    let mut document = StickyBucketDocument::new(key(user));
    // A kilobyte, so that the documents take several pages.
    let assignments = (0..50).map(|number| (format!("experiment-{number}__0").into(), "1".into()));
    document.assignments.extend(assignments);
    document
}

fn key(user: u64) -> StickyBucketKey {
    StickyBucketKey { attribute_name: "id".into(), attribute_value: user.to_string().into() }
}
