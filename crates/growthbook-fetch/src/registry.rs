//! The sources of this process, by host and key, and the threads that act for them.

use std::collections::HashMap;
use std::io;
use std::process;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::http::{Settings, SourceId};
use crate::pool::Pool;
use crate::schedule::Plan;
use crate::source::{Document, Member, MemberId, Source};

/// The sources of one process. After a fork the child has a registry of its own. The parent's
/// registry may be locked forever by a thread that does not exist in the child, and its pool has no
/// thread there.
struct Registry {
    process: u32,
    pool: Arc<Pool>,
    sources: Mutex<HashMap<SourceId, Weak<Source>>>,
}

static REGISTRY: LazyLock<ArcSwap<Registry>> =
    LazyLock::new(|| ArcSwap::from_pointee(Registry::new()));

impl Registry {
    fn new() -> Self {
        Registry { process: process::id(), pool: Arc::new(Pool::new()), sources: Mutex::default() }
    }

    fn current() -> Arc<Registry> {
        let found = REGISTRY.load_full();
        if found.process == process::id() {
            return found;
        }
        REGISTRY.compare_and_swap(&found, Arc::new(Registry::new()));
        // This one, or the one of a thread that was faster.
        let ours = REGISTRY.load_full();
        // Dropping the parent's registry could wait forever for one of its locks.
        core::mem::forget(found);
        ours
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SourceId, Weak<Source>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Joins the source of these settings, or creates it.
pub(crate) fn join(
    settings: &Settings,
    cached: Option<Arc<Document>>,
    member: &Arc<Member>,
    plan: Plan,
    ttl: Duration,
) -> io::Result<(Arc<Source>, MemberId)> {
    let registry = Registry::current();
    let mut sources = registry.lock();
    if let Some(source) = sources.get(&settings.id).and_then(Weak::upgrade)
        && let Some(id) = source.join(member.clone(), plan, settings.limits, ttl)?
    {
        return Ok((source, id));
    }
    let pool = if settings.has_own_threads { Arc::new(Pool::new()) } else { registry.pool.clone() };
    let source = Source::new(settings, cached, pool);
    let stopped = || io::Error::other("stopped");
    let id = source.join(member.clone(), plan, settings.limits, ttl)?.ok_or_else(stopped)?;
    sources.insert(settings.id.clone(), Arc::downgrade(&source));
    Ok((source, id))
}

/// Forgets the sources without members.
pub(crate) fn forget_stopped() {
    Registry::current()
        .lock()
        .retain(|_, source| source.upgrade().is_some_and(|source| !source.is_stopped()));
}
