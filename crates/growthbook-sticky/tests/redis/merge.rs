//! The option `merge`, and two processes that enroll users at the same time.

use std::process::{Child, Command};
use std::thread;

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::RedisStickyBucketStore;
use test_server::redis::RedisServer;

use crate::support::{calls, document, load, patient, store, store_with, stored};

const URL_VARIABLE: &str = "STICKY_TEST_URL";
const PROCESS_VARIABLE: &str = "STICKY_TEST_PROCESS";
const THREADS: usize = 64;
const USERS: usize = 20;

#[test]
fn concurrent_processes_lose_nothing() {
    let server = RedisServer::start();
    let children: Vec<Child> = (0..2).map(|process| start_enrolling(&server, process)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let store = store(&server);
    for user in 0..USERS {
        let assignments = load(&store, &user.to_string()).unwrap().assignments;
        assert_eq!(assignments.len(), 2 * THREADS);
    }
}

fn start_enrolling(server: &RedisServer, process: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "merge::enroll", "--ignored", "--quiet"])
        .env(URL_VARIABLE, server.url())
        .env(PROCESS_VARIABLE, process.to_string())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "another test runs it in a child process"]
fn enroll() {
    let process = std::env::var(PROCESS_VARIABLE).unwrap();
    let client = redis::Client::open(std::env::var(URL_VARIABLE).unwrap()).unwrap();
    let store = RedisStickyBucketStore::with_options(client, patient().merge(true));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, process) = (store.clone(), &process);
            scope.spawn(move || {
                for user in 0..USERS {
                    let user = ((user + thread) % USERS).to_string();
                    // An evaluation does the same: it loads the document, adds an assignment and
                    // saves the whole document.
                    let loaded = load(&store, &user);
                    let mut changed = loaded.unwrap_or_else(|| document("id", &user, &[]));
                    let experiment = format!("{process}-{thread}__0");
                    changed.assignments.insert(experiment.into(), "1".into());
                    store.save(&changed).unwrap();
                }
            });
        }
    });
}

#[test]
fn without_merge_the_last_save_wins() {
    let server = RedisServer::start();
    let store = store(&server);
    store.save(&document("id", "1", &[("a__0", "0")])).unwrap();
    store.save(&document("id", "1", &[("b__0", "0")])).unwrap();
    assert_eq!(load(&store, "1"), Some(document("id", "1", &[("b__0", "0")])));
}

#[test]
fn merge_keeps_stored_assignments() {
    let server = RedisServer::start();
    let store = store_with(&server, patient().merge(true));
    let odd = "\u{0}\u{1f}\u{7f}\"\\/\u{2028}\u{ffff}üß€😀\u{10ffff}";
    let cases = [
        // An empty object stays an object.
        (r#"{"attributeName":"id","attributeValue":"1","assignments":{}}"#.to_owned(), vec![]),
        (r#"{"attributeName":"id","attributeValue":"1"}"#.to_owned(), vec![]),
        (r#"{"attributeName":"id","attributeValue":"1","assignments":null}"#.to_owned(), vec![]),
        // The attribute value may be a number. An assignment that is not a string is dropped.
        (
            r#"{"attributeName":"id","attributeValue":1,"assignments":{"a__0":"0","b__0":1.5,"c__0":{}}}"#
                .to_owned(),
            vec![("a__0", "0")],
        ),
        // The keys look like those of a list.
        (
            r#"{"attributeName":"id","attributeValue":"1","assignments":{"1":"0","2":"1"}}"#.to_owned(),
            vec![("1", "0"), ("2", "1")],
        ),
        (
            r#"{"attributeName":"id","attributeValue":"1","assignments":{"\u00fc\ud83d\ude00":"\u0000"}}"#
                .to_owned(),
            vec![("ü😀", "\u{0}")],
        ),
        (
            serde_json::to_string(&document("id", "1", &[(odd, odd), ("", "")])).unwrap(),
            vec![(odd, odd), ("", "")],
        ),
    ];
    for (json, kept) in cases {
        for new in [vec![], vec![("new__0", "1")], vec![("a__0", "9"), (odd, "")]] {
            server.command(&["SET", "id||1", &json]);
            store.save(&document("id", "1", &new)).unwrap();
            let mut expected = document("id", "1", &kept);
            expected.assignments.extend(document("id", "1", &new).assignments);
            assert_eq!(load(&store, "1").as_ref(), Some(&expected), "{json}");
            let text: serde_json::Value = serde_json::from_str(&stored(&server, "id||1")).unwrap();
            assert!(text["assignments"].is_object());
        }
    }
}

#[test]
fn forgotten_script_is_sent_again() {
    let server = RedisServer::start();
    let store = store_with(&server, patient().merge(true));
    for _ in 0..2 {
        for user in ["1", "2", "3"] {
            store.save(&document("id", user, &[("a__0", "0")])).unwrap();
        }
        server.command(&["SCRIPT", "FLUSH"]);
    }
    assert_eq!((calls(&server, "evalsha"), calls(&server, "eval")), (6, 2));
}
