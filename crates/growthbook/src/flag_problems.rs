//! Flag problems: code asks for a flag that is unknown, or for another type. Each is logged once, and
//! plugins receive all.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use growthbook_core::event::{FlagProblem, FlagProblemKind};
use growthbook_core::{PayloadSource, ValueError};
use growthbook_fetch::InUse;
use growthbook_support::{Level, is_logged, nearest};

use crate::listeners::Listeners;
use crate::state::State;

/// The number of flags whose problems a client can remember.
const REMEMBERED: usize = 1_024;
/// The number of places where a flag may be remembered. When all are taken, it is not logged.
const PLACES: usize = 16;

/// Reports that code asked for a flag that is unknown, or for another type. The plugins of the client
/// and of the scope receive each problem. The log has the first one of each kind and flag as a
/// warning.
///
/// A flag may be missing for as long as the client has no payload, or only a fallback. This is not
/// reported. `expected` is the type that the code asked for.
#[cold]
#[inline(never)]
pub(crate) fn report(
    in_use: &InUse<State>,
    scope: Option<&Listeners>,
    key: &str,
    error: ValueError<'_>,
    expected: &'static str,
) {
    let state = in_use.data();
    let listeners = [Some(&*state.listeners), scope];
    let listeners = || listeners.into_iter().flatten();
    let is_wanted = listeners().any(|listeners| listeners.wants().flag_problems);
    let has_payload = in_use.source().is_some_and(|source| source != PayloadSource::Fallback);
    if !has_payload || !(is_wanted || is_logged(Level::Warn)) {
        return;
    }
    let is_unknown = error == ValueError::UnknownFeature;
    let effects = &state.effects;
    let is_new = is_logged(Level::Warn)
        && effects.logged_flags.is_new(effects.identities.of_value(&(key, is_unknown)));
    if !(is_new || is_wanted || is_logged(Level::Debug)) {
        return;
    }
    let kind = match error {
        ValueError::UnknownFeature => FlagProblemKind::UnknownFeature {
            // Only the first time, because it reads all keys.
            nearest: (is_new || is_wanted)
                .then(|| nearest(key, in_use.snapshot().feature_keys()))
                .flatten(),
        },
        ValueError::WrongType(value) => FlagProblemKind::WrongType { expected, value },
        // The feature has no value for this user. That is not a mistake of the code.
        _ => return,
    };
    let problem = FlagProblem::new(key, kind);
    let level = if is_new { Level::Warn } else { Level::Debug };
    growthbook_support::log!(level, "{problem}");
    for listeners in listeners() {
        listeners.notify(|it| it.flag_problems, |plugin| plugin.flag_problem(&problem));
    }
}

/// The flags whose problems a client has logged. It takes no lock, and at most 8 KiB.
#[derive(Default)]
pub(crate) struct LoggedFlags(OnceLock<Box<[AtomicU64]>>);

impl LoggedFlags {
    /// Whether the flag is not remembered yet. It is remembered from then on. The hash identifies
    /// the flag and its problem.
    fn is_new(&self, hash: u64) -> bool {
        // 0 is an empty place.
        let hash = hash.max(1);
        let table = self.0.get_or_init(|| (0..REMEMBERED).map(|_| AtomicU64::new(0)).collect());
        let start = usize::try_from(hash % REMEMBERED as u64).unwrap_or_default();
        for place in table.iter().cycle().skip(start).take(PLACES) {
            match place.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(found) if found == hash => return false,
                Err(_) => {}
            }
        }
        false
    }
}
