//! The names of entries in Redis.

use growthbook_core::PayloadKey;

/// The entries of one payload. All lie in one slot of a Redis Cluster.
#[derive(Clone)]
pub(crate) struct Keys {
    /// The payload in clear, under the key the Python SDK's documented cache has for it.
    pub(crate) plain: String,
    /// The payload as it came.
    pub(crate) own: String,
    /// A hash of what is known of the payload beside its text.
    pub(crate) meta: String,
    /// Who is asking the server.
    pub(crate) lease: String,
    /// The channel where new payloads are announced.
    pub(crate) changed: String,
}

impl Keys {
    pub(crate) fn new(key: &PayloadKey) -> Self {
        let plain = format!("gb:{}::{}", key.api_host(), key.client_key());
        // Between braces is what decides over the slot.
        let own = |what: &str| format!("growthbook:{what}:{{{plain}}}");
        Keys {
            own: own("payload"),
            meta: own("meta"),
            lease: own("lease"),
            changed: own("changed"),
            plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_payload_is_where_the_python_sdk_looks_for_it() {
        let keys = Keys::new(&PayloadKey::new("https://cdn.growthbook.io/", "sdk-1"));
        assert_eq!(keys.plain, "gb:https://cdn.growthbook.io/::sdk-1");
        assert_eq!(keys.meta, "growthbook:meta:{gb:https://cdn.growthbook.io/::sdk-1}");
    }
}
