//! The server's payload: many flags, and two flags with the payload's version.

use std::fmt::Write;

use growthbook::UserScope;

/// The number of flags without those two.
pub(crate) const FLAGS: usize = 1_000;

/// The first and the last flag of a payload.
const FIRST: &str = "version";
const LAST: &str = "version-again";

/// Makes payloads that differ in their version.
pub(crate) struct Payloads {
    /// The other flags: members of a JSON object, with a comma after each.
    flags: String,
}

impl Payloads {
    pub(crate) fn new() -> Self {
        let mut flags = String::new();
        for index in 0..FLAGS {
            // Writing to a string cannot fail.
            let _ = write!(flags, r#""{}":{},"#, key(index), definition(index));
        }
        Payloads { flags }
    }

    /// Returns the payload of a version. A newer version has a later date.
    pub(crate) fn document(&self, version: u64) -> String {
        let (flags, date) = (&self.flags, date(version));
        format!(
            r#"{{"features":{{"{FIRST}":{{"defaultValue":{version}}},{flags}"{LAST}":{{"defaultValue":{version}}}}},"dateUpdated":"{date}"}}"#
        )
    }
}

/// Returns the key of a flag.
pub(crate) fn key(index: usize) -> String {
    format!("flag-{index}")
}

/// Returns the version of the payload that a scope uses.
pub(crate) fn version(scope: &UserScope<'_>) -> u64 {
    scope.feature_value(FIRST, 0)
}

/// Returns the version from the other end of the payload.
pub(crate) fn version_again(scope: &UserScope<'_>) -> u64 {
    scope.feature_value(LAST, 0)
}

fn definition(index: usize) -> String {
    let rule = match index % 4 {
        0 => r#"{"condition":{"country":{"$in":["US","CA","GB"]},"plan":"pro"},"force":true}"#,
        1 => r#"{"force":true,"coverage":0.4,"hashAttribute":"id"}"#,
        2 => r#"{"variations":[false,true],"weights":[0.3,0.7],"hashVersion":2}"#,
        _ => r#"{"condition":{"email":{"$regex":"@example\\.com$"}},"force":true}"#,
    };
    format!(r#"{{"defaultValue":false,"rules":[{rule}]}}"#)
}

/// Returns the date that is `version` milliseconds after midnight.
fn date(version: u64) -> String {
    let (seconds, millis) = (version / 1_000, version % 1_000);
    let (minutes, hours) = (seconds / 60 % 60, seconds / 3_600 % 24);
    format!("2026-01-01T{hours:02}:{minutes:02}:{:02}.{millis:03}Z", seconds % 60)
}
