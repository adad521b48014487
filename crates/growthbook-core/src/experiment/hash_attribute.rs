//! The name of the attribute that is hashed.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Deref;

use serde::{Serialize, Serializer};

use crate::tag::Name;

/// The hash attribute of an experiment, rule or filter that does not set one.
pub(crate) const DEFAULT_HASH_ATTRIBUTE: &str = "id";

/// The name of the attribute that is hashed. The default name, which is the most frequent, does not
/// allocate.
#[derive(Clone, Default)]
pub(crate) struct HashAttribute(Option<Box<str>>);

impl HashAttribute {
    /// Returns the name with its tag.
    #[inline]
    pub(crate) fn name(&self) -> Name<'_> {
        const DEFAULT: Name<'_> = Name::new(DEFAULT_HASH_ATTRIBUTE);
        self.0.as_deref().map_or(DEFAULT, Name::new)
    }
}

impl Deref for HashAttribute {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.0.as_deref().unwrap_or(DEFAULT_HASH_ATTRIBUTE)
    }
}

impl From<Box<str>> for HashAttribute {
    fn from(name: Box<str>) -> Self {
        HashAttribute((*name != *DEFAULT_HASH_ATTRIBUTE).then_some(name))
    }
}

impl From<&str> for HashAttribute {
    fn from(name: &str) -> Self {
        HashAttribute((name != DEFAULT_HASH_ATTRIBUTE).then(|| name.into()))
    }
}

impl fmt::Debug for HashAttribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl Serialize for HashAttribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}
