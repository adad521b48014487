//! What a cache and its clones remember of each payload.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use growthbook_core::cache::PayloadKey;

use crate::document::digest;
use growthbook_support::ForkSafeMutex;

/// The memory of a cache and its clones. It saves work only: the cache works without it.
#[derive(Default)]
pub(crate) struct Memory(ForkSafeMutex<HashMap<PayloadKey, Remembered>>);

#[derive(Default)]
struct Remembered {
    /// The document that was last put or got, and its digest.
    last: Option<(Arc<str>, String)>,
    /// When this process acquired the lease, while it holds it.
    lease_began: Option<Instant>,
}

impl Memory {
    /// Returns the document's digest. Computes it once for each document.
    pub(crate) fn digest(&self, key: &PayloadKey, document: &Arc<str>) -> String {
        let known = self.with(key, |remembered| match &remembered.last {
            Some((last, digest)) if Arc::ptr_eq(last, document) => Some(digest.clone()),
            _ => None,
        });
        known.flatten().unwrap_or_else(|| {
            let digest = digest(document);
            let last = Some((document.clone(), digest.clone()));
            self.with(key, |remembered| remembered.last = last);
            digest
        })
    }

    /// Whether the document that was last put or got has this digest.
    pub(crate) fn last_digest_is(&self, key: &PayloadKey, digest: &str) -> bool {
        let is_last = self
            .with(key, |remembered| remembered.last.as_ref().is_some_and(|last| last.1 == digest));
        is_last.unwrap_or(false)
    }

    /// Records that this process acquired the lease now.
    pub(crate) fn begin_lease(&self, key: &PayloadKey) {
        self.with(key, |remembered| remembered.lease_began = Some(Instant::now()));
    }

    /// Forgets the lease. Returns how long ago this process acquired it; `None` if it did not.
    pub(crate) fn end_lease(&self, key: &PayloadKey) -> Option<Duration> {
        let began = self.with(key, |remembered| remembered.lease_began.take()).flatten();
        began.map(|began| began.elapsed())
    }

    fn with<T>(&self, key: &PayloadKey, act: impl FnOnce(&mut Remembered) -> T) -> Option<T> {
        Some(act(self.0.lock().ok()?.entry(key.clone()).or_default()))
    }
}
