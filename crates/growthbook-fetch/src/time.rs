//! Clock times as they are kept.

use std::time::{Duration, SystemTime};

use growthbook_core::cache::UnixMillis;

/// Times before 1970 are 1970.
pub(crate) fn unix_millis(time: SystemTime) -> UnixMillis {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis::try_from(since.as_millis()).unwrap_or(UnixMillis::MAX)
}

/// Times that the system cannot express are now.
pub(crate) fn from_unix_millis(millis: UnixMillis) -> SystemTime {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis));
    time.unwrap_or_else(SystemTime::now)
}
