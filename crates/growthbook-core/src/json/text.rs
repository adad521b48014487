//! The text of strings and names in JSON values.

use alloc::{borrow::Cow, string::String};
use core::ops::Deref;

use smol_str::SmolStr;

/// A text that is borrowed from its source, or owned. Up to 23 bytes are stored in place.
#[derive(Clone, Debug)]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Own(SmolStr),
}

impl Text<'_> {
    /// Makes an owned copy.
    pub(crate) fn own(text: &str) -> Text<'static> {
        Text::Own(text.into())
    }

    pub(crate) fn into_owned(self) -> Text<'static> {
        match self {
            Text::Borrowed(text) => Text::own(text),
            Text::Own(text) => Text::Own(text),
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Own(text) => text,
        }
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Text::Borrowed(text),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text::Own(text.into())
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text::Borrowed(text)
    }
}
