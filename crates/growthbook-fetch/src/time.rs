//! Conversion of times.

use std::time::{Duration, SystemTime};

use growthbook_core::cache::UnixMillis;

/// Converts a time. A time before 1970 becomes 1970.
pub(crate) fn unix_millis(time: SystemTime) -> UnixMillis {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis::try_from(since.as_millis()).unwrap_or(UnixMillis::MAX)
}

/// Converts a time. One that the system cannot express becomes the present.
pub(crate) fn from_unix_millis(millis: UnixMillis) -> SystemTime {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis));
    time.unwrap_or_else(SystemTime::now)
}
