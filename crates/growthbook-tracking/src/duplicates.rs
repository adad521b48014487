//! The events that were sent recently, so that a repetition is dropped.

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::num::NonZeroUsize;

use foldhash::quality::{FoldHasher, RandomState};
use growthbook_core::AttributeValue;
use growthbook_core::event::{EventUser, ExperimentViewed, FeatureUsage};
use growthbook_support::ForkSafeMutex;
use lru::LruCache;
use serde::Serialize;

/// Remembers events, up to a bound. The least recently repeated one is forgotten first, and may be
/// sent again.
///
/// An event is identified by its content. For feature usage that includes all attributes of the
/// user, since such an event does not say whose it is.
pub(crate) struct Duplicates {
    states: [RandomState; 2],
    seen: ForkSafeMutex<LruCache<Identity, ()>>,
    /// Attributes that are part of every identity. If there are some, no others count.
    key_attributes: Box<[Box<str>]>,
}

/// The identity of an event: two keyed hashes of 64 bits.
pub(crate) type Identity = [u64; 2];

impl Duplicates {
    pub(crate) fn new(size: NonZeroUsize, key_attributes: &[Box<str>]) -> Self {
        Duplicates {
            states: [RandomState::default(), RandomState::default()],
            // Sparse, so that a large bound takes no memory until it is used.
            seen: ForkSafeMutex::new(LruCache::sparse(size)),
            key_attributes: key_attributes.into(),
        }
    }

    /// Returns the identity of an exposure.
    pub(crate) fn exposure(&self, viewed: &ExperimentViewed<'_>) -> Identity {
        self.identity(|event| {
            event.add("Experiment Viewed");
            event.add(viewed.experiment.key());
            event.add(&viewed.experiment.phase());
            event.add(viewed.result.key);
            event.add(viewed.result.hash_attribute);
            event.add(&*viewed.hash_value_text());
            self.add_key_attributes(event, &viewed.user);
        })
    }

    /// Returns the identity of feature usage.
    pub(crate) fn usage(&self, usage: &FeatureUsage<'_>) -> Identity {
        self.identity(|event| {
            event.add("Feature Evaluated");
            event.add(usage.key);
            event.add(usage.result.source.as_str());
            event.add(usage.result.value());
            event.add(usage.event_rule_id());
            event.add(&usage.variation_key());
            if self.key_attributes.is_empty() {
                event.add(&usage.user.attributes());
            } else {
                self.add_key_attributes(event, &usage.user);
            }
        })
    }

    /// Whether the event is remembered. A lock that stays held after a fork makes every event new.
    pub(crate) fn contains(&self, identity: Identity) -> bool {
        self.seen.lock().is_ok_and(|mut seen| seen.get(&identity).is_some())
    }

    pub(crate) fn insert(&self, identity: Identity) {
        if let Ok(mut seen) = self.seen.lock() {
            seen.put(identity, ());
        }
    }

    fn identity(&self, describe: impl FnOnce(&mut Description<'_>)) -> Identity {
        let mut description = Description(self.states.each_ref().map(|state| state.build_hasher()));
        describe(&mut description);
        description.0.map(|hasher| hasher.finish())
    }

    fn add_key_attributes(&self, description: &mut Description<'_>, user: &EventUser<'_>) {
        for name in &self.key_attributes {
            description.add(&user.attribute(name).map(AttributeValue::from));
        }
    }
}

impl fmt::Debug for Duplicates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Duplicates").finish_non_exhaustive()
    }
}

/// The hashes of the parts of an event.
struct Description<'s>([FoldHasher<'s>; 2]);

impl Description<'_> {
    /// Adds a part as JSON text. A line break follows, which JSON text does not contain, so that two
    /// parts cannot be confused with two others.
    fn add(&mut self, part: &(impl Serialize + ?Sized)) {
        // Hashing cannot fail, and all keys are strings.
        let _ = serde_json::to_writer(&mut *self, part);
        let _ = io::Write::write(self, b"\n");
    }
}

impl io::Write for Description<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.iter_mut().for_each(|hasher| hasher.write(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use growthbook_core::observe::{Exposure, Observer};
    use growthbook_core::{FeatureResult, GlobalContext, Payload, UserContext};

    use super::*;

    /// Collects the identities of all events of an evaluation.
    struct Collector<'a> {
        duplicates: &'a Duplicates,
        user: EventUser<'a>,
        found: Vec<Identity>,
    }

    impl Observer for Collector<'_> {
        fn experiment_viewed(&mut self, exposure: &Exposure<'_>) {
            let viewed = ExperimentViewed::new(exposure, self.user, 0);
            self.found.push(self.duplicates.exposure(&viewed));
        }

        fn feature_usage(&mut self, key: &str, result: &FeatureResult<'_>) {
            let usage = FeatureUsage::new(key, result, self.user, 0);
            self.found.push(self.duplicates.usage(&usage));
        }
    }

    const PAYLOAD: &str = r#"{"features": {
        "force": {"defaultValue": 1},
        "exp": {"rules": [{"key": "exp", "variations": [0, 1], "phase": "PHASE"}]}
    }}"#;

    fn identities(duplicates: &Duplicates, user: &UserContext, phase: &str) -> Vec<Identity> {
        let globals = GlobalContext::new();
        let snapshot = Payload::from_json(PAYLOAD.replace("PHASE", phase)).unwrap().compile();
        let user_of_event = EventUser::new(user).with_globals(&globals);
        let mut collector = Collector { duplicates, user: user_of_event, found: Vec::new() };
        let mut evaluator = snapshot.for_user(user).observed(&mut collector);
        evaluator.is_on("force");
        evaluator.is_on("exp");
        collector.found
    }

    fn duplicates(key_attributes: &[&str]) -> Duplicates {
        let names: Vec<Box<str>> = key_attributes.iter().map(|name| (*name).into()).collect();
        Duplicates::new(NonZeroUsize::new(2).unwrap(), &names)
    }

    /// Whether the usages and the exposure of two users are the same events.
    fn are_same(key_attributes: &[&str], a: &UserContext, b: &UserContext) -> [bool; 3] {
        let duplicates = duplicates(key_attributes);
        let [a, b] = [a, b].map(|user| identities(&duplicates, user, "1"));
        [0, 1, 2].map(|event| a[event] == b[event])
    }

    #[test]
    fn usage_depends_on_all_attributes_unless_some_are_named() {
        let user = UserContext::new("u1").attribute("country", "US");
        let other = user.clone().attribute("country", "CA");
        assert_eq!(are_same(&[], &user, &user.clone()), [true; 3]);
        // The order is: usage of "force", exposure, usage of "exp".
        assert_eq!(are_same(&[], &user, &other), [false, true, false]);
        assert_eq!(are_same(&["id"], &user, &other), [true; 3]);
        assert_eq!(are_same(&["country"], &user, &other), [false; 3]);
    }

    #[test]
    fn exposure_depends_on_hash_value_and_phase() {
        let [one, two] = ["u1", "u2"].map(UserContext::new);
        assert_eq!(are_same(&[], &one, &two), [false; 3]);
        let duplicates = duplicates(&[]);
        let exposure = |phase| identities(&duplicates, &one, phase)[1];
        assert_ne!(exposure("1"), exposure("2"));
    }

    #[test]
    fn least_recently_repeated_event_is_forgotten() {
        let duplicates = duplicates(&[]);
        for event in [[1, 1], [2, 2]] {
            duplicates.insert(event);
        }
        assert!(duplicates.contains([1, 1]));
        duplicates.insert([3, 3]);
        assert!(duplicates.contains([1, 1]) && !duplicates.contains([2, 2]));
    }
}
