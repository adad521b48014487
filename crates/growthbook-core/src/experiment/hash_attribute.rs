//! Names of attributes to hash.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Deref;

use serde::{Serialize, Serializer};

use crate::tag::Name;

/// The attribute hashed when an experiment, a rule or a filter names none.
pub(crate) const DEFAULT_HASH_ATTRIBUTE: &str = "id";

/// The name of an attribute to hash; the default one, which most are, takes no memory of its own.
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
