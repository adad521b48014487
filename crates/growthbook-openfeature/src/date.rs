//! Dates as texts that GrowthBook's conditions can compare.

use time::{OffsetDateTime, UtcOffset};

/// Returns the text that JavaScript's `Date.toISOString` returns: in UTC, with milliseconds. So
/// dates compare like texts.
///
/// A date near the end of the range of years that has no form in UTC keeps its offset.
pub(crate) fn to_iso_text(date: OffsetDateTime) -> String {
    let utc = date.checked_to_offset(UtcOffset::UTC);
    let (date, zone) = match utc {
        Some(date) => (date, "Z".to_owned()),
        None => (date, offset_text(date.offset())),
    };
    let year = match date.year() {
        year @ 0..=9_999 => format!("{year:04}"),
        // JavaScript writes other years with a sign and six digits.
        year => format!("{year:+07}"),
    };
    let (month, day) = (u8::from(date.month()), date.day());
    let (hour, minute, second) = date.to_hms();
    let millisecond = date.millisecond();
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}{zone}")
}

fn offset_text(offset: UtcOffset) -> String {
    let (hours, minutes, _) = offset.as_hms();
    let sign = if offset.is_negative() { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", hours.unsigned_abs(), minutes.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn date_is_written_as_by_javascript() {
        let cases = [
            (datetime!(2026-01-02 03:04:05.6789 UTC), "2026-01-02T03:04:05.678Z"),
            (datetime!(2026-01-01 01:30 +2), "2025-12-31T23:30:00.000Z"),
            (datetime!(0000-01-01 0:00 UTC), "0000-01-01T00:00:00.000Z"),
            (datetime!(-0001-12-31 23:59:59 UTC), "-000001-12-31T23:59:59.000Z"),
            (datetime!(9999-12-31 23:59:59 -1:30), "9999-12-31T23:59:59.000-01:30"),
        ];
        for (date, expected) in cases {
            assert_eq!(to_iso_text(date), expected);
        }
    }
}
