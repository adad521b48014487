//! The names of the keys in Redis.

use growthbook_core::cache::PayloadKey;

/// The keys of one payload. All are in one slot of a Redis Cluster.
#[derive(Clone)]
pub(crate) struct Keys {
    /// The clear-text copy. The Python SDK's documented cache uses the same key.
    pub(crate) copy: String,
    /// The payload as the server sent it.
    pub(crate) payload: String,
    /// A hash of facts about the payload.
    pub(crate) meta: String,
    /// The holder of the lease.
    pub(crate) lease: String,
    /// The channel that announces new payloads.
    pub(crate) changed: String,
}

impl Keys {
    pub(crate) fn new(key: &PayloadKey) -> Self {
        let copy = format!("gb:{}::{}", key.api_host(), key.client_key());
        // A cluster chooses the slot by the text between braces.
        let own = |name: &str| format!("growthbook:{name}:{{{copy}}}");
        Keys {
            payload: own("payload"),
            meta: own("meta"),
            lease: own("lease"),
            changed: own("changed"),
            copy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_names_are_compatible() {
        let keys = Keys::new(&PayloadKey::new("https://cdn.growthbook.io/", "sdk-1"));
        assert_eq!(keys.copy, "gb:https://cdn.growthbook.io/::sdk-1");
        assert_eq!(keys.payload, "growthbook:payload:{gb:https://cdn.growthbook.io/::sdk-1}");
        assert_eq!(keys.meta, "growthbook:meta:{gb:https://cdn.growthbook.io/::sdk-1}");
        assert_eq!(keys.lease, "growthbook:lease:{gb:https://cdn.growthbook.io/::sdk-1}");
        assert_eq!(keys.changed, "growthbook:changed:{gb:https://cdn.growthbook.io/::sdk-1}");
    }
}
