//! Comparing the dates of payloads.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// How far the server's clock may be ahead of this one. A date after that is wrong.
const LARGEST_SKEW: Duration = Duration::from_secs(3600);

/// Whether a payload's `dateUpdated` is more than an hour after `now`. False if the date is missing,
/// or is not an ISO 8601 time with an offset.
pub(crate) fn is_from_future(date: Option<&str>, now: SystemTime) -> bool {
    let date = date.and_then(|date| date.parse::<Timestamp>().ok()).map(SystemTime::from);
    let ahead = date.and_then(|date| date.duration_since(now).ok());
    ahead.is_some_and(|ahead| ahead > LARGEST_SKEW)
}

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
    fn skewed_clock_is_not_the_future() {
        let now = SystemTime::from("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap());
        let cases = [
            (Some("2025-01-01T00:00:00Z"), false),
            (Some("2026-01-01T01:00:00Z"), false),
            (Some("2026-01-01T01:00:01Z"), true),
            (Some("2099-01-01T00:00:00Z"), true),
            (Some("soon"), false),
            (None, false),
        ];
        for (date, expected) in cases {
            assert_eq!(is_from_future(date, now), expected, "{date:?}");
        }
    }

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
