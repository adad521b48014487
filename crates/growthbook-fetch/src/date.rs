//! Comparing the dates of payloads.

use jiff::Timestamp;

/// Whether a payload with the first `dateUpdated` is older than one with the second. An older one
/// must not replace a newer one. False if either date is missing, or is not an ISO 8601 time with an
/// offset.
pub fn is_older(candidate: Option<&str>, current: Option<&str>) -> bool {
    let parse = |date: Option<&str>| date?.parse::<Timestamp>().ok();
    match (parse(candidate), parse(current)) {
        (Some(candidate), Some(current)) => candidate < current,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_dates_are_older() {
        let cases = [
            (Some("2026-01-01T00:00:00.000Z"), Some("2026-01-01T00:00:00.001Z"), true),
            (Some("2026-01-01T00:00:00.001Z"), Some("2026-01-01T00:00:00.000Z"), false),
            (Some("2026-01-01T00:00:00Z"), Some("2026-01-01T00:00:00.000Z"), false),
            // With an offset, the order differs from that of the texts.
            (Some("2026-01-01T01:00:00+02:00"), Some("2026-01-01T00:00:00Z"), true),
            (Some("2026-01-01T00:00:00Z"), Some("2025-12-31T23:00:00-02:00"), true),
            (None, Some("2026-01-01T00:00:00Z"), false),
            (Some("2026-01-01T00:00:00Z"), None, false),
            (Some("yesterday"), Some("2026-01-01T00:00:00Z"), false),
            (Some(""), Some(""), false),
        ];
        for (candidate, current, expected) in cases {
            assert_eq!(is_older(candidate, current), expected, "{candidate:?} {current:?}");
        }
    }
}
