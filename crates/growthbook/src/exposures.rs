//! Which exposures were reported: each is told once.

use core::hash::{BuildHasher, Hash, Hasher};
use core::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use foldhash::quality::RandomState;
use growthbook_core::HashValue;
use growthbook_core::observe::Exposure;
use lru::LruCache;

/// How many exposures are remembered, unless set otherwise with
/// [`ClientBuilder::exposure_cache_size`](crate::ClientBuilder::exposure_cache_size). Each takes
/// less than 100 bytes.
pub const DEFAULT_EXPOSURE_CACHE_SIZE: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The exposures already reported, up to a bound: the least recently seen is forgotten first and
/// may be reported again.
pub(crate) struct Exposures {
    /// Two keyed hashes of 64 bits: different exposures are told apart by 128 bits.
    hashers: (RandomState, RandomState),
    /// Divided by the first hash, so that threads seldom wait for one another.
    parts: Box<[Mutex<LruCache<Identity, ()>>]>,
}

type Identity = (u64, u64);

/// How many parts there are, where each can be of some size.
const PARTS: NonZeroUsize = NonZeroUsize::new(16).unwrap();
/// The bound below which there is one part: a few exposures are forgotten strictly in turn.
const LEAST_DIVIDED: usize = 1_024;

impl Exposures {
    pub(crate) fn new(bound: NonZeroUsize) -> Self {
        let parts = if bound.get() < LEAST_DIVIDED { NonZeroUsize::MIN } else { PARTS };
        let size = bound.get().div_ceil(parts.get());
        let size = NonZeroUsize::new(size).unwrap_or(bound);
        // Sparse: a bound nobody reaches costs nothing, however large.
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

/// The exposure's identity is the tuple of attribute, value, experiment and variation; strings
/// are hashed with their ends, so that neighbours cannot run into each other.
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
