//! Flag problems: code asks for a flag that is unknown, or for another type. Each is logged once, and
//! plugins receive all.

use growthbook_core::event::{FlagProblem, FlagProblemKind};
use growthbook_core::{PayloadSource, ValueError};
use growthbook_fetch::InUse;
use growthbook_support::{Level, is_logged, nearest};

use crate::listeners::Listeners;
use crate::state::State;

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
    if error == ValueError::NoValue {
        // The feature has no value for this user. That is not a mistake of the code.
        return;
    }
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
            // It reads all keys, so only for the log and for plugins that want problems.
            nearest: (is_new || is_wanted)
                .then(|| nearest(key, in_use.snapshot().feature_keys()))
                .flatten(),
        },
        ValueError::WrongType(value) => FlagProblemKind::WrongType { expected, value },
        _ => return,
    };
    let problem = FlagProblem::new(key, kind);
    let level = if is_new { Level::Warn } else { Level::Debug };
    growthbook_support::log!(level, "{problem}");
    for listeners in listeners() {
        listeners.notify(|it| it.flag_problems, |plugin| plugin.flag_problem(&problem));
    }
}
