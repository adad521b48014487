//! The memory of what was reported before: policies, and the identities of exposures.

use core::hash::{BuildHasher, Hash, Hasher};
use core::num::NonZeroUsize;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use growthbook_core::HashValue;
use growthbook_core::cache::UnixMillis;
use growthbook_core::observe::Exposure;
use lru::LruCache;

/// The number of exposures that a client remembers by default. An exposure takes less than 100
/// bytes.
pub const DEFAULT_EXPOSURE_CACHE_SIZE: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Which exposures of a client are reported, see
/// [`ClientBuilder::deduplicate_exposures`](crate::ClientBuilder::deduplicate_exposures).
///
/// Two exposures are the same if they agree in hash attribute, value, experiment, phase and
/// variation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExposureDeduplication {
    /// Every exposure.
    Off,
    /// An exposure that is not among this many of the last seen ones.
    Lru(NonZeroUsize),
    /// The same, and an exposure that was last reported this long ago. It needs a
    /// [clock](crate::ClientBuilder::clock).
    LruTtl(NonZeroUsize, Duration),
    /// The first one of each user scope.
    PerScope,
}

/// `Lru` with [`DEFAULT_EXPOSURE_CACHE_SIZE`].
impl Default for ExposureDeduplication {
    fn default() -> Self {
        ExposureDeduplication::Lru(DEFAULT_EXPOSURE_CACHE_SIZE)
    }
}

/// Which feature usage is reported, see
/// [`ClientBuilder::deduplicate_feature_usage`](crate::ClientBuilder::deduplicate_feature_usage).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsageDeduplication {
    /// Every evaluation of a feature. A prerequisite that several features share is reported once
    /// for each evaluation.
    #[default]
    Off,
    /// The first evaluation of each feature in a user scope, and one with another value than the
    /// last, as in the JavaScript SDK.
    PerScope,
}

/// Two keyed hashes of 64 bits, so that 128 bits identify an exposure.
pub(crate) type Identity = (u64, u64);

/// Computes identities.
#[derive(Default)]
pub(crate) struct Identities(RandomState, RandomState);

impl Identities {
    pub(crate) fn of_exposure(&self, exposure: &Exposure<'_>) -> Identity {
        self.of(|hasher| {
            hash_user(exposure, hasher);
            exposure.experiment.phase().hash(hasher);
            exposure.result.variation_id.hash(hasher);
        })
    }

    /// Identifies the user and the experiment.
    pub(crate) fn of_result(&self, exposure: &Exposure<'_>) -> Identity {
        self.of(|hasher| hash_user(exposure, hasher))
    }

    pub(crate) fn of_value(&self, value: &(impl Hash + ?Sized)) -> u64 {
        self.0.hash_one(value)
    }

    fn of(&self, write: impl Fn(&mut <RandomState as BuildHasher>::Hasher)) -> Identity {
        let hash = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            write(&mut hasher);
            hasher.finish()
        };
        (hash(&self.0), hash(&self.1))
    }
}

/// Hashes attribute, value and experiment. The hash of a string includes its end, so that two
/// strings cannot be confused with two others.
fn hash_user(exposure: &Exposure<'_>, hasher: &mut impl Hasher) {
    exposure.result.hash_attribute.hash(hasher);
    match exposure.result.hash_value {
        HashValue::Missing => 0_u8.hash(hasher),
        HashValue::String(text) => text.hash(hasher),
        HashValue::Number(number) => number.as_f64().to_bits().hash(hasher),
    }
    exposure.experiment.key().hash(hasher);
}

/// A value for each identity, up to a bound. The least recently used one is forgotten first.
pub(crate) struct Memory<V> {
    /// Chosen by the first hash, so that threads seldom wait for one another.
    parts: Box<[Mutex<LruCache<Identity, V>>]>,
}

/// The number of parts, unless the bound is small.
const PARTS: NonZeroUsize = NonZeroUsize::new(16).unwrap();
/// Below this bound there is one part, so that few exposures are forgotten strictly in order.
const LEAST_DIVIDED: usize = 1_024;

impl<V: Copy> Memory<V> {
    pub(crate) fn new(bound: NonZeroUsize) -> Self {
        let parts = if bound.get() < LEAST_DIVIDED { NonZeroUsize::MIN } else { PARTS };
        let size = bound.get().div_ceil(parts.get());
        let size = NonZeroUsize::new(size).unwrap_or(bound);
        // Sparse, so that a large bound takes no memory until it is used.
        let part = || Mutex::new(LruCache::sparse(size));
        Memory { parts: (0..parts.get()).map(|_| part()).collect() }
    }

    /// Decides with the value of an identity. If the decision is true, the new value replaces it.
    pub(crate) fn update(
        &self,
        identity: Identity,
        value: V,
        decide: impl FnOnce(Option<V>) -> bool,
    ) -> bool {
        let index = identity.0 % self.parts.len() as u64;
        let part = usize::try_from(index).ok().and_then(|index| self.parts.get(index));
        part.is_some_and(|part| {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            let found = part.get_mut(&identity);
            let is_new = decide(found.as_deref().copied());
            if is_new {
                match found {
                    Some(found) => *found = value,
                    None => drop(part.put(identity, value)),
                }
            }
            is_new
        })
    }
}

/// The exposures that a client has reported.
pub(crate) struct Exposures {
    policy: ExposureDeduplication,
    /// When each was reported. It takes memory once there is an exposure.
    reported: OnceLock<Memory<UnixMillis>>,
}

impl Exposures {
    pub(crate) fn new(policy: ExposureDeduplication) -> Self {
        Exposures { policy, reported: OnceLock::new() }
    }

    pub(crate) fn is_per_scope(&self) -> bool {
        self.policy == ExposureDeduplication::PerScope
    }

    /// Whether an exposure is to be reported. It is remembered.
    pub(crate) fn is_new(&self, identity: Identity, now: impl Fn() -> UnixMillis) -> bool {
        use ExposureDeduplication::{Lru, LruTtl, Off, PerScope};
        let reported = |bound| self.reported.get_or_init(|| Memory::new(bound));
        match self.policy {
            Off | PerScope => true,
            Lru(bound) => reported(bound).update(identity, 0, |before| before.is_none()),
            LruTtl(bound, ttl) => {
                let now = now();
                reported(bound).update(identity, now, |before| {
                    // A clock that was set back counts as expired.
                    let age = before.map(|before| now.checked_sub(before));
                    age.is_none_or(|age| age.is_none_or(|age| u128::from(age) >= ttl.as_millis()))
                })
            }
        }
    }
}
