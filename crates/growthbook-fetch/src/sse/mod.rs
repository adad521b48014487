//! Server-sent events, parsed from bytes: no connection, no clock.
//!
//! [`EventParser`] interprets an event stream as the WHATWG HTML standard does (section
//! "Server-sent events", 9.2.6), but within bounds: an event that is too long, or never ends, takes
//! no more memory than the limit of [`EventParser::new`].
//!
//! ```
//! use growthbook_fetch::sse::{EventParser, Parsed};
//!
//! let mut parser = EventParser::default();
//! let mut updates = Vec::new();
//! for chunk in ["id: 7\nevent: fea", "tures\ndata: {}\n", "\n"] {
//!     parser.push(chunk.as_bytes(), |parsed| {
//!         if let Parsed::Event(event) = parsed {
//!             updates.push((event.event_type.to_owned(), event.data.to_owned()));
//!         }
//!     });
//! }
//! assert_eq!(updates, [("features".to_owned(), "{}".to_owned())]);
//! assert_eq!(parser.last_event_id(), "7");
//! ```

mod line;
mod text;

use std::fmt;
use std::mem;
use std::time::Duration;

use line::split_line;
use text::{Text, TooLong};

/// The default limit for an event's data: 64 MiB.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 64 * 1024 * 1024;

/// The limit for an event's id and type: 4 KiB each. Real ones have a few bytes, and a longer id
/// would not fit into a request header.
pub const MAX_VALUE_BYTES: usize = 4 * 1024;

/// A parser for a stream of server-sent events.
///
/// Bytes may be cut anywhere, also within a character or between the CR and the LF of one line
/// end. The events and their order do not depend on it. No bytes are an error: invalid UTF-8
/// becomes U+FFFD, as in the standard, and a line that is not a field is ignored.
///
/// # Bounds
///
/// An event is refused if its data is longer than the limit, or if its id or type is longer than
/// [`MAX_VALUE_BYTES`]. The events after it are read. Lengths are in bytes of decoded text. Comments
/// and unknown fields do not count, and neither does a `retry` longer than [`MAX_VALUE_BYTES`]. So
/// the parser holds at most the limit and some 32 KiB, and some 100 KiB between events.
///
/// # Differences from the standard
///
/// The bounds are one difference. The other: a blank line in a new stream keeps the last event ID,
/// until an event in that stream has an `id` of its own. The standard's wording makes it empty. Then
/// a reconnect right after the start of a stream would ask for all events again. Browsers keep it,
/// too.
pub struct EventParser {
    /// The part of a byte order mark that may follow: empty after the first bytes of a stream.
    byte_order_mark: &'static [u8],
    /// Whether an LF belongs to the line end before it.
    after_cr: bool,
    line: Line,
    /// The name of the line's field so far: never longer than the known names.
    name: Vec<u8>,
    /// The value of the line's field, unless the field is data.
    value: Text,
    /// The data of the event, with an LF between its lines.
    data: Text,
    /// Whether the event has a data line. One without text makes an event, too.
    has_data: bool,
    event_type: String,
    /// Becomes the last event ID when the event is complete.
    id: String,
    last_event_id: String,
    /// Whether the event is over a limit. Then the rest of it is read for its id only.
    refused: bool,
}

/// A part of a stream that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// An event.
    Event(Event<'a>),
    /// The delay before reconnecting that the server asks for: from zero to `u64::MAX` milliseconds.
    /// The caller should limit it.
    Retry(Duration),
    /// An event over a limit was refused: reported once, as soon as that is known. Its id counts
    /// all the same, because asking for the event again would bring it again.
    Oversized,
}

/// A complete event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The type of the event: `message` if the event has none.
    pub event_type: &'a str,
    /// Its data lines, joined by LF. Empty if there is one line without text, as in a ping.
    pub data: &'a str,
    /// The id of this event, or of the last event that had one. Blanks at its end belong to it.
    pub last_event_id: &'a str,
}

impl EventParser {
    /// Returns a parser at the beginning of a stream, for events of up to `max_event_bytes` of data.
    /// Default: [`DEFAULT_MAX_EVENT_BYTES`].
    pub fn new(max_event_bytes: usize) -> Self {
        EventParser {
            byte_order_mark: BYTE_ORDER_MARK,
            after_cr: false,
            line: Line::Name,
            name: Vec::with_capacity(LONGEST_NAME),
            value: Text::new(MAX_VALUE_BYTES),
            data: Text::new(max_event_bytes),
            has_data: false,
            event_type: String::new(),
            id: String::new(),
            last_event_id: String::new(),
            refused: false,
        }
    }

    /// Sets the limit for the data of an event, from the next bytes on.
    pub fn set_max_event_bytes(&mut self, max_event_bytes: usize) {
        self.data.set_max_bytes(max_event_bytes);
    }

    /// Parses the next bytes of the stream. Calls `on` for each part that they complete, in order.
    pub fn push(&mut self, bytes: &[u8], mut on: impl FnMut(Parsed<'_>)) {
        let mut rest = self.skip_byte_order_mark(bytes);
        while let Some(&first) = rest.first() {
            if mem::take(&mut self.after_cr) && first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let Some((line, end, after)) = split_line(rest) else {
                self.continue_line(rest, &mut on);
                break;
            };
            self.continue_line(line, &mut on);
            self.end_line(&mut on);
            self.after_cr = end == b'\r';
            rest = after;
        }
    }

    /// Returns the id of the last event that had one. A reconnect sends it as `Last-Event-ID`. It is
    /// empty if there was none, or an empty one.
    ///
    /// It changes at the blank line that ends an event, even if the event has no data.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Begins a new stream: drops an event that is not complete, and keeps the last event ID.
    pub fn reconnect(&mut self) {
        self.byte_order_mark = BYTE_ORDER_MARK;
        self.after_cr = false;
        self.line = Line::Name;
        self.name.clear();
        self.value.clear();
        self.id.clone_from(&self.last_event_id);
        self.clear_event();
    }
}

impl Default for EventParser {
    fn default() -> Self {
        EventParser::new(DEFAULT_MAX_EVENT_BYTES)
    }
}

impl fmt::Debug for EventParser {
    /// Omits the data, which is long and may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EventParser")
            .field("last_event_id", &self.last_event_id)
            .finish_non_exhaustive()
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
const LONGEST_NAME: usize = "event".len();

/// The part of a line that the parser is in.
#[derive(Clone, Copy)]
enum Line {
    /// The field's name, or the start of the line.
    Name,
    /// Right after the colon, where one space does not belong to the value.
    Colon(Field),
    Value(Field),
    /// A comment, an unknown field, or a value over a limit.
    Skipped,
}

#[derive(Clone, Copy)]
enum Field {
    Data,
    Event,
    Id,
    Retry,
}

impl EventParser {
    fn skip_byte_order_mark<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut rest = bytes;
        while let (Some((expected, mark)), Some((byte, after))) =
            (self.byte_order_mark.split_first(), rest.split_first())
        {
            if byte != expected {
                // These bytes are not a mark. They begin the name of an unknown field.
                let seen = BYTE_ORDER_MARK.strip_suffix(self.byte_order_mark);
                self.name.extend_from_slice(seen.unwrap_or_default());
                self.byte_order_mark = &[];
                break;
            }
            self.byte_order_mark = mark;
            rest = after;
        }
        rest
    }

    /// Parses a piece of a line, without its end.
    fn continue_line(&mut self, piece: &[u8], on: &mut impl FnMut(Parsed<'_>)) {
        let mut piece = piece;
        if let Line::Name = self.line {
            piece = self.continue_name(piece, on);
        }
        if let Line::Colon(field) = self.line
            && let Some(first) = piece.first()
        {
            piece = if *first == b' ' { piece.get(1..).unwrap_or_default() } else { piece };
            self.line = Line::Value(field);
        }
        if let Line::Value(field) = self.line {
            let kept = self.text_of(field).push(piece);
            self.check(kept, field, on);
        }
    }

    /// Parses a piece of a line that begins within the field's name. Returns the bytes after the
    /// colon.
    fn continue_name<'b>(&mut self, piece: &'b [u8], on: &mut impl FnMut(Parsed<'_>)) -> &'b [u8] {
        let room = LONGEST_NAME.saturating_sub(self.name.len());
        if let Some(length) = piece.iter().take(room + 1).position(|byte| *byte == b':') {
            let (name, value) = piece.split_at(length);
            self.name.extend_from_slice(name);
            self.begin_field(on);
            return value.get(1..).unwrap_or_default();
        }
        if piece.len() > room {
            self.line = Line::Skipped;
        } else {
            self.name.extend_from_slice(piece);
        }
        &[]
    }

    /// The name is complete.
    fn begin_field(&mut self, on: &mut impl FnMut(Parsed<'_>)) {
        let field = match self.name.as_slice() {
            b"data" if !self.refused => Field::Data,
            b"event" => Field::Event,
            b"id" => Field::Id,
            b"retry" => Field::Retry,
            _ => {
                self.line = Line::Skipped;
                return;
            }
        };
        self.line = Line::Colon(field);
        if let Field::Data = field
            && mem::replace(&mut self.has_data, true)
        {
            let kept = self.data.push(b"\n");
            self.check(kept, field, on);
        }
    }

    fn end_line(&mut self, on: &mut impl FnMut(Parsed<'_>)) {
        match self.line {
            Line::Name if self.name.is_empty() => self.dispatch(on),
            // A line without colon is a field with an empty value.
            Line::Name => self.begin_field(on),
            Line::Colon(_) | Line::Value(_) | Line::Skipped => {}
        }
        if let Line::Colon(field) | Line::Value(field) = self.line {
            let kept = self.text_of(field).end();
            self.check(kept, field, on);
        }
        if let Line::Colon(field) | Line::Value(field) = self.line {
            self.take_value(field, on);
        }
        self.line = Line::Name;
        self.name.clear();
        self.value.clear();
    }

    /// The value is complete.
    fn take_value(&mut self, field: Field, on: &mut impl FnMut(Parsed<'_>)) {
        let value = self.value.as_str();
        match field {
            // The text is already in `data`.
            Field::Data => {}
            Field::Event => value.clone_into(&mut self.event_type),
            Field::Id if value.contains('\0') => {}
            Field::Id => value.clone_into(&mut self.id),
            Field::Retry => {
                if let Some(milliseconds) = digits(value) {
                    on(Parsed::Retry(Duration::from_millis(milliseconds)));
                }
            }
        }
    }

    fn dispatch(&mut self, on: &mut impl FnMut(Parsed<'_>)) {
        self.last_event_id.clone_from(&self.id);
        if self.has_data {
            let event_type = match self.event_type.as_str() {
                "" => "message",
                event_type => event_type,
            };
            on(Parsed::Event(Event {
                event_type,
                data: self.data.as_str(),
                last_event_id: &self.last_event_id,
            }));
        }
        self.clear_event();
    }

    /// Skips a value that was not `kept`, and refuses the event if it needs the value.
    fn check(&mut self, kept: Result<(), TooLong>, field: Field, on: &mut impl FnMut(Parsed<'_>)) {
        if kept.is_ok() {
            return;
        }
        self.line = Line::Skipped;
        let needed = !matches!(field, Field::Retry);
        if needed && !self.refused {
            self.clear_event();
            self.refused = true;
            on(Parsed::Oversized);
        }
    }

    fn text_of(&mut self, field: Field) -> &mut Text {
        match field {
            Field::Data => &mut self.data,
            Field::Event | Field::Id | Field::Retry => &mut self.value,
        }
    }

    /// Forgets the event, except its id.
    fn clear_event(&mut self) {
        self.data.clear();
        self.has_data = false;
        self.event_type.clear();
        self.refused = false;
    }
}

/// Parses ASCII digits. A number that is too large becomes the largest one.
fn digits(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::text::KEPT_BYTES;
    use super::*;

    /// The memory besides the data: the current value, and three values in strings that double.
    const CONSTANT: usize = 8 * MAX_VALUE_BYTES;

    impl EventParser {
        /// Returns the memory in use.
        fn capacity(&self) -> usize {
            let texts = self.value.capacity() + self.data.capacity();
            let strings = [&self.event_type, &self.id, &self.last_event_id];
            let strings: usize = strings.iter().map(|string| string.capacity()).sum();
            self.name.capacity() + texts + strings
        }
    }

    #[test]
    fn endless_lines_stay_within_the_limit() {
        let beginnings = [
            "",
            ":",
            ": ",
            "data",
            "data:",
            "data: ",
            "event:",
            "id:",
            "retry:",
            "retry:1",
            "other:",
            "data\ndata:",
            "id:1\ndata:2\nevent:",
            "data:1\nid:",
            "\u{feff}data:",
        ];
        let endless: [&[u8]; 7] =
            [b"x", b"0", b"\xff", b"\xe2\x82", b"\n\xf0\x9f", b"data\n", b"data:xxxx\r"];
        for limit in [0, 1000, 50_000] {
            for (beginning, endless) in
                beginnings.iter().flat_map(|beginning| endless.map(|endless| (beginning, endless)))
            {
                let mut parser = EventParser::new(limit);
                parser.push(beginning.as_bytes(), |_| ());
                let chunk = endless.repeat(4000 / endless.len());
                for _ in 0..30 {
                    parser.push(&chunk, |_| ());
                    assert!(parser.capacity() <= limit + CONSTANT, "{beginning:?} {endless:?}");
                }
            }
        }
    }

    #[test]
    fn memory_of_a_large_event_is_freed() {
        let mut parser = EventParser::default();
        let event = ["data:", &"x".repeat(10_000_000), "\n"].concat();
        parser.push(event.as_bytes(), |_| ());
        assert!(parser.capacity() >= 10_000_000);
        parser.push(b"\n", |parsed| assert!(matches!(parsed, Parsed::Event(_))));
        assert!(parser.capacity() <= KEPT_BYTES + CONSTANT);

        parser.push(event.as_bytes(), |_| ());
        parser.reconnect();
        assert!(parser.capacity() <= KEPT_BYTES + CONSTANT);
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        const TEXTS: [&str; 10] =
            ["data:", "id:", "event:", "retry:", ":", "\n", "\r", "\r\n", "\n\n", "\0"];
        let runs = (any::<u8>(), 0..10_000_usize).prop_map(|(byte, length)| vec![byte; length]);
        prop_oneof![
            4 => select(&TEXTS).prop_map(|text| text.as_bytes().to_vec()),
            2 => runs,
            2 => vec(any::<u8>(), 0..20),
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_stay_within_the_limit(
            limit in 0..30_000_usize,
            pieces in vec(piece(), 0..60),
        ) {
            let mut parser = EventParser::new(limit);
            for piece in pieces {
                parser.push(&piece, |parsed| if let Parsed::Event(event) = parsed {
                    assert!(event.data.len() <= limit);
                    assert!(event.event_type.len() <= MAX_VALUE_BYTES);
                    assert!(event.last_event_id.len() <= MAX_VALUE_BYTES);
                });
                prop_assert!(parser.capacity() <= limit + CONSTANT);
            }
        }
    }
}
