//! Errors as text for logs.

use std::error::Error;

/// Returns the text of the error that this one wraps, with the errors that are wrapped in that one.
/// Returns its own text if it wraps none.
pub fn source_text(error: &dyn Error) -> String {
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
