//! Reading JSON text: a value is skipped, which finds its end and checks its grammar, or read.
//!
//! It accepts what `serde_json` accepts, down to its limits, and is a reader of our own because
//! loading a payload is little else: names and strings are borrowed, a list is allocated once
//! when its length is known, and skipping leaves the reader where it can go on.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::ops::Range;

use super::tape::{Place, Tape, Token};
use super::{Json, MAX_DEPTH, Number};

impl<'a> Json<'a> {
    /// Reads a value; `None` for what is no JSON, half a surrogate pair or a number out of range
    /// included, and for what nests [`MAX_DEPTH`] levels deep.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Tape::parse(text).map(Tape::into_json)
    }
}

impl<'a> Tape<'a> {
    /// A tape with the value that is all of the text; `None` as for [`Json::parse`].
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (mut tape, mut reader) = (Tape::default(), TextReader::new(text));
        reader.value(&mut tape)?;
        reader.end()?;
        Some(tape)
    }
}

/// A place in a JSON text.
pub(crate) struct TextReader<'a> {
    text: &'a str,
    at: usize,
    /// The brackets open around a value that is read or skipped.
    open: Vec<u8>,
}

/// The entries of a list or an object, one after another.
pub(crate) struct Entries {
    close: u8,
    is_first: bool,
}

impl<'a> TextReader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        TextReader { text, at: 0, open: Vec::new() }
    }

    /// Enters the object that stands here.
    pub(crate) fn enter_object(&mut self) -> Option<Entries> {
        self.expect(b'{')?;
        Some(Entries { close: b'}', is_first: true })
    }

    /// Enters the list that stands here.
    pub(crate) fn enter_list(&mut self) -> Option<Entries> {
        self.expect(b'[')?;
        Some(Entries { close: b']', is_first: true })
    }

    /// Moves on to the next entry, or behind the last: then the answer is false.
    pub(crate) fn next_entry(&mut self, entries: &mut Entries) -> Option<bool> {
        let is_first = core::mem::replace(&mut entries.is_first, false);
        let byte = self.token()?;
        if byte == entries.close {
            self.at += 1;
            return Some(false);
        }
        if !is_first {
            self.expect(b',')?;
        }
        Some(true)
    }

    /// A member's name with its colon. What is no text is handed over as it is written.
    pub(crate) fn name(&mut self) -> Option<Result<Cow<'a, str>, &'a str>> {
        self.expect(b'"')?;
        let start = self.at;
        let name = match self.string() {
            Some(name) => Ok(name),
            None => {
                self.at = start;
                self.skip_string()?;
                Err(self.text.get(start..self.at - 1)?)
            }
        };
        self.expect(b':')?;
        Some(name)
    }

    /// The text of the value that stands here.
    pub(crate) fn skip(&mut self) -> Option<&'a str> {
        self.token()?;
        let start = self.at;
        self.value(&mut Skipped)?;
        self.text.get(start..self.at)
    }

    /// Reads the value that stands here: its place on the tape, unless it cannot be read, and
    /// where its text lies.
    pub(crate) fn read(&mut self, tape: &mut Tape<'a>) -> Option<(Option<Place>, Range<usize>)> {
        self.token()?;
        let start = self.at;
        let place = tape.end();
        if self.value(tape).is_some() {
            return Some((Some(place), start..self.at));
        }
        tape.truncate(place);
        self.at = start;
        self.value(&mut Skipped)?;
        Some((None, start..self.at))
    }

    /// Nothing but white space is left.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.token().is_none().then_some(())
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The first byte behind white space, where the reader stands then.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.token()? == byte).then(|| self.at += 1)
    }

    fn literal(&mut self, literal: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.starts_with(literal.as_bytes()).then(|| self.at += literal.len())
    }
}

/// What becomes of a value that the reader goes over. `None` gives it up.
trait Sink<'a> {
    /// The rest of a string behind its opening quote, as a value or as a name.
    fn string(&mut self, reader: &mut TextReader<'a>) -> Option<()>;
    fn number(&mut self, reader: &mut TextReader<'a>) -> Option<()>;
    /// One of three words.
    fn word(&mut self, word: Token<'a>);
    fn open(&mut self, level: usize) -> Option<()>;
    fn close_array(&mut self) -> Option<()>;
    fn close_object(&mut self) -> Option<()>;
}

/// A value that is skipped, which finds its end and checks its grammar.
struct Skipped;

impl<'a> Sink<'a> for Skipped {
    #[inline]
    fn string(&mut self, reader: &mut TextReader<'a>) -> Option<()> {
        reader.skip_string()
    }

    #[inline]
    fn number(&mut self, reader: &mut TextReader<'a>) -> Option<()> {
        reader.skip_number()
    }

    fn word(&mut self, _: Token<'a>) {}

    fn open(&mut self, _: usize) -> Option<()> {
        Some(())
    }

    fn close_array(&mut self) -> Option<()> {
        Some(())
    }

    fn close_object(&mut self) -> Option<()> {
        Some(())
    }
}

impl<'a> Sink<'a> for Tape<'a> {
    #[inline]
    fn string(&mut self, reader: &mut TextReader<'a>) -> Option<()> {
        self.push(Token::String(reader.string()?));
        Some(())
    }

    #[inline]
    fn number(&mut self, reader: &mut TextReader<'a>) -> Option<()> {
        self.push(Token::Number(reader.number()?));
        Some(())
    }

    #[inline]
    fn word(&mut self, word: Token<'a>) {
        self.push(word);
    }

    #[inline]
    fn open(&mut self, level: usize) -> Option<()> {
        (level < MAX_DEPTH).then(|| self.open())
    }

    #[inline]
    fn close_array(&mut self) -> Option<()> {
        self.close_array();
        Some(())
    }

    #[inline]
    fn close_object(&mut self) -> Option<()> {
        self.close_object()
    }
}

impl<'a> TextReader<'a> {
    /// Goes over a value. With a list of open brackets instead of recursion: what is skipped may
    /// nest any deep.
    fn value<S: Sink<'a>>(&mut self, sink: &mut S) -> Option<()> {
        self.open.clear();
        loop {
            match self.token()? {
                b'"' => {
                    self.at += 1;
                    sink.string(self)?;
                }
                b'{' => {
                    self.open(b'{', sink)?;
                    if self.token()? != b'}' {
                        self.member_name(sink)?;
                        continue;
                    }
                }
                b'[' => {
                    self.open(b'[', sink)?;
                    if self.token()? != b']' {
                        continue;
                    }
                }
                b't' => {
                    self.literal("true")?;
                    sink.word(Token::Bool(true));
                }
                b'f' => {
                    self.literal("false")?;
                    sink.word(Token::Bool(false));
                }
                b'n' => {
                    self.literal("null")?;
                    sink.word(Token::Null);
                }
                _ => sink.number(self)?,
            }
            loop {
                let Some(&open) = self.open.last() else {
                    return Some(());
                };
                match (self.token()?, open) {
                    (b',', b'{') => {
                        self.at += 1;
                        self.member_name(sink)?;
                        break;
                    }
                    (b',', _) => {
                        self.at += 1;
                        break;
                    }
                    (b'}', b'{') => sink.close_object()?,
                    (b']', b'[') => sink.close_array()?,
                    _ => return None,
                }
                self.at += 1;
                self.open.pop();
            }
        }
    }

    #[inline]
    fn open<S: Sink<'a>>(&mut self, bracket: u8, sink: &mut S) -> Option<()> {
        self.at += 1;
        self.open.push(bracket);
        sink.open(self.open.len())
    }

    #[inline]
    fn member_name<S: Sink<'a>>(&mut self, sink: &mut S) -> Option<()> {
        self.expect(b'"')?;
        sink.string(self)?;
        self.expect(b':')
    }
}

/// Skipping.
impl TextReader<'_> {
    /// The rest of a string behind its opening quote.
    #[inline]
    fn skip_string(&mut self) -> Option<()> {
        self.skip_plain();
        if self.byte()? != b'"' {
            return self.skip_escapes();
        }
        self.at += 1;
        Some(())
    }

    /// The rest of a string where something stands that does not stand for itself.
    #[cold]
    fn skip_escapes(&mut self) -> Option<()> {
        while self.byte()? != b'"' {
            self.literal("\\")?;
            let escape = self.byte()?;
            self.at += 1;
            match escape {
                b'u' => _ = self.hex()?,
                _ => _ = simple_escape(escape)?,
            }
            self.skip_plain();
        }
        self.at += 1;
        Some(())
    }

    /// The part of a string that stands for itself.
    #[inline]
    fn skip_plain(&mut self) {
        self.at += plain_length(self.text.as_bytes().get(self.at..).unwrap_or_default());
    }

    fn skip_number(&mut self) -> Option<()> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte()? {
            b'0' => self.at += 1,
            _ => self.skip_digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        // A digit behind a leading zero is left over, and no value ends there.
        Some(())
    }

    fn skip_digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// Reading.
impl<'a> TextReader<'a> {
    fn number(&mut self) -> Option<Number> {
        let start = self.at;
        self.skip_number()?;
        Number::from_json_text(self.text.get(start..self.at)?)
    }

    /// The rest of a string behind its opening quote; `None` for one that is no text.
    #[inline]
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.text.get(self.at..)?;
        let (plain, rest) = rest.split_at_checked(plain_length(rest.as_bytes()))?;
        self.at += plain.len();
        if rest.as_bytes().first() != Some(&b'"') {
            return self.unescaped(plain).map(Cow::Owned);
        }
        self.at += 1;
        Some(Cow::Borrowed(plain))
    }

    /// A string that begins so, where something stands that does not stand for itself.
    #[cold]
    fn unescaped(&mut self, plain: &str) -> Option<String> {
        let mut text = String::from(plain);
        while self.byte()? != b'"' {
            self.literal("\\")?;
            text.push(self.escape()?);
            let start = self.at;
            self.skip_plain();
            text.push_str(self.text.get(start..self.at)?);
        }
        self.at += 1;
        Some(text)
    }

    /// What an escape stands for, behind its backslash.
    fn escape(&mut self) -> Option<char> {
        let escape = self.byte()?;
        self.at += 1;
        if escape != b'u' {
            return simple_escape(escape);
        }
        let unit = self.hex()?;
        if let Some(char) = char::from_u32(unit.into()) {
            return Some(char);
        }
        self.literal(r"\u")?;
        let pair = [unit, self.hex()?];
        match char::decode_utf16(pair).next()? {
            Ok(char) if char.len_utf16() == pair.len() => Some(char),
            _ => None,
        }
    }

    /// Four hexadecimal digits.
    fn hex(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at += digits.len();
        u16::from_str_radix(digits, 16).ok()
    }
}

fn simple_escape(escape: u8) -> Option<char> {
    Some(match escape {
        b'"' | b'\\' | b'/' => char::from(escape),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

/// How many bytes stand for themselves in a string: up to a quote, a backslash or a control
/// character. Eight are looked at together.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    // Most names and strings end here.
    if let Some(chunk) = bytes.first_chunk() {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return special.trailing_zeros() as usize / 8;
        }
    }
    long_plain_length(bytes)
}

#[inline(never)]
fn long_plain_length(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((chunk, behind)) = rest.split_first_chunk() {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return bytes.len() - rest.len() + special.trailing_zeros() as usize / 8;
        }
        rest = behind;
    }
    let plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes.len() - rest.len() + rest.iter().take_while(plain).count()
}

/// The highest bit of every byte that is a quote, a backslash or a control character, and perhaps
/// of others behind the first such one.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGHEST_BITS
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// The same text is skipped and read, or not, as by `serde_json`, to the same value.
    fn agrees(text: &str) {
        let skipped: Option<String> = {
            let mut reader = TextReader::new(text);
            reader.skip().map(ToString::to_string).filter(|_| reader.end().is_some())
        };
        let raw: Option<&RawValue> = serde_json::from_str(text).ok();
        assert_eq!(skipped.as_deref(), raw.map(RawValue::get), "{text:?}");
        let read = Json::parse(text);
        let expected: Option<Json<'_>> = serde_json::from_str(text).ok();
        assert_eq!(read.map(|it| it.to_text()), expected.map(|it| it.to_text()), "{text:?}");
    }

    #[test]
    fn text_is_read_as_serde_json_reads_it() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let objects = |levels: usize| r#"{"a":"#.repeat(levels) + "1" + &"}".repeat(levels);
        let texts = [
            "",
            " ",
            "null",
            "nul",
            "true ",
            "\tfalse\r\n",
            "truefalse",
            "0",
            "-0",
            "00",
            "01",
            "-",
            "1.",
            ".5",
            "1.5",
            "1e5",
            "1E+5",
            "1e-5",
            "1e",
            "1e+",
            "1e400",
            "-1e400",
            "1e-400",
            "0e999999999999",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "123456789012345678901234567890.5",
            "0.1",
            "+1",
            "NaN",
            "[]",
            "[ ]",
            "[1,2 , 3]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1",
            "]",
            "{}",
            "{ }",
            r#"{"a":1}"#,
            r#"{"a":1,}"#,
            r#"{"a" : 1 , "b":[{}]}"#,
            r#"{a:1}"#,
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1"#,
            r#"{"a":1]"#,
            r#"["a"}"#,
            r#""""#,
            r#""abcdefgh""#,
            r#""abcdefghi"#,
            r#""a\"b\\c\/\b\f\n\r\t""#,
            r#""\x""#,
            r#""\u00e9\ud83d\ude00""#,
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d\ud83d""#,
            r#""\ud83d\u0041""#,
            r#""\ud83dabcdef""#,
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\u+123""#,
            "\"\u{1f}\"",
            "\"\u{7f}é😀\"",
            "\"é\\u00e9é\"",
            r#""\u0000""#,
            r#"{"2":0,"1":0,"b":0,"b":1}"#,
            r#"{"\ud800":1}"#,
            r#"{"$serde_json::private::Number":"12.5"}"#,
            r#"{"$serde_json::private::Number":"x"}"#,
        ];
        for text in texts {
            agrees(text);
        }
        for levels in [126, 127, 128, 129, 10_000] {
            agrees(&nested(levels));
            agrees(&objects(levels));
        }
    }

    #[test]
    fn plain_text_ends_at_the_first_special_byte() {
        for length in 0..40 {
            for special in ["\"", "\\", "\u{1f}", "\0", "\n"] {
                let text = format!("{}{special}\"\\\u{1}tail", "é a!#[]~\u{7f}".repeat(9));
                let mut reader = TextReader::new(&text);
                let expected = text.find(special).unwrap();
                reader.at = expected.saturating_sub(length);
                reader.skip_plain();
                assert_eq!(reader.at, expected);
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let text = r#"[[{"a": [1, "b", "\ud800"]}], 1e400 ,"x"]"#;
        let mut reader = TextReader::new(text);
        let mut entries = reader.enter_list().unwrap();
        let (mut tape, mut texts) = (Tape::default(), Vec::new());
        while reader.next_entry(&mut entries).unwrap() {
            let (place, range) = reader.read(&mut tape).unwrap();
            texts.push((place.is_some(), &text[range]));
        }
        let expected =
            [(false, r#"[{"a": [1, "b", "\ud800"]}]"#), (false, "1e400"), (true, r#""x""#)];
        assert_eq!(texts, expected);
        assert!(reader.end().is_some());
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_serde_json_reads_it(
            tokens in prop::collection::vec(prop::sample::select(&[
                "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"b\":", "\"\\u00", "e9\"", "\\", "0",
                "-", "12", ".", "e", "+", " ", "\n", "true", "null", "é", "\u{1}", "\"\\ud83d\\ude00\"",
                "{\"a\":1}", "[1,2]", "\"1\":",
            ][..]), 0..14),
        ) {
            agrees(&tokens.concat());
        }
    }
}
