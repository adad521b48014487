//! The payload in use: which payload wins, and what a swap keeps.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use growthbook_core::{Payload, PayloadSource};
use growthbook_fetch::LivePayload;

/// A payload with one feature of this name.
fn document(feature: &str) -> String {
    format!(r#"{{"features": {{"{feature}": {{"defaultValue": true}}}}}}"#)
}

fn payload(feature: &str) -> Payload {
    Payload::from_json(document(feature)).unwrap()
}

fn features<T>(live: &LivePayload<T>) -> Vec<String> {
    live.load().payload().features().keys().cloned().collect()
}

#[test]
fn empty_payload_has_no_source() {
    let live = LivePayload::new();
    assert_eq!(live.load().source(), None);
    assert!(features(&live).is_empty());
}

#[test]
fn pin_keeps_its_payload() {
    let live = LivePayload::new().starting_with(payload("old"), PayloadSource::Fallback);
    let pinned = live.load();
    live.replace(payload("new"), PayloadSource::Application);
    let user = "user-1".into();
    assert!(pinned.snapshot().for_user(&user).is_on("old"));
    assert!(live.load().snapshot().for_user(&user).is_on("new"));
}

#[test]
fn start_is_not_reported_as_a_change() {
    let changes: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = changes.clone();
    let live = LivePayload::new()
        .on_change(move |change| seen.lock().unwrap().extend(change.features.iter().cloned()))
        .starting_with(payload("start"), PayloadSource::Fallback);
    live.replace(payload("start"), PayloadSource::Application);
    assert!(changes.lock().unwrap().is_empty());
    live.replace(payload("next"), PayloadSource::Application);
    assert_eq!(*changes.lock().unwrap(), ["next", "start"]);
}

#[test]
fn failed_update_keeps_the_payload() {
    let live = LivePayload::new().starting_with(payload("old"), PayloadSource::Fallback);
    let failed = live.update(PayloadSource::Application, |_| Err("no"));
    assert_eq!(failed, Err("no"));
    assert_eq!(features(&live), ["old"]);
}

#[test]
fn update_sees_a_payload_that_was_swapped_in_meanwhile() {
    let live = LivePayload::new();
    let calls = AtomicU64::new(0);
    let base = Mutex::new(Vec::new());
    live.update(PayloadSource::Application, |current| {
        if calls.fetch_add(1, Ordering::Relaxed) == 0 {
            live.replace(payload("meanwhile"), PayloadSource::Application);
        }
        *base.lock().unwrap() = current.features().keys().cloned().collect();
        Ok::<_, Infallible>(payload("updated"))
    })
    .unwrap();
    assert_eq!(*base.lock().unwrap(), ["meanwhile"]);
    assert_eq!(features(&live), ["updated"]);
}

#[test]
fn data_survives_concurrent_swaps() {
    const ROUNDS: u64 = 200;
    let live = LivePayload::with_data(0_u64);
    thread::scope(|scope| {
        scope.spawn(|| (0..ROUNDS).for_each(|_| live.set_data(|count| count + 1)));
        scope.spawn(|| {
            (0..ROUNDS).for_each(|_| live.replace(payload("a"), PayloadSource::Application));
        });
        scope.spawn(|| (0..ROUNDS).for_each(|_| live.set_data(|count| count + 1)));
    });
    assert_eq!(*live.load().data(), 2 * ROUNDS);
    assert_eq!(features(&live), ["a"]);
}

#[test]
fn pinned_payload_is_freed_by_a_later_replacement() {
    let live = LivePayload::new().starting_with(payload("old"), PayloadSource::Fallback);
    let pinned = live.load();
    let old = Arc::downgrade(pinned.payload());
    live.replace(payload("new"), PayloadSource::Application);
    drop(pinned);
    assert!(old.upgrade().is_some(), "the evaluation does not free it");
    live.replace(payload("newer"), PayloadSource::Application);
    assert!(old.upgrade().is_none());
}

#[cfg(feature = "network")]
mod offers {
    use growthbook_core::PayloadError;
    use growthbook_fetch::{Offered, PayloadSink};

    use super::*;

    #[test]
    fn lower_rank_never_replaces_a_higher_one() {
        use PayloadSource::{Application, Cache, Fallback, File, Network, Shared};
        let ranks: [&[PayloadSource]; 3] =
            [&[Fallback], &[Cache, File], &[Network, Shared, Application]];
        for (rank, sources) in ranks.iter().enumerate() {
            for (other_rank, others) in ranks.iter().enumerate() {
                for (source, other) in
                    sources.iter().flat_map(|source| others.iter().map(move |it| (*source, *it)))
                {
                    let live = LivePayload::new().starting_with(payload("in-use"), source);
                    let offered = live.offer(&document("offered"), other).unwrap();
                    let is_applied = matches!(offered, Offered::Applied { .. });
                    assert_eq!(is_applied, other_rank >= rank, "{other} after {source}");
                    assert_eq!(live.load().source(), Some(if is_applied { other } else { source }));
                }
            }
        }
    }

    #[test]
    fn older_payload_is_ignored() {
        let dated = |day: u32| {
            format!(r#"{{"features": {{}}, "dateUpdated": "2024-01-{day:02}T00:00:00Z"}}"#)
        };
        let live = LivePayload::new();
        assert!(matches!(
            live.offer(&dated(2), PayloadSource::Network),
            Ok(Offered::Applied { .. })
        ));
        assert_eq!(live.offer(&dated(1), PayloadSource::Network), Ok(Offered::Older));
        assert!(matches!(
            live.offer(&dated(2), PayloadSource::Network),
            Ok(Offered::Applied { .. })
        ));
    }

    #[test]
    fn unreadable_document_keeps_the_payload() {
        let live = LivePayload::new().starting_with(payload("old"), PayloadSource::Fallback);
        live.offer("<html>", PayloadSource::Network).unwrap_err();
        assert_eq!(features(&live), ["old"]);
    }

    #[test]
    fn documents_are_read_by_the_given_function() {
        let live = LivePayload::new().read_with(|document| match document {
            b"secret" => Ok(payload("opened")),
            _ => Payload::from_json(document),
        });
        live.offer("secret", PayloadSource::Network).unwrap();
        assert_eq!(features(&live), ["opened"]);
        let unreadable: Result<Offered, PayloadError> = live.offer("?", PayloadSource::Network);
        unreadable.unwrap_err();
    }

    #[test]
    fn change_is_returned_and_reported_later() {
        let changes: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = changes.clone();
        let live = LivePayload::new()
            .on_change(move |change| seen.lock().unwrap().extend(change.features.iter().cloned()));
        let offered = live.offer(&document("new"), PayloadSource::Network).unwrap();
        let Offered::Applied { change } = offered else { panic!("{offered:?}") };
        assert!(changes.lock().unwrap().is_empty());
        live.changed(change);
        assert_eq!(*changes.lock().unwrap(), ["new"]);
    }
}
