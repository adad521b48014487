//! The hash slots of Redis Cluster.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_match_the_redis_specification() {
        let cases =
            [("123456789", 0x31c3), ("foo", 12182), ("{foo}bar", 12182), ("a{foo}{b}", 12182)];
        for (key, slot) in cases {
            assert_eq!(of(key), slot, "{key}");
        }
        assert_ne!(of("{}a"), of("{}b"));
    }

    #[test]
    fn slots_match_the_redis_client() {
        use redis::cluster_routing::Slot;
        for key in ["", "id||u1", "id||{}", "id||{u}1", "id||}{x", "deviceId||ü"] {
            assert_eq!(Slot::new(of(key)), Some(Slot::for_key(key)), "{key}");
        }
    }
}
