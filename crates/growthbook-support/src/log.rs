//! Log records.

use std::fmt::Arguments;

use log::{Level, Metadata, Record};

use crate::contain;

/// The target of all log records.
pub const LOG_TARGET: &str = "growthbook";

/// Writes a log record of this level, with the target [`LOG_TARGET`]. The rest is as in `format!`.
///
/// A logger is foreign code and may panic: `println!` does so when the reader of its pipe has gone.
/// The panic is contained here, since it must end neither a thread nor a call of the application.
#[macro_export]
macro_rules! log {
    ($level:expr, $($text:tt)+) => {{
        let level: $crate::Level = $level;
        if $crate::may_be_logged(level) {
            let place = (::core::module_path!(), ::core::file!(), ::core::line!());
            $crate::write_record(level, place, ::core::format_args!($($text)+));
        }
    }};
}

/// Whether the logger wants records of this level. A logger that panics does not want them.
#[inline]
pub fn is_logged(level: Level) -> bool {
    may_be_logged(level) && logger_wants(level)
}

/// Asks the logger. This is out of line, so that callers stay small: it is rarely reached.
#[cold]
#[inline(never)]
fn logger_wants(level: Level) -> bool {
    contain(|| log::logger().enabled(&metadata(level))).unwrap_or(false)
}

/// Whether the maximum level lets records of this level pass. Most programs stop here, so this is
/// cheap.
#[doc(hidden)]
#[inline]
pub fn may_be_logged(level: Level) -> bool {
    level <= log::STATIC_MAX_LEVEL && level <= log::max_level()
}

/// Hands a record to the logger. The place is a module, a file and a line. Call [`log!`](crate::log)
/// instead.
#[doc(hidden)]
#[cold]
pub fn write_record(level: Level, place: (&'static str, &'static str, u32), text: Arguments<'_>) {
    // A panic of the logger cannot be logged.
    let _ = contain(|| {
        let metadata = metadata(level);
        let logger = log::logger();
        if logger.enabled(&metadata) {
            let (module, file, line) = place;
            let mut record = Record::builder();
            record.metadata(metadata).module_path_static(Some(module));
            record.file_static(Some(file)).line(Some(line)).args(text);
            logger.log(&record.build());
        }
    });
}

fn metadata(level: Level) -> Metadata<'static> {
    Metadata::builder().level(level).target(LOG_TARGET).build()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fmt;

    use log::{LevelFilter, Log};

    use super::*;

    thread_local! {
        static RECORDS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    /// Remembers records, and panics for the level `error`.
    struct Logger;

    impl Log for Logger {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            assert_ne!(metadata.level(), Level::Error, "a broken logger");
            metadata.level() != Level::Debug
        }

        fn log(&self, record: &Record<'_>) {
            let text = format!(
                "{} {} {} {}",
                record.level(),
                record.target(),
                record.module_path().unwrap_or_default(),
                record.args()
            );
            RECORDS.with_borrow_mut(|records| records.push(text));
        }

        fn flush(&self) {}
    }

    struct PanickingText;

    impl fmt::Display for PanickingText {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("a broken text")
        }
    }

    #[test]
    fn panic_of_logger_or_text_is_contained() {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(LevelFilter::Debug);
        crate::log!(Level::Error, "the logger panics");
        crate::log!(Level::Warn, "{}", PanickingText);
        crate::log!(Level::Debug, "the logger does not want this");
        crate::log!(Level::Trace, "above the maximum level: {}", PanickingText);
        let count = 3;
        crate::log!(Level::Info, "{count} {}", "more");
        assert_eq!(RECORDS.take(), ["INFO growthbook growthbook_support::log::tests 3 more"],);
        let levels = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];
        assert_eq!(levels.map(is_logged), [false, true, true, false, false]);
    }
}
