//! The nodes of a cluster that fail: one thread at a time tries them.

use std::collections::HashMap;
use std::process;
use std::sync::Arc;

use crate::ForkSafeMutex;

/// A host and a port.
pub(super) type Address = (String, u16);

/// The nodes that failed last time. A thread may need seconds to find out that a node hangs. So only
/// one thread at a time tries a failing node, and the others stay free for the other nodes.
#[derive(Default)]
pub(super) struct Failing(ForkSafeMutex<HashMap<Address, Option<u32>>>);

/// The right to try a node. Ends when it is dropped.
pub(super) struct Attempt {
    failing: Arc<Failing>,
    address: Address,
}

impl Failing {
    /// Admits an attempt to use this node; `None` if the node fails and another thread tries it.
    pub(super) fn admit(self: &Arc<Self>, address: &Address) -> Option<Attempt> {
        // A lock that stays locked belongs to the parent of this fork.
        if let Ok(mut nodes) = self.0.lock()
            && let Some(tried_by) = nodes.get_mut(address)
            // The thread of a parent process does not exist in the child of a fork.
            && tried_by.replace(process::id()) == Some(process::id())
        {
            return None;
        }
        Some(Attempt { failing: self.clone(), address: address.clone() })
    }

    /// Notes that a node failed.
    pub(super) fn note(&self, address: &Address) {
        if let Ok(mut nodes) = self.0.lock() {
            nodes.entry(address.clone()).or_default();
        }
    }
}

impl Attempt {
    /// Notes whether the node works.
    pub(super) fn end(self, works: bool) {
        if works {
            if let Ok(mut nodes) = self.failing.0.lock() {
                nodes.remove(&self.address);
            }
        } else {
            self.failing.note(&self.address);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Ok(mut nodes) = self.failing.0.lock()
            && let Some(tried_by) = nodes.get_mut(&self.address)
        {
            *tried_by = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_node_is_tried_by_one_thread() {
        let (failing, node, other) = (Arc::<Failing>::default(), ("a".into(), 1), ("b".into(), 1));
        let (one, two) = (failing.admit(&node), failing.admit(&node));
        assert!(one.is_some() && two.is_some());
        one.unwrap().end(false);
        two.unwrap().end(false);
        let trying = failing.admit(&node);
        assert!(trying.is_some() && failing.admit(&node).is_none());
        assert!(failing.admit(&other).is_some());
        drop(trying);
        let trying = failing.admit(&node).unwrap();
        assert!(failing.admit(&node).is_none());
        trying.end(true);
        let (one, two) = (failing.admit(&node), failing.admit(&node));
        assert!(one.is_some() && two.is_some());
    }
}
