//! Calls to foreign code, which may panic.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls foreign code. A panic in it is returned.
///
/// With `panic = "abort"` in the program's profile, a panic ends the program instead.
///
/// # Errors
///
/// When the code panics.
pub fn contain<R>(foreign: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(foreign)).map_err(Panicked::of)
}

/// Foreign code panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    message: Option<String>,
}

impl Panicked {
    fn of(payload: Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = text.or_else(|| payload.downcast_ref::<String>().cloned());
        if message.is_none() {
            // Dropping a value of a foreign type could panic again.
            std::mem::forget(payload);
        }
        Panicked { message }
    }

    /// Returns the message of the panic, if it is a text. The message of an application's own code
    /// may contain secrets.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// Prints no message.
impl fmt::Display for Panicked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("it panicked")
    }
}

impl Error for Panicked {}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic_any("dropped");
        }
    }

    #[test]
    fn each_panic_is_returned() {
        let message = |panics: fn()| contain(panics).unwrap_err().message().map(str::to_owned);
        assert_eq!(contain(|| 1).ok(), Some(1));
        assert_eq!(message(|| panic_any("text")).as_deref(), Some("text"));
        assert_eq!(message(|| panic_any(String::from("string"))).as_deref(), Some("string"));
        assert_eq!(message(|| panic_any(PanicsWhenDropped)), None);
    }
}
