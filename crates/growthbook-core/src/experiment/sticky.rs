//! The settings of an experiment for sticky bucketing.

use alloc::boxed::Box;

/// The settings of an experiment for sticky bucketing. Most experiments have the default settings.
#[derive(Clone)]
pub(crate) struct StickySettings {
    /// The attribute to hash if the user does not have the first one.
    pub(crate) fallback_attribute: Option<Box<str>>,
    pub(crate) disabled: bool,
    /// The version of assignments.
    pub(crate) bucket_version: f64,
    /// Users with an assignment of an older version are left out.
    pub(crate) min_bucket_version: f64,
}

impl StickySettings {
    pub(super) const DEFAULT: Self = StickySettings {
        fallback_attribute: None,
        disabled: false,
        bucket_version: 0.0,
        min_bucket_version: 0.0,
    };

    pub(super) fn is_default(&self) -> bool {
        let StickySettings { fallback_attribute, disabled, bucket_version, min_bucket_version } =
            self;
        fallback_attribute.is_none()
            && !disabled
            && *bucket_version == 0.0
            && *min_bucket_version == 0.0
    }
}
