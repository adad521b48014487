//! The queue before a store that hangs, fails and panics.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use growthbook_sticky::{MemoryStickyBucketStore, WriteBehind, WriteBehindOptions, WriteProblem};

const LONG: Duration = Duration::from_secs(10);

/// A store that does as it is told.
#[derive(Clone, Default)]
struct Scripted {
    kept: MemoryStickyBucketStore,
    state: Arc<(Mutex<Mode>, Condvar)>,
    saves: Arc<Mutex<Vec<StickyBucketDocument>>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mode {
    #[default]
    Works,
    Hangs,
    Fails,
    Panics,
}

impl Scripted {
    fn set(&self, mode: Mode) {
        *self.state.0.lock().unwrap() = mode;
        self.state.1.notify_all();
    }

    fn saves(&self) -> Vec<StickyBucketDocument> {
        self.saves.lock().unwrap().clone()
    }
}

impl StickyBucketStore for Scripted {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        match *self.state.0.lock().unwrap() {
            Mode::Fails => Err(StickyBucketStoreError::new("down")),
            _ => self.kept.get_all(keys),
        }
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.saves.lock().unwrap().push(document.clone());
        let (mode, changed) = &*self.state;
        let hanging = changed.wait_while(mode.lock().unwrap(), |mode| *mode == Mode::Hangs);
        let mode = *hanging.unwrap();
        match mode {
            Mode::Fails => Err(StickyBucketStoreError::new("down")),
            Mode::Panics => panic!("told to"),
            _ => self.kept.save(document),
        }
    }
}

#[test]
fn a_save_never_waits_and_is_read_at_once() {
    let (inner, store) = hanging(WriteBehindOptions::new());
    store.save(&document("1", &[("b__0", "0")])).unwrap();
    store.save(&document("2", &[("a__0", "0")])).unwrap();
    // One is in flight and waits as well, one waits.
    let buckets = store.get_all(&[key("1"), key("2"), key("3")]).unwrap();
    assert_eq!(buckets.get("id", "1").unwrap().assignments.len(), 2);
    assert_eq!(buckets.iter().len(), 2);
    assert_eq!(store.flush(Duration::from_millis(20)).unwrap_err().queued, 3);
    inner.set(Mode::Works);
    store.flush(LONG).unwrap();
    assert_eq!(inner.kept.get_all(&[key("1"), key("2")]).unwrap().iter().len(), 2);
}

#[test]
fn documents_are_merged_while_they_wait_and_leave_in_order() {
    let (inner, store) = hanging(WriteBehindOptions::new());
    for (user, experiment) in [("2", "a__0"), ("3", "a__0"), ("2", "b__0"), ("2", "c__0")] {
        store.save(&document(user, &[(experiment, "0")])).unwrap();
    }
    inner.set(Mode::Works);
    store.close(LONG).unwrap();
    let expected = [
        document("1", &[("a__0", "0")]),
        document("2", &[("a__0", "0"), ("b__0", "0"), ("c__0", "0")]),
        document("3", &[("a__0", "0")]),
    ];
    assert_eq!(inner.saves(), expected);
    let counters = store.counters();
    assert_eq!((counters.saved, counters.merged, counters.lost), (3, 2, 0));
}

#[test]
fn the_oldest_of_a_full_queue_is_lost_and_reported() {
    let lost = Arc::new(Mutex::new(Vec::new()));
    let options = WriteBehindOptions::new().capacity(NonZeroUsize::new(2).unwrap()).on_problem({
        let lost = lost.clone();
        move |problem| {
            let WriteProblem::QueueFull { document } = problem else { panic!("{problem:?}") };
            lost.lock().unwrap().push(document.attribute_value.to_string());
            panic!("which nobody notices");
        }
    });
    let (inner, store) = hanging(options);
    let begun = Instant::now();
    for user in ["2", "3", "4", "5"] {
        store.save(&document(user, &[])).unwrap();
    }
    assert!(begun.elapsed() < LONG / 2);
    assert_eq!(*lost.lock().unwrap(), ["2", "3"]);
    assert_eq!(store.counters().lost, 2);
    inner.set(Mode::Works);
    store.close(LONG).unwrap();
    assert_eq!(store.counters().saved, 3);
}

#[test]
fn a_failing_store_is_tried_again() {
    for mode in [Mode::Fails, Mode::Panics] {
        let problems = Arc::new(Mutex::new(0));
        let options = WriteBehindOptions::new().on_problem({
            let problems = problems.clone();
            move |problem| {
                assert!(matches!(problem, WriteProblem::Failed { .. }));
                *problems.lock().unwrap() += 1;
            }
        });
        let inner = Scripted::default();
        inner.set(mode);
        let store = WriteBehind::with_options(inner.clone(), options);
        store.save(&document("1", &[("a__0", "0")])).unwrap();
        assert!(store.flush(Duration::from_millis(50)).is_err());
        // All that is asked for waits.
        assert_eq!(store.get_all(&[key("1")]).unwrap().iter().len(), 1);
        assert_eq!(store.get_all(&[key("1"), key("2")]).is_err(), mode == Mode::Fails);
        inner.set(Mode::Works);
        store.flush(LONG).unwrap();
        let counters = store.counters();
        assert_eq!((counters.saved, counters.lost, counters.queued), (1, 0, 0));
        assert_eq!(counters.failed, *problems.lock().unwrap());
    }
}

#[test]
fn what_fails_for_too_long_is_given_up() {
    let gave_up = Arc::new(Mutex::new(0));
    let options = WriteBehindOptions::new().retry_for(Duration::ZERO).on_problem({
        let gave_up = gave_up.clone();
        move |problem| {
            assert!(matches!(problem, WriteProblem::GaveUp { .. }));
            *gave_up.lock().unwrap() += 1;
        }
    });
    let inner = Scripted::default();
    inner.set(Mode::Fails);
    let store = WriteBehind::with_options(inner, options);
    for user in ["1", "2"] {
        store.save(&document(user, &[])).unwrap();
        store.flush(LONG).unwrap();
    }
    store.close(LONG).unwrap();
    assert_eq!(*gave_up.lock().unwrap(), 2);
    assert_eq!(store.counters().lost, 2);
}

#[test]
fn closing_keeps_its_deadline_and_reports_what_is_lost() {
    let closed = Arc::new(Mutex::new(0));
    let options = WriteBehindOptions::new().on_problem({
        let closed = closed.clone();
        move |problem| {
            assert!(matches!(problem, WriteProblem::Closed { .. }));
            *closed.lock().unwrap() += 1;
        }
    });
    let (inner, store) = hanging(options);
    store.save(&document("2", &[])).unwrap();
    let begun = Instant::now();
    assert_eq!(store.close(Duration::from_millis(50)).unwrap_err().queued, 2);
    assert!(begun.elapsed() < LONG / 2);
    assert_eq!(*closed.lock().unwrap(), 2);
    inner.set(Mode::Works);
    store.close(LONG).unwrap();
    // Later saves go straight to the store.
    store.save(&document("3", &[])).unwrap();
    assert_eq!(inner.kept.get_all(&[key("3")]).unwrap().iter().len(), 1);
}

#[test]
fn dropping_the_last_clone_writes_what_waits() {
    let inner = Scripted::default();
    let store = WriteBehind::new(inner.clone());
    let clone = store.clone();
    for user in 0..100 {
        store.save(&document(&user.to_string(), &[])).unwrap();
    }
    drop(store);
    drop(clone);
    assert_eq!(inner.saves().len(), 100);
    // The thread is gone, and with it its share of the store.
    assert_eq!(Arc::strong_count(&inner.saves), 1);
}

#[test]
fn dropping_keeps_its_deadline() {
    let options = WriteBehindOptions::new().drop_deadline(Duration::from_millis(50));
    let (inner, store) = hanging(options);
    let begun = Instant::now();
    drop(store);
    assert!(begun.elapsed() < LONG / 2);
    inner.set(Mode::Works);
}

#[test]
fn a_callback_may_use_the_store() {
    let inner = Scripted::default();
    inner.set(Mode::Fails);
    let handle: Arc<Mutex<Option<WriteBehind<Scripted>>>> = Arc::default();
    let called = Arc::new((Mutex::new(0), Condvar::new()));
    let options = WriteBehindOptions::new().on_problem({
        let (handle, called, inner) = (handle.clone(), called.clone(), inner.clone());
        move |_| {
            let store = handle.lock().unwrap().clone();
            if let Some(store) = store {
                inner.set(Mode::Works);
                store.save(&document("2", &[])).unwrap();
                assert!(store.flush(LONG).is_err(), "nobody else could write");
            }
            *called.0.lock().unwrap() += 1;
            called.1.notify_all();
        }
    });
    let store = WriteBehind::with_options(inner.clone(), options);
    *handle.lock().unwrap() = Some(store.clone());
    store.save(&document("1", &[])).unwrap();
    let count = called.1.wait_while(called.0.lock().unwrap(), |called| *called == 0);
    drop(count.unwrap());
    store.flush(LONG).unwrap();
    assert_eq!(inner.kept.get_all(&[key("1"), key("2")]).unwrap().iter().len(), 2);
    handle.lock().unwrap().take();
}

#[test]
fn threads_that_crowd_lose_nothing() {
    let inner = Scripted::default();
    let store = WriteBehind::new(inner.clone());
    thread::scope(|scope| {
        for thread in 0..16 {
            let store = store.clone();
            scope.spawn(move || {
                for user in 0..50 {
                    let experiment = format!("{thread}__0");
                    let user = user.to_string();
                    store.save(&document(&user, &[(&experiment, "0")])).unwrap();
                    let seen = store.get_all(&[key(&user)]).unwrap();
                    let seen = seen.get("id", &user).unwrap();
                    assert!(seen.assignments.contains_key(experiment.as_str()));
                }
            });
        }
    });
    store.close(LONG).unwrap();
    for user in 0..50 {
        let buckets = inner.kept.get_all(&[key(&user.to_string())]).unwrap();
        assert_eq!(buckets.get("id", &user.to_string()).unwrap().assignments.len(), 16);
    }
}

/// A store whose thread hangs in saving user 1's document.
fn hanging(options: WriteBehindOptions) -> (Scripted, WriteBehind<Scripted>) {
    let inner = Scripted::default();
    inner.set(Mode::Hangs);
    let store = WriteBehind::with_options(inner.clone(), options);
    store.save(&document("1", &[("a__0", "0")])).unwrap();
    let begun = Instant::now();
    while inner.saves().is_empty() {
        assert!(begun.elapsed() < LONG);
        thread::yield_now();
    }
    (inner, store)
}

fn key(value: &str) -> StickyBucketKey {
    StickyBucketKey { attribute_name: "id".into(), attribute_value: value.into() }
}

fn document(value: &str, assignments: &[(&str, &str)]) -> StickyBucketDocument {
    let mut document = StickyBucketDocument::new(key(value));
    let pairs = assignments.iter();
    document.assignments = pairs.map(|(key, value)| ((*key).into(), (*value).into())).collect();
    document
}
