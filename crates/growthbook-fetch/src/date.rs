//! Which of two payloads is the older one.

use jiff::Timestamp;

/// Whether a payload of the first `dateUpdated` is older than one of the second: it must not
/// replace it. Not known, and so not older, when either is missing or is no ISO 8601 time with an
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
    fn older_is_what_is_known_to_be_older() {
        let cases = [
            (Some("2026-01-01T00:00:00.000Z"), Some("2026-01-01T00:00:00.001Z"), true),
            (Some("2026-01-01T00:00:00.001Z"), Some("2026-01-01T00:00:00.000Z"), false),
            (Some("2026-01-01T00:00:00Z"), Some("2026-01-01T00:00:00.000Z"), false),
            // Another way to write the same day, an hour later than it looks.
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
