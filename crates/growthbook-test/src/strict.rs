//! Strict tests: they fail because of flags and attributes that do not exist.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use growthbook::Client;
use growthbook::tracking::{
    EventUser, ExperimentViewed, FeatureUsage, FlagProblem, Plugin, Subscription,
};
use growthbook_support::nearest;

use crate::attributes;

/// Fails a test if code asked for one of these:
///
/// - a flag that the payload does not have,
/// - a flag whose value has another type than the code asks for,
/// - an attribute of a user that neither the payload nor
///   [`allow_attributes`](Strict::allow_attributes) names.
///
/// It panics when it is dropped, or when [`check`](Strict::check) is called. The threads of the
/// application are not disturbed. It sees the scopes that are made after it.
///
/// [`Flags::strict`](crate::Flags::strict) and [`TestClient::strict`](crate::TestClient::strict) make
/// one. For any other client:
///
/// ```
/// use growthbook::Client;
/// use growthbook_test::Strict;
///
/// let client = Client::from_json(r#"{"features": {"checkout": {"defaultValue": true}}}"#)?;
/// let strict = Strict::new(&client);
/// client.for_user("user-1").is_on("checkout");
/// strict.check();
/// # Ok::<(), growthbook::PayloadError>(())
/// ```
pub struct Strict {
    client: Client,
    seen: Seen,
    /// Ends the plugin.
    _subscription: Subscription,
}

/// The findings of the client's evaluations.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Names>>);

#[derive(Default)]
struct Names {
    /// The texts of the problems with flags.
    problems: BTreeSet<String>,
    attributes: BTreeSet<String>,
    allowed: BTreeSet<String>,
}

impl Strict {
    /// Watches a client.
    pub fn new(client: &Client) -> Self {
        let seen = Seen::default();
        let subscription = client.subscribe(seen.clone());
        Strict { client: client.clone(), seen, _subscription: subscription }
    }

    /// Names attributes that the application sets, and that the payload does not use.
    pub fn allow_attributes<'n>(&self, names: impl IntoIterator<Item = &'n str>) {
        self.seen.lock().allowed.extend(names.into_iter().map(str::to_owned));
    }

    /// Returns the problems so far, one text for each. Forgets them, so that the next call returns
    /// later ones only.
    pub fn take_problems(&self) -> Vec<String> {
        let mut seen = self.seen.lock();
        let attributes = std::mem::take(&mut seen.attributes);
        let mut known = attributes::names_in(&self.client.payload().to_json_string());
        known.extend(seen.allowed.iter().cloned());
        let unknown = attributes.iter().filter(|name| !known.contains(*name));
        let unknown: Vec<String> = unknown
            .map(|name| {
                let near = nearest(name, known.iter().map(String::as_str));
                let meant = near.map(|near| format!("did you mean {near:?}? ")).unwrap_or_default();
                format!(
                    "attribute {name:?} is not used by the payload: {meant}If the application sets \
                     it for other flags, name it with allow_attributes"
                )
            })
            .collect();
        std::mem::take(&mut seen.problems).into_iter().chain(unknown).collect()
    }

    /// Panics if there are problems, with all of them.
    ///
    /// # Panics
    ///
    /// If there are problems.
    #[track_caller]
    pub fn check(&self) {
        let problems = self.take_problems();
        if !problems.is_empty() {
            let mut text = String::from(
                "the code uses flags or attributes that do not exist, or with another type:",
            );
            for problem in problems {
                // Writing to a string cannot fail.
                let _ = write!(text, "\n  {problem}");
            }
            panic!("{text}");
        }
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        // A second panic would end the whole test program.
        if !thread::panicking() {
            self.check();
        }
    }
}

impl fmt::Debug for Strict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = self.seen.lock();
        formatter.debug_struct("Strict").field("problems", &seen.problems).finish_non_exhaustive()
    }
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn user(&self, user: &EventUser<'_>) {
        let attributes = user.attributes();
        self.lock().attributes.extend(attributes.iter().map(|(name, _)| name.to_owned()));
    }
}

impl Plugin for Seen {
    fn name(&self) -> &str {
        "strict"
    }

    fn wants_flag_problems(&self) -> bool {
        true
    }

    fn flag_problem(&self, problem: &FlagProblem<'_>) {
        let text = problem.to_string();
        self.lock().problems.insert(text);
    }

    fn wants_feature_usage(&self) -> bool {
        true
    }

    fn wants_overrides(&self) -> bool {
        true
    }

    fn feature_usage(&self, usage: &FeatureUsage<'_>) {
        self.user(&usage.user);
    }

    fn wants_results(&self) -> bool {
        true
    }

    fn result(&self, result: &ExperimentViewed<'_>) {
        self.user(&result.user);
    }
}
