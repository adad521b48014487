//! Payloads that differ in their version.

use std::fmt::Write;

/// The flag with the payload's version.
pub(crate) const VERSION: &str = "version";

/// The numbers of other flags in a normal and in a small payload: 14 kB and 1.3 kB.
const FLAGS: usize = 110;
const FEW_FLAGS: usize = 10;

/// Returns the payload of a version. A newer version has a later date.
pub(crate) fn document(version: u64) -> String {
    with_flags(version, FLAGS)
}

/// Returns a payload of version 1 that needs little memory.
pub(crate) fn small_document() -> String {
    with_flags(1, FEW_FLAGS)
}

fn with_flags(version: u64, flags: usize) -> String {
    let mut features = format!(r#""{VERSION}":{{"defaultValue":{version}}}"#);
    for flag in 0..flags {
        let rule = r#"{"condition":{"country":{"$in":["US","CA"]},"plan":"pro"},"force":true}"#;
        // Writing to a string cannot fail.
        let _ = write!(features, r#","flag-{flag}":{{"defaultValue":false,"rules":[{rule}]}}"#);
    }
    let (seconds, millis) = (version / 1_000, version % 1_000);
    let (minutes, hours) = (seconds / 60 % 60, seconds / 3_600 % 24);
    let date = format!("2026-01-01T{hours:02}:{minutes:02}:{:02}.{millis:03}Z", seconds % 60);
    format!(r#"{{"features":{{{features}}},"dateUpdated":"{date}"}}"#)
}
