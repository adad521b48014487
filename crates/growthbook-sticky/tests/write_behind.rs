//! `WriteBehind` on a store that hangs, fails and panics.
//!
//! A hanging store stays in `save` until the test releases it. So a call that returns before that
//! has not waited for the store, however slow the machine is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use growthbook_core::sticky::{
    StickyBucketDocument, StickyBucketKey, StickyBucketStore, StickyBucketStoreError, StickyBuckets,
};
use growthbook_sticky::{MemoryStickyBucketStore, WriteBehind, WriteBehindOptions, WriteProblem};

/// No test waits this long, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A deadline that passes while the store hangs or fails.
const SHORT: Duration = Duration::from_millis(20);

/// A store whose saves work, hang, fail or panic.
#[derive(Clone, Default)]
struct Scripted {
    kept: MemoryStickyBucketStore,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    mode: Mode,
    /// The documents of all saves that began.
    begun: Vec<StickyBucketDocument>,
    /// The number of saves that ended.
    ended: usize,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mode {
    #[default]
    Works,
    Hangs,
    Fails,
    /// Saves panic.
    Panics,
    /// Loads panic, too.
    PanicsAlways,
}

impl Scripted {
    fn new(mode: Mode) -> Self {
        let store = Scripted::default();
        store.set(mode);
        store
    }

    fn set(&self, mode: Mode) {
        self.state.0.lock().unwrap().mode = mode;
        self.state.1.notify_all();
    }

    fn mode(&self) -> Mode {
        self.state.0.lock().unwrap().mode
    }

    fn saves(&self) -> Vec<StickyBucketDocument> {
        self.state.0.lock().unwrap().begun.clone()
    }

    fn ended_saves(&self) -> usize {
        self.state.0.lock().unwrap().ended
    }

    /// Waits until this many saves have begun.
    fn wait_for_saves(&self, number: usize) {
        self.wait_while(|state| state.begun.len() < number);
    }

    fn wait_while(&self, is_so: impl Fn(&State) -> bool) {
        let (state, changed) = &*self.state;
        let waiting = state.lock().unwrap();
        let waited = changed.wait_timeout_while(waiting, PATIENCE, |state| is_so(state)).unwrap();
        assert!(!waited.1.timed_out(), "timed out");
    }
}

impl StickyBucketStore for Scripted {
    fn get_all(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
        match self.mode() {
            Mode::Fails => Err(StickyBucketStoreError::new("down")),
            Mode::PanicsAlways => panic!("scripted"),
            _ => self.kept.get_all(keys),
        }
    }

    fn save(&self, document: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
        self.state.0.lock().unwrap().begun.push(document.clone());
        self.state.1.notify_all();
        self.wait_while(|state| state.mode == Mode::Hangs);
        self.state.0.lock().unwrap().ended += 1;
        match self.mode() {
            Mode::Fails => Err(StickyBucketStoreError::new("down")),
            Mode::Panics | Mode::PanicsAlways => panic!("scripted"),
            _ => self.kept.save(document),
        }
    }
}

#[test]
fn queued_documents_are_read() {
    let (inner, store) = hanging(WriteBehindOptions::new());
    store.save(&document("1", &[("b__0", "0")])).unwrap();
    store.save(&document("2", &[("a__0", "0")])).unwrap();
    // User 1 has one document in flight and one in the queue.
    let buckets = store.get_all(&[key("1"), key("2"), key("3")]).unwrap();
    assert_eq!(buckets.get("id", "1").unwrap().assignments.len(), 2);
    assert_eq!(buckets.iter().len(), 2);
    assert_eq!(store.flush(SHORT).unwrap_err().queued, 3);
    assert_eq!(inner.ended_saves(), 0);
    inner.set(Mode::Works);
    store.flush(PATIENCE).unwrap();
    assert_eq!(inner.kept.get_all(&[key("1"), key("2")]).unwrap().iter().len(), 2);
}

#[test]
fn panic_of_the_store_is_an_error() {
    let store = WriteBehind::new(Scripted::new(Mode::PanicsAlways));
    let queued = document("1", &[("a__0", "0")]);
    store.save(&queued).unwrap();
    assert_eq!(store.get_all(&[key("1")]).unwrap().get("id", "1"), Some(&queued));
    assert!(store.get_all(&[key("2")]).is_err());
    assert_eq!(store.close(SHORT).unwrap_err().queued, 1);
    // After closing, saves go to the store.
    assert!(store.save(&queued).is_err());
}

/// The text of an error is the code of the store, too.
#[test]
fn panic_of_an_error_text_does_not_end_the_thread() {
    #[derive(Debug)]
    struct Silent;
    impl std::fmt::Display for Silent {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("scripted");
        }
    }
    impl std::error::Error for Silent {}

    #[derive(Clone, Default)]
    struct FailsOnce(Arc<Mutex<u32>>);
    impl StickyBucketStore for FailsOnce {
        fn get_all(&self, _: &[StickyBucketKey]) -> Result<StickyBuckets, StickyBucketStoreError> {
            Ok(StickyBuckets::new())
        }

        fn save(&self, _: &StickyBucketDocument) -> Result<(), StickyBucketStoreError> {
            let mut saves = self.0.lock().unwrap();
            *saves += 1;
            if *saves == 1 { Err(StickyBucketStoreError::new(Silent)) } else { Ok(()) }
        }
    }

    let store = WriteBehind::new(FailsOnce::default());
    store.save(&document("1", &[("a__0", "0")])).unwrap();
    store.flush(PATIENCE).unwrap();
    assert_eq!(store.counters().saved, 1);
}

#[test]
fn queued_documents_are_merged_and_keep_their_order() {
    let (inner, store) = hanging(WriteBehindOptions::new());
    for (user, experiment) in [("2", "a__0"), ("3", "a__0"), ("2", "b__0"), ("2", "c__0")] {
        store.save(&document(user, &[(experiment, "0")])).unwrap();
    }
    inner.set(Mode::Works);
    store.close(PATIENCE).unwrap();
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
fn full_queue_loses_its_oldest_documents() {
    let lost = Arc::new(Mutex::new(Vec::new()));
    let options = WriteBehindOptions::new().capacity(NonZeroUsize::new(2).unwrap()).on_problem({
        let lost = lost.clone();
        move |problem| {
            let WriteProblem::QueueFull { document } = problem else { panic!("{problem:?}") };
            lost.lock().unwrap().push(document.attribute_value.to_string());
            panic!("a panic of the callback is ignored");
        }
    });
    let (inner, store) = hanging(options);
    for user in ["2", "3", "4", "5"] {
        store.save(&document(user, &[])).unwrap();
    }
    assert_eq!(inner.ended_saves(), 0, "a save waited for the store");
    assert_eq!(*lost.lock().unwrap(), ["2", "3"]);
    assert_eq!(store.counters().lost, 2);
    inner.set(Mode::Works);
    store.close(PATIENCE).unwrap();
    assert_eq!(store.counters().saved, 3);
}

#[test]
fn failed_writes_are_retried() {
    for mode in [Mode::Fails, Mode::Panics] {
        let problems = Arc::new(Mutex::new(0));
        let options = WriteBehindOptions::new().on_problem({
            let problems = problems.clone();
            move |problem| {
                assert!(matches!(problem, WriteProblem::Failed { .. }));
                *problems.lock().unwrap() += 1;
            }
        });
        let inner = Scripted::new(mode);
        let store = WriteBehind::with_options(inner.clone(), options);
        store.save(&document("1", &[("a__0", "0")])).unwrap();
        inner.wait_for_saves(2);
        assert!(store.flush(SHORT).is_err());
        // The queue has all requested documents, so that the store is not needed.
        assert_eq!(store.get_all(&[key("1")]).unwrap().iter().len(), 1);
        assert_eq!(store.get_all(&[key("1"), key("2")]).is_err(), mode == Mode::Fails);
        inner.set(Mode::Works);
        store.flush(PATIENCE).unwrap();
        let counters = store.counters();
        assert_eq!((counters.saved, counters.lost, counters.queued), (1, 0, 0));
        assert!(counters.failed >= 1);
        assert_eq!(counters.failed, *problems.lock().unwrap());
    }
}

#[test]
fn document_that_fails_for_too_long_is_given_up() {
    let gave_up = Arc::new(Mutex::new(0));
    let options = WriteBehindOptions::new().retry_for(Duration::ZERO).on_problem({
        let gave_up = gave_up.clone();
        move |problem| {
            assert!(matches!(problem, WriteProblem::GaveUp { .. }));
            *gave_up.lock().unwrap() += 1;
        }
    });
    let store = WriteBehind::with_options(Scripted::new(Mode::Fails), options);
    for user in ["1", "2"] {
        store.save(&document(user, &[])).unwrap();
        store.flush(PATIENCE).unwrap();
    }
    store.close(PATIENCE).unwrap();
    assert_eq!(*gave_up.lock().unwrap(), 2);
    assert_eq!(store.counters().lost, 2);
}

#[test]
fn close_does_not_wait_for_a_hanging_store() {
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
    assert_eq!(store.close(SHORT).unwrap_err().queued, 2);
    assert_eq!(inner.ended_saves(), 0);
    assert_eq!(*closed.lock().unwrap(), 2);
    inner.set(Mode::Works);
    store.close(PATIENCE).unwrap();
    // After closing, a save writes to the store directly.
    store.save(&document("3", &[])).unwrap();
    assert_eq!(inner.kept.get_all(&[key("3")]).unwrap().iter().len(), 1);
}

#[test]
fn dropping_the_last_clone_writes_the_queue() {
    let inner = Scripted::default();
    let options = WriteBehindOptions::new().drop_deadline(PATIENCE);
    let store = WriteBehind::with_options(inner.clone(), options);
    let clone = store.clone();
    for user in 0..100 {
        store.save(&document(&user.to_string(), &[])).unwrap();
    }
    drop(store);
    drop(clone);
    assert_eq!(inner.saves().len(), 100);
    // The thread has ended and dropped the store.
    assert_eq!(Arc::strong_count(&inner.state), 1);
}

#[test]
fn drop_does_not_wait_for_a_hanging_store() {
    let options = WriteBehindOptions::new().drop_deadline(SHORT);
    let (inner, store) = hanging(options);
    drop(store);
    assert_eq!(inner.ended_saves(), 0);
    inner.set(Mode::Works);
}

#[test]
fn callback_may_use_the_queue() {
    let inner = Scripted::new(Mode::Fails);
    let handle: Arc<Mutex<Option<WriteBehind<Scripted>>>> = Arc::default();
    let called = Arc::new((Mutex::new(0), Condvar::new()));
    let options = WriteBehindOptions::new().on_problem({
        let (handle, called, inner) = (handle.clone(), called.clone(), inner.clone());
        move |_| {
            let store = handle.lock().unwrap().clone();
            if let Some(store) = store {
                inner.set(Mode::Works);
                store.save(&document("2", &[])).unwrap();
                assert!(store.flush(PATIENCE).is_err(), "no other thread writes");
            }
            *called.0.lock().unwrap() += 1;
            called.1.notify_all();
        }
    });
    let store = WriteBehind::with_options(inner.clone(), options);
    *handle.lock().unwrap() = Some(store.clone());
    store.save(&document("1", &[])).unwrap();
    let waiting = called.0.lock().unwrap();
    let waited = called.1.wait_timeout_while(waiting, PATIENCE, |called| *called == 0).unwrap();
    assert!(!waited.1.timed_out(), "the callback was not called");
    drop(waited);
    store.flush(PATIENCE).unwrap();
    assert_eq!(inner.kept.get_all(&[key("1"), key("2")]).unwrap().iter().len(), 2);
    handle.lock().unwrap().take();
}

#[test]
fn concurrent_saves_lose_nothing() {
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
    store.close(PATIENCE).unwrap();
    for user in 0..50 {
        let buckets = inner.kept.get_all(&[key(&user.to_string())]).unwrap();
        assert_eq!(buckets.get("id", &user.to_string()).unwrap().assignments.len(), 16);
    }
}

/// Returns a queue whose thread hangs in the save of user 1.
fn hanging(options: WriteBehindOptions) -> (Scripted, WriteBehind<Scripted>) {
    let inner = Scripted::new(Mode::Hangs);
    let store = WriteBehind::with_options(inner.clone(), options);
    store.save(&document("1", &[("a__0", "0")])).unwrap();
    inner.wait_for_saves(1);
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
