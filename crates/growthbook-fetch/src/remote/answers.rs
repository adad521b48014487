//! The answers that are kept, and when the server is asked again. This is pure: the caller passes
//! the time.

use std::sync::Arc;
use std::time::Duration;

use growthbook_core::Snapshot;
use lru::LruCache;

use super::options::RemoteOptions;
use super::request::AnswerKey;
use crate::date::is_older;
use crate::error::FetchError;
use crate::live::InUse;
use crate::schedule::{Backoff, FIRST_DELAY, Jitter, Time};

/// The longest delay before the server is asked again about one user whose last request failed.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// The answers of the users seen last.
pub(super) struct Answers {
    entries: LruCache<AnswerKey, Entry>,
    /// The length of the texts of all answers together.
    bytes: usize,
    limits: Limits,
    /// The number of changes that the server has announced.
    changes: u64,
    /// When changes may last have been missed.
    doubted: Option<Time>,
    /// The newest snapshot, with which the next one shares definitions.
    newest: Arc<Snapshot>,
    jitter: Jitter,
}

/// The options that matter here.
struct Limits {
    soft_ttl: Duration,
    hard_ttl: Duration,
    count: usize,
    bytes: usize,
}

/// An answer that is kept.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) in_use: Arc<InUse>,
    /// When the server sent it.
    pub(super) at: Time,
}

/// The answer of one user, and when the server is asked again.
#[derive(Default)]
struct Entry {
    kept: Option<Kept>,
    /// The length of the text of the answer.
    bytes: usize,
    /// When the server last answered, with this answer or an older one.
    asked: Time,
    /// The number of changes that were announced before the request for the answer.
    changes: u64,
    failure: Option<Failure>,
    backoff: Backoff,
}

struct Failure {
    error: FetchError,
    /// The server is not asked again before this time.
    retry_at: Time,
}

/// What to do for a user.
pub(super) enum Found {
    /// Use the answer that is kept.
    Use {
        kept: Kept,
        /// Ask the server for the next answer meanwhile.
        refresh: bool,
        /// Why the last request failed.
        error: Option<FetchError>,
    },
    /// Ask the server, and wait. The answer that is kept is used if that fails.
    Ask { kept: Option<Kept> },
    /// The last request failed a short time ago.
    Failed { kept: Option<Kept>, error: FetchError },
}

impl Answers {
    pub(super) fn new(options: &RemoteOptions, seed: u64) -> Self {
        Answers {
            entries: LruCache::unbounded(),
            bytes: 0,
            limits: Limits {
                soft_ttl: options.soft_ttl,
                hard_ttl: options.hard_ttl,
                count: options.max_answers.get(),
                bytes: options.max_answer_bytes,
            },
            changes: 0,
            doubted: None,
            newest: Arc::new(Snapshot::empty()),
            jitter: Jitter::new(seed),
        }
    }

    /// Decides what to do for a user now.
    pub(super) fn find(&mut self, key: &AnswerKey, now: Time) -> Found {
        let (limits, changes, doubted) = (&self.limits, self.changes, self.doubted);
        let Some(entry) = self.entries.get(key) else { return Found::Ask { kept: None } };
        let kept = entry.kept.clone();
        let age = now.saturating_sub(entry.asked);
        let may_ask = entry.failure.as_ref().is_none_or(|failure| failure.retry_at <= now);
        let error = entry.failure.as_ref().map(|failure| failure.error.clone());
        match (kept, error) {
            (Some(kept), error) if entry.changes == changes && age < limits.hard_ttl => {
                let is_fresh =
                    age < limits.soft_ttl && doubted.is_none_or(|doubted| entry.asked > doubted);
                Found::Use { kept, refresh: !is_fresh && may_ask, error }
            }
            (kept, Some(error)) if !may_ask => Found::Failed { kept, error },
            (kept, _) => Found::Ask { kept },
        }
    }

    /// Returns the number of changes so far. A request that begins now gets an answer after them.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Returns the snapshot with which a new answer shares definitions.
    pub(super) fn newest(&self) -> Arc<Snapshot> {
        self.newest.clone()
    }

    /// Keeps the answer to a request that was sent at this time, after this number of changes.
    /// Returns the answer to use: an older payload does not replace a newer one, unless that has
    /// reached its hard limit. Also returns the answers that were forgotten, to be dropped without a
    /// lock.
    pub(super) fn answered(
        &mut self,
        key: AnswerKey,
        answer: (Arc<InUse>, usize),
        sent: Time,
        changes: u64,
    ) -> (Kept, Vec<Arc<InUse>>) {
        let (in_use, bytes) = answer;
        let mut forgotten = Vec::new();
        let mut entry = self.take(&key);
        entry.failure = None;
        entry.backoff.reset();
        entry.asked = sent;
        entry.changes = changes;
        let kept = match entry.kept.take() {
            Some(kept) if self.is_kept_before(&kept, &in_use, sent) => kept,
            replaced => {
                forgotten.extend(replaced.map(|kept| kept.in_use));
                self.newest = in_use.snapshot().clone();
                entry.bytes = bytes;
                Kept { in_use, at: sent }
            }
        };
        entry.kept = Some(kept.clone());
        self.put(key, entry, &mut forgotten);
        (kept, forgotten)
    }

    /// Notes that a request for a user has failed. `is_about_user` is true if other users may still get
    /// an answer. Only then an entry is made for a user without an answer.
    pub(super) fn failed(
        &mut self,
        key: AnswerKey,
        error: &FetchError,
        is_about_user: bool,
        now: Time,
    ) -> Vec<Arc<InUse>> {
        let mut forgotten = Vec::new();
        if !is_about_user && !self.entries.contains(&key) {
            return forgotten;
        }
        let mut entry = self.take(&key);
        let delay = entry.backoff.next(FIRST_DELAY, LONGEST_DELAY, &mut self.jitter);
        entry.failure = Some(Failure { error: error.clone(), retry_at: now.saturating_add(delay) });
        self.put(key, entry, &mut forgotten);
        forgotten
    }

    /// Notes a change that the server has announced: it is asked before an older answer is used.
    pub(super) fn changed(&mut self) {
        self.changes += 1;
        for (_, entry) in &mut self.entries {
            entry.failure = None;
            entry.backoff.reset();
        }
    }

    /// Notes that announcements may have been missed: answers up to now are refreshed when they are
    /// used.
    pub(super) fn doubt(&mut self, now: Time) {
        self.doubted = Some(now);
    }

    /// Returns the number of answers that are kept, and the length of their texts.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.entries.iter().filter(|(_, entry)| entry.kept.is_some()).count(), self.bytes)
    }

    /// Whether a kept answer stays in use although the server has sent another one.
    fn is_kept_before(&self, kept: &Kept, next: &InUse, now: Time) -> bool {
        let date = |in_use: &InUse| in_use.payload().date_updated().map(str::to_owned);
        now.saturating_sub(kept.at) < self.limits.hard_ttl
            && is_older(date(next).as_deref(), date(&kept.in_use).as_deref())
    }

    fn take(&mut self, key: &AnswerKey) -> Entry {
        let entry = self.entries.pop(key).unwrap_or_default();
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        entry
    }

    /// Puts an entry, and forgets others if there are too many. The new one always stays.
    fn put(&mut self, key: AnswerKey, entry: Entry, forgotten: &mut Vec<Arc<InUse>>) {
        self.bytes = self.bytes.saturating_add(entry.bytes);
        self.entries.put(key, entry);
        while self.entries.len() > 1
            && (self.entries.len() > self.limits.count || self.bytes > self.limits.bytes)
        {
            let Some((_, oldest)) = self.entries.pop_lru() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.bytes);
            forgotten.extend(oldest.kept.map(|kept| kept.in_use));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::error::FetchErrorKind;
    use crate::live::compile_answer;

    const SECOND: Duration = Duration::from_secs(1);

    fn answers() -> Answers {
        let options = RemoteOptions::new("sdk-1")
            .soft_ttl(10 * SECOND)
            .hard_ttl(100 * SECOND)
            .max_answers(NonZeroUsize::new(3).unwrap())
            .max_answer_bytes(1_000);
        Answers::new(&options, 1)
    }

    fn key(user: u8) -> AnswerKey {
        [user; 32]
    }

    fn answer(value: i64, date: &str) -> (Arc<InUse>, usize) {
        let text = format!(
            r#"{{"features":{{"flag":{{"defaultValue":{value}}}}},"dateUpdated":"{date}"}}"#
        );
        (Arc::new(compile_answer(text.as_bytes(), &Snapshot::empty()).unwrap()), text.len())
    }

    fn put(answers: &mut Answers, user: u8, value: i64, now: Time) {
        let changes = answers.changes();
        answers.answered(key(user), answer(value, ""), now, changes);
    }

    /// Describes what is found: `=` for a fresh answer, `~` for one that is refreshed meanwhile, `?`
    /// for one that waits for the server, `!` for one whose last request failed; and its value.
    fn found(answers: &mut Answers, user: u8, now: Time) -> String {
        let value = |kept: &Kept| {
            kept.in_use.snapshot().for_user(&"u".into()).feature_value("flag", -1).to_string()
        };
        let of = |kept: Option<Kept>| kept.as_ref().map_or_else(|| "none".into(), value);
        match answers.find(&key(user), now) {
            Found::Use { kept, refresh: false, error: None } => format!("={}", value(&kept)),
            Found::Use { kept, refresh: true, .. } => format!("~{}", value(&kept)),
            Found::Use { kept, error: Some(_), .. } => format!("=!{}", value(&kept)),
            Found::Ask { kept } => format!("?{}", of(kept)),
            Found::Failed { kept, .. } => format!("!{}", of(kept)),
        }
    }

    #[test]
    fn answer_is_fresh_then_stale_then_expired() {
        let mut answers = answers();
        assert_eq!(found(&mut answers, 1, SECOND), "?none");
        put(&mut answers, 1, 7, SECOND);
        for (second, expected) in [(1, "=7"), (10, "=7"), (11, "~7"), (100, "~7"), (101, "?7")] {
            assert_eq!(found(&mut answers, 1, second * SECOND), expected, "{second} s");
        }
        put(&mut answers, 1, 8, 101 * SECOND);
        assert_eq!(found(&mut answers, 1, 110 * SECOND), "=8");
    }

    #[test]
    fn announced_change_is_asked_for_before_an_answer_is_used() {
        let mut answers = answers();
        put(&mut answers, 1, 7, SECOND);
        let before = answers.changes();
        answers.changed();
        assert_eq!(found(&mut answers, 1, SECOND), "?7");
        // The request was sent before the announcement.
        answers.answered(key(1), answer(8, ""), 2 * SECOND, before);
        assert_eq!(found(&mut answers, 1, 2 * SECOND), "?8");
        put(&mut answers, 1, 9, 3 * SECOND);
        assert_eq!(found(&mut answers, 1, 3 * SECOND), "=9");
    }

    #[test]
    fn doubted_answer_is_refreshed_while_it_is_used() {
        let mut answers = answers();
        put(&mut answers, 1, 7, SECOND);
        answers.doubt(2 * SECOND);
        assert_eq!(found(&mut answers, 1, 2 * SECOND), "~7");
        put(&mut answers, 1, 8, 3 * SECOND);
        assert_eq!(found(&mut answers, 1, 3 * SECOND), "=8");
    }

    #[test]
    fn failure_keeps_the_answer_and_is_retried_later() {
        let mut answers = answers();
        let error = FetchErrorKind::Timeout.into();
        put(&mut answers, 1, 7, Time::ZERO);
        answers.failed(key(1), &error, false, 20 * SECOND);
        assert_eq!(found(&mut answers, 1, 20 * SECOND), "=!7");
        assert_eq!(found(&mut answers, 1, 22 * SECOND), "~7");
        answers.failed(key(1), &error, false, 100 * SECOND);
        assert_eq!(found(&mut answers, 1, 100 * SECOND), "!7");
        assert_eq!(found(&mut answers, 1, 102 * SECOND), "?7");
        answers.failed(key(1), &error, false, 102 * SECOND);
        answers.changed();
        assert_eq!(found(&mut answers, 1, 102 * SECOND), "?7");
        put(&mut answers, 1, 8, 103 * SECOND);
        assert_eq!(found(&mut answers, 1, 103 * SECOND), "=8");
    }

    #[test]
    fn only_failures_about_a_user_are_remembered_without_an_answer() {
        let mut answers = answers();
        answers.failed(key(1), &FetchErrorKind::Timeout.into(), false, SECOND);
        assert_eq!(found(&mut answers, 1, SECOND), "?none");
        let error = FetchErrorKind::Status { code: 400, unrecoverable: false }.into();
        answers.failed(key(1), &error, true, SECOND);
        assert_eq!(found(&mut answers, 1, SECOND), "!none");
        assert_eq!(found(&mut answers, 1, 3 * SECOND), "?none");
        assert_eq!(answers.size(), (0, 0));
    }

    #[test]
    fn least_recently_used_answers_are_forgotten() {
        let mut answers = answers();
        for user in 1..=3 {
            put(&mut answers, user, user.into(), SECOND);
        }
        assert_eq!(found(&mut answers, 1, SECOND), "=1");
        put(&mut answers, 4, 4, SECOND);
        let left = [1, 2, 3, 4].map(|user| found(&mut answers, user, SECOND));
        assert_eq!(left, ["=1", "?none", "=3", "=4"]);
        assert_eq!(answers.size().0, 3);
    }

    #[test]
    fn texts_are_bounded_together() {
        let mut answers = answers();
        let small = answer(1, "").1;
        put(&mut answers, 1, 1, SECOND);
        put(&mut answers, 2, 2, SECOND);
        assert_eq!(answers.size(), (2, 2 * small));
        let (large, _) = answer(3, "");
        let (_, forgotten) = answers.answered(key(3), (large, 5_000), SECOND, 0);
        assert_eq!((forgotten.len(), answers.size()), (2, (1, 5_000)));
        put(&mut answers, 3, 3, SECOND);
        assert_eq!(answers.size(), (1, small));
    }

    #[test]
    fn older_payload_does_not_replace_a_newer_one() {
        let mut answers = answers();
        let (newer, older) = ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z");
        let mut receive = |value, date, now| {
            answers.answered(key(1), answer(value, date), now, 0);
            found(&mut answers, 1, now)
        };
        assert_eq!(receive(1, newer, SECOND), "=1");
        assert_eq!(receive(2, older, 50 * SECOND), "=1");
        assert_eq!(receive(3, newer, 51 * SECOND), "=3");
        // The server insists.
        assert_eq!(receive(4, older, 160 * SECOND), "=4");
    }
}
