//! Names of features: keys, and handles that find a feature without hashing its key.

use alloc::{borrow::Cow, boxed::Box, string::String};
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::feature_index::FeatureIndex;
use crate::snapshot::Snapshot;

/// A name of a feature: a text, a [`FeatureKey`], or a type of yours, such as an `enum` of all your
/// flags.
pub trait FeatureName {
    /// Returns the feature's key.
    fn key(&self) -> &str;

    /// Returns the handle that remembers where the feature is, if there is one. It must have the
    /// same key.
    fn handle(&self) -> Option<&FeatureKey> {
        None
    }
}

/// A feature's key that remembers where its feature was found, for the hottest call sites. A lookup
/// compares the key once, and does not hash it.
///
/// One handle serves every payload: if another payload has the feature elsewhere, the handle looks
/// it up again. It is best a `static`.
///
/// ```
/// use growthbook_core::{FeatureKey, Payload, UserContext};
///
/// static CHECKOUT: FeatureKey = FeatureKey::new("new-checkout");
///
/// let snapshot = Payload::from_json(
///     r#"{"features": {"new-checkout": {"defaultValue": true}}}"#,
/// )?.compile();
/// let user = UserContext::new("user-1");
/// assert!(snapshot.for_user(&user).is_on(&CHECKOUT));
/// # Ok::<(), growthbook_core::PayloadError>(())
/// ```
pub struct FeatureKey {
    key: Cow<'static, str>,
    /// The index in the snapshot where it was found last. It is a guess that every use checks.
    place: AtomicU32,
}

impl FeatureKey {
    /// Makes a handle on the feature with this key.
    pub const fn new(key: &'static str) -> Self {
        FeatureKey { key: Cow::Borrowed(key), place: AtomicU32::new(0) }
    }

    #[inline(never)]
    fn find_in(&self, snapshot: &Snapshot) -> Option<FeatureIndex> {
        // Relaxed is enough, since the guess is checked.
        let guess = FeatureIndex(self.place.load(Ordering::Relaxed));
        if snapshot.feature(guess).is_some_and(|(key, _)| *key == *self.key) {
            return Some(guess);
        }
        let found = snapshot.features.find(&self.key)?;
        self.place.store(found.0, Ordering::Relaxed);
        Some(found)
    }
}

/// Makes a handle on a key that is known only at run time.
impl From<String> for FeatureKey {
    fn from(key: String) -> Self {
        FeatureKey { key: Cow::Owned(key), place: AtomicU32::new(0) }
    }
}

impl fmt::Debug for FeatureKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("FeatureKey").field(&self.key).finish()
    }
}

impl fmt::Display for FeatureKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.key)
    }
}

impl FeatureName for FeatureKey {
    fn key(&self) -> &str {
        &self.key
    }

    fn handle(&self) -> Option<&FeatureKey> {
        Some(self)
    }
}

macro_rules! texts {
    ($($text:ty),+) => {$(
        impl FeatureName for $text {
            fn key(&self) -> &str {
                self
            }
        }
    )+};
}
texts!(str, String, Box<str>, Cow<'_, str>);

impl<N: FeatureName + ?Sized> FeatureName for &N {
    fn key(&self) -> &str {
        (**self).key()
    }

    fn handle(&self) -> Option<&FeatureKey> {
        (**self).handle()
    }
}

impl Snapshot {
    #[inline]
    pub(crate) fn find(&self, key: &str, handle: Option<&FeatureKey>) -> Option<FeatureIndex> {
        match handle {
            Some(handle) => handle.find_in(self),
            None => self.features.find(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::{Payload, UserContext};

    fn snapshot(keys: &[&str]) -> Snapshot {
        let features: alloc::vec::Vec<String> =
            keys.iter().map(|key| format!(r#""{key}":{{"defaultValue":"{key}"}}"#)).collect();
        Payload::from_json(format!(r#"{{"features":{{{}}}}}"#, features.join(",")))
            .unwrap()
            .compile()
    }

    #[test]
    fn a_handle_finds_its_feature_in_every_payload() {
        static KEY: FeatureKey = FeatureKey::new("c");
        let payloads: [&[&str]; 6] =
            [&["a", "b", "c"], &["c", "b", "a"], &["a", "b"], &[], &["b", "c"], &["c"]];
        let user = UserContext::new("user-1");
        for keys in payloads {
            let snapshot = snapshot(keys);
            let gb = snapshot.for_user(&user);
            for _ in 0..2 {
                let expected = if keys.contains(&"c") { "c" } else { "none" };
                assert_eq!(gb.feature_value(&KEY, "none"), expected, "{keys:?}");
                assert_eq!(gb.feature_value("c", "none"), expected, "{keys:?}");
            }
        }
    }

    #[test]
    fn every_kind_of_name_finds_its_feature() {
        enum Flag {
            Checkout,
        }
        impl FeatureName for Flag {
            fn key(&self) -> &str {
                match self {
                    Flag::Checkout => "checkout",
                }
            }
        }
        let (snapshot, user) = (snapshot(&["checkout"]), UserContext::default());
        let gb = snapshot.for_user(&user);
        let owned = String::from("checkout");
        assert!(gb.is_on("checkout") && gb.is_on(&owned) && gb.is_on(&Flag::Checkout));
        assert!(gb.is_on(&FeatureKey::from(owned)));
    }
}
