//! `EmbeddedStickyBucketStore` in processes that are killed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBucketStore};
use growthbook_sticky::EmbeddedStickyBucketStore;

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
            assert_eq!(document.unwrap().assignments.len(), 1, "user {user} of round {round}");
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
        let mut document = StickyBucketDocument::new(key(user));
        document.assignments.insert("exp__0".into(), "1".into());
        store.save(&document).unwrap();
        println!("{user}");
        std::io::stdout().flush().unwrap();
    }
}

fn key(user: u64) -> StickyBucketKey {
    StickyBucketKey { attribute_name: "id".into(), attribute_value: user.to_string().into() }
}
