//! The measured products. Each has the same flags and the same people, in its own format.

pub(crate) mod eppo;
pub(crate) mod growthbook;
pub(crate) mod growthbook_rust;
pub(crate) mod handwritten;
pub(crate) mod launchdarkly;
pub(crate) mod unleash;

/// The packages whose versions are in the report.
pub(crate) const PACKAGES: [&str; 4] =
    ["growthbook-rust", eppo::NAME, "launchdarkly-server-sdk-evaluation", unleash::NAME];
