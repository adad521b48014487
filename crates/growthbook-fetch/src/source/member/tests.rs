//! Tests with a clock that the test sets.

use growthbook_core::cache::PayloadCacheError;

use super::*;
use crate::live::LivePayload;

/// Notes the calls that write.
#[derive(Default)]
struct Spy(Mutex<Vec<String>>);

impl Spy {
    fn note(&self, call: &str, payload: &CachedPayload) {
        self.0.lock().unwrap().push(format!("{call} {}", payload.document));
    }
}

impl PayloadCache for Spy {
    fn get(&self, _: &PayloadKey) -> Result<Option<CachedPayload>, PayloadCacheError> {
        Ok(None)
    }

    fn put(&self, _: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.note("put", payload);
        Ok(())
    }

    fn replace(&self, _: &PayloadKey, payload: &CachedPayload) -> Result<(), PayloadCacheError> {
        self.note("replace", payload);
        Err(PayloadCacheError::new("the first write is lost"))
    }
}

fn dated(second: u32) -> String {
    format!(r#"{{"features":{{}},"dateUpdated":"2026-01-01T00:00:{second:02}.000Z"}}"#)
}

fn document(text: &str, sequence: u64) -> Document {
    let payload =
        CachedPayload { document: text.into(), etag: None, streaming: false, fetched_at: 1 };
    Document { payload, source: PayloadSource::Network, sequence: Some(sequence) }
}

/// Otherwise the newer payload stays in the cache, and other processes get it from there.
#[test]
fn older_payload_in_use_replaces_the_cached_one() {
    let spy = Arc::new(Spy::default());
    let key = PayloadKey::new("host", "key");
    let mut member = Member::new(key, spy.clone(), Box::new(LivePayload::default()));
    member.offer(&document(&dated(2), 1)).unwrap();
    let is_used = (2..7).map(|sequence| {
        member.origin -= Duration::from_secs(30);
        let offered = member.offer(&document(&dated(1), sequence)).unwrap();
        matches!(offered, Offered::Applied { .. })
    });
    assert_eq!(is_used.collect::<Vec<_>>(), [false, false, false, false, true]);
    // The cache failed, so the next confirmation writes again.
    member.confirm(&document(&dated(1), 7));
    member.offer(&document(&dated(3), 8)).unwrap();
    let [first, older, again, newer] = &spy.0.lock().unwrap()[..] else { unreachable!() };
    assert_eq!(
        (&**first, &**newer),
        (&*format!("put {}", dated(2)), &*format!("put {}", dated(3)))
    );
    assert_eq!((&**older, older), (&*format!("replace {}", dated(1)), again));
}
