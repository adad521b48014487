//! Errors as text for logs.

use std::error::Error;

use crate::contain;

/// Returns the text of the error that this one wraps, with the errors that are wrapped in that one.
/// Returns its own text if it wraps none. The text of an application's error is foreign code, so a
/// panic in it is contained.
pub fn source_text(error: &dyn Error) -> String {
    contain(|| chain_text(error)).unwrap_or_else(|panicked| panicked.to_string())
}

fn chain_text(error: &dyn Error) -> String {
    let Some(source) = error.source() else { return error.to_string() };
    let mut text = source.to_string();
    let mut next = source.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{fmt, io};

    use super::*;

    #[derive(Debug)]
    struct Wrapper(Option<io::Error>);

    impl fmt::Display for Wrapper {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the store failed")
        }
    }

    impl Error for Wrapper {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.0.as_ref().map(|error| error as _)
        }
    }

    #[derive(Debug)]
    struct Broken;

    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("a broken text")
        }
    }

    impl Error for Broken {}

    #[test]
    fn panic_of_a_text_is_contained() {
        assert_eq!(source_text(&Broken), "it panicked");
    }

    #[test]
    fn wrapped_error_is_preferred() {
        assert_eq!(source_text(&Wrapper(Some(io::Error::other("disk full")))), "disk full");
        assert_eq!(source_text(&Wrapper(None)), "the store failed");
    }

    #[test]
    fn innermost_error_is_named() {
        let inner = io::Error::other(Wrapper(Some(io::Error::other("disk full"))));
        assert_eq!(source_text(&Wrapper(Some(inner))), "the store failed: disk full");
    }
}
