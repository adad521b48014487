//! An event stream interpreted in the slow and obvious way: the whole stream at once, sentence by
//! sentence of the WHATWG HTML standard, "Server-sent events", 9.2.5 and 9.2.6.

use std::time::Duration;

use growthbook_fetch::sse::{EventParser, MAX_VALUE_BYTES, Parsed};

/// An owned result of the parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Event { event_type: String, data: String, last_event_id: String },
    Retry(Duration),
    Oversized,
}

/// Parses a stream that arrives in these pieces. Returns the results and the last event ID.
pub(crate) fn parse<'b>(
    max_event_bytes: usize,
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> (Vec<Told>, String) {
    let mut parser = EventParser::new(max_event_bytes);
    let mut told = Vec::new();
    for piece in pieces {
        parser.push(piece, |parsed| told.push(Told::from(parsed)));
    }
    (told, parser.last_event_id().to_owned())
}

/// Returns the expected results for a stream whose lines are all complete.
pub(crate) fn interpret(max_event_bytes: usize, stream: &[u8]) -> (Vec<Told>, String) {
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut told = Vec::new();
    let (mut data, mut event_type, mut id) = (String::new(), String::new(), String::new());
    let (mut last_event_id, mut refused) = (String::new(), false);
    for line in text.split_terminator('\n') {
        if line.is_empty() {
            last_event_id.clone_from(&id);
            if let Some(data) = data.strip_suffix('\n')
                && !refused
            {
                let event_type = if event_type.is_empty() { "message" } else { &event_type };
                told.push(Told::Event {
                    event_type: event_type.to_owned(),
                    data: data.to_owned(),
                    last_event_id: last_event_id.clone(),
                });
            }
            data.clear();
            event_type.clear();
            refused = false;
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        let mut fits = value.len() <= MAX_VALUE_BYTES;
        match field {
            "data" => {
                data.push_str(value);
                fits = data.len() <= max_event_bytes;
                data.push('\n');
            }
            "event" => event_type = value.to_owned(),
            "id" if fits && !value.contains('\0') => id = value.to_owned(),
            "id" => {}
            "retry" => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                if fits && digits {
                    let milliseconds = value.parse().unwrap_or(u64::MAX);
                    told.push(Told::Retry(Duration::from_millis(milliseconds)));
                }
                fits = true;
            }
            _ => fits = true,
        }
        if !fits && !refused {
            refused = true;
            told.push(Told::Oversized);
        }
    }
    (told, last_event_id)
}

impl From<Parsed<'_>> for Told {
    fn from(parsed: Parsed<'_>) -> Self {
        match parsed {
            Parsed::Event(event) => Told::Event {
                event_type: event.event_type.to_owned(),
                data: event.data.to_owned(),
                last_event_id: event.last_event_id.to_owned(),
            },
            Parsed::Retry(delay) => Told::Retry(delay),
            Parsed::Oversized => Told::Oversized,
        }
    }
}
