//! The hash slots of a cluster, and which node serves which slot.

use redis::Value;

use super::failing::Address;

/// The number of slots.
const SLOTS: u16 = 16_384;

/// Returns the slot of a key: the CRC-16 (XMODEM) of the text between the first braces. Without
/// such a text, it is the CRC-16 of the whole key.
pub(super) fn of(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let hashed = tag.map(|(tag, _)| tag).filter(|tag| !tag.is_empty()).unwrap_or(key);
    let crc = hashed.bytes().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    });
    crc % SLOTS
}

/// The node that serves each slot.
#[derive(Default)]
pub(super) struct SlotMap(Vec<SlotRange>);

struct SlotRange {
    first: i64,
    last: i64,
    master: Address,
}

impl SlotMap {
    /// Reads the reply to `CLUSTER SLOTS` of a node with this host. Unreadable entries are left out.
    pub(super) fn read(reply: &Value, answering_host: &str) -> Self {
        let Value::Array(ranges) = reply else { return SlotMap::default() };
        let range = |range: &Value| match range {
            Value::Array(parts) => match parts.as_slice() {
                [Value::Int(first), Value::Int(last), master, ..] => {
                    let master = read_address(master, answering_host)?;
                    Some(SlotRange { first: *first, last: *last, master })
                }
                _ => None,
            },
            _ => None,
        };
        SlotMap(ranges.iter().filter_map(range).collect())
    }

    /// Returns the node that serves a slot; `None` if it is not known.
    pub(super) fn master(&self, slot: u16) -> Option<&Address> {
        let slot = i64::from(slot);
        let range = self.0.iter().find(|range| (range.first..=range.last).contains(&slot));
        range.map(|range| &range.master)
    }

    /// Returns the nodes. A node with several ranges occurs several times.
    pub(super) fn masters(&self) -> impl Iterator<Item = &Address> {
        self.0.iter().map(|range| &range.master)
    }
}

/// Reads the address of a node. A node that does not know its host is the one that answers.
fn read_address(node: &Value, answering_host: &str) -> Option<Address> {
    let Value::Array(parts) = node else { return None };
    let (host, port) = match parts.as_slice() {
        [host, Value::Int(port), ..] => (host, u16::try_from(*port).ok()?),
        _ => return None,
    };
    let host = match host {
        Value::BulkString(host) => String::from_utf8(host.clone()).ok()?,
        Value::Nil => String::new(),
        _ => return None,
    };
    match &*host {
        "?" => None,
        "" | "0.0.0.0" | "::" => Some((answering_host.to_owned(), port)),
        _ => Some((host, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        let node = Value::Array(vec![host, Value::Int(port)]);
        Value::Array(vec![Value::Int(first), Value::Int(last), node])
    }

    #[test]
    fn slots_have_their_masters() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let reply = Value::Array(vec![
            range(0, 99, text("a"), 1),
            range(100, 199, Value::Nil, 2),
            range(200, 299, text("?"), 3),
            range(300, 399, text("d"), 99_999),
            Value::Okay,
        ]);
        let slots = SlotMap::read(&reply, "answering");
        let master = |slot| slots.master(slot).map(|(host, port)| (&**host, *port));
        assert_eq!((master(0), master(99)), (Some(("a", 1)), Some(("a", 1))));
        assert_eq!(master(150), Some(("answering", 2)));
        assert_eq!((master(250), master(350), master(16_000)), (None, None, None));
        assert!(SlotMap::read(&Value::Okay, "a").masters().next().is_none());
    }

    #[test]
    fn slots_match_the_redis_specification() {
        let cases =
            [("123456789", 0x31c3), ("foo", 12182), ("{foo}bar", 12182), ("a{foo}{b}", 12182)];
        for (key, slot) in cases {
            assert_eq!(of(key), slot, "{key}");
        }
        assert_ne!(of("{}a"), of("{}b"));
    }
}
