//! Older payloads that the server repeats.

use std::sync::Arc;
use std::time::Duration;

use crate::schedule::Time;

/// How often a server must send the same older payload in a row before it is used.
const ENOUGH_REPEATS: u32 = 5;
/// How long it must have sent that payload. A cache on the way may be stale for a minute.
const LONG_ENOUGH: Duration = Duration::from_secs(120);

/// The older payload that the server sent last, if it sent nothing else since.
#[derive(Default)]
pub(super) struct Repeats(Option<Repeated>);

struct Repeated {
    text: Arc<str>,
    times: u32,
    since: Time,
}

impl Repeats {
    /// Notes an older payload from the server. Returns whether it insists on it.
    pub(super) fn note(&mut self, text: &Arc<str>, now: Time) -> bool {
        let repeated = match self.0.take() {
            Some(last) if last.text == *text => Repeated { times: last.times + 1, ..last },
            _ => Repeated { text: text.clone(), times: 1, since: now },
        };
        let is_long = now.saturating_sub(repeated.since) >= LONG_ENOUGH;
        let insists = repeated.times >= ENOUGH_REPEATS && is_long;
        self.0 = (!insists).then_some(repeated);
        insists
    }

    /// The server sent or confirmed another payload.
    pub(super) fn end(&mut self) {
        self.0 = None;
    }

    /// Returns how often the server sent the same older payload in a row.
    pub(super) fn times(&self) -> u32 {
        self.0.as_ref().map_or(0, |repeated| repeated.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Time {
        Duration::from_secs(seconds)
    }

    #[test]
    fn server_insists_after_repeats_and_time() {
        let text: Arc<str> = "older".into();
        for (pause, expected) in [(60, 5), (30, 5), (10, 13), (1, 121)] {
            let mut repeats = Repeats::default();
            let insists = (0..200).position(|round| repeats.note(&text, secs(round * pause)));
            assert_eq!(insists.map(|round| round + 1), Some(expected), "every {pause} s");
            assert_eq!(repeats.times(), 0);
        }
    }

    #[test]
    fn another_payload_starts_the_count_again() {
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let mut repeats = Repeats::default();
        for round in 0..20 {
            assert!(!repeats.note(&one, secs(200 * round)));
            assert!(!repeats.note(&other, secs(200 * round + 100)));
        }
        for round in 0..20 {
            assert!(!repeats.note(&one, secs(10_000 + 200 * round)));
            repeats.end();
        }
    }
}
