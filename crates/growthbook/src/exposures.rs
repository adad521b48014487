//! The exposures that were reported, so that each is reported once.

use core::hash::{BuildHasher, Hash, Hasher};
use core::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use foldhash::quality::RandomState;
use growthbook_core::HashValue;
use growthbook_core::observe::Exposure;
use lru::LruCache;

/// Default of [`ClientBuilder::exposure_cache_size`](crate::ClientBuilder::exposure_cache_size). An
/// exposure takes less than 100 bytes.
pub const DEFAULT_EXPOSURE_CACHE_SIZE: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The exposures that were reported, up to a bound. The least recently seen one is forgotten first,
/// and may be reported again.
pub(crate) struct Exposures {
    /// Two keyed hashes of 64 bits, so that 128 bits identify an exposure.
    hashers: (RandomState, RandomState),
    /// Chosen by the first hash, so that threads seldom wait for one another.
    parts: Box<[Mutex<LruCache<Identity, ()>>]>,
}

type Identity = (u64, u64);

/// The number of parts, unless the bound is small.
const PARTS: NonZeroUsize = NonZeroUsize::new(16).unwrap();
/// Below this bound there is one part, so that few exposures are forgotten strictly in order.
const LEAST_DIVIDED: usize = 1_024;

impl Exposures {
    pub(crate) fn new(bound: NonZeroUsize) -> Self {
        let parts = if bound.get() < LEAST_DIVIDED { NonZeroUsize::MIN } else { PARTS };
        let size = bound.get().div_ceil(parts.get());
        let size = NonZeroUsize::new(size).unwrap_or(bound);
        // Sparse, so that a large bound takes no memory until it is used.
        let part = || Mutex::new(LruCache::sparse(size));
        Exposures {
            hashers: (RandomState::default(), RandomState::default()),
            parts: (0..parts.get()).map(|_| part()).collect(),
        }
    }

    pub(crate) fn is_new(&self, exposure: &Exposure<'_>) -> bool {
        let identity = (identity(&self.hashers.0, exposure), identity(&self.hashers.1, exposure));
        let index = identity.0 % self.parts.len() as u64;
        let part = usize::try_from(index).ok().and_then(|index| self.parts.get(index));
        part.is_some_and(|part| {
            let mut seen = part.lock().unwrap_or_else(PoisonError::into_inner);
            seen.put(identity, ()).is_none()
        })
    }
}

/// Hashes the identity of an exposure: attribute, value, experiment and variation. The hash of a
/// string includes its end, so that two strings cannot be confused with two others.
fn identity(state: &RandomState, exposure: &Exposure<'_>) -> u64 {
    let mut hasher = state.build_hasher();
    exposure.result.hash_attribute.hash(&mut hasher);
    match exposure.result.hash_value {
        HashValue::Missing => 0_u8.hash(&mut hasher),
        HashValue::String(text) => text.hash(&mut hasher),
        HashValue::Number(number) => number.as_f64().to_bits().hash(&mut hasher),
    }
    exposure.experiment.key().hash(&mut hasher);
    exposure.result.variation_id.hash(&mut hasher);
    hasher.finish()
}
