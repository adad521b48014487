//! What experiments say about sticky bucketing.

use alloc::boxed::Box;

/// What an experiment says about sticky bucketing. Most say nothing.
#[derive(Clone)]
pub(crate) struct StickySettings {
    /// Hashed instead when the user lacks the first attribute.
    pub(crate) fallback_attribute: Option<Box<str>>,
    pub(crate) disabled: bool,
    pub(crate) min_bucket_version: f64,
}

impl StickySettings {
    pub(super) const DEFAULT: Self =
        StickySettings { fallback_attribute: None, disabled: false, min_bucket_version: 0.0 };

    pub(super) fn is_default(&self) -> bool {
        let StickySettings { fallback_attribute, disabled, min_bucket_version } = self;
        fallback_attribute.is_none() && !disabled && *min_bucket_version == 0.0
    }
}
