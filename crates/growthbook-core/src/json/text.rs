//! Reading JSON text: a value is skipped, which finds its end and checks its grammar, or read.
//!
//! It accepts what `serde_json` accepts, down to its limits, and is a reader of our own because
//! loading a payload is little else: names and strings are borrowed, a list is allocated once
//! when its length is known, and skipping leaves the reader where it can go on.

use alloc::{borrow::Cow, vec::Vec};
use core::ops::Range;

use super::Json;
use super::scanner::Scanner;
use super::tape::{Place, Tape, Token};

impl<'a> Json<'a> {
    /// Reads a value; `None` for what is no JSON, half a surrogate pair or a number out of range
    /// included, and for what nests [`MAX_JSON_DEPTH`](crate::limits::MAX_JSON_DEPTH) levels deep.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Tape::parse(text).map(Tape::into_json)
    }
}

impl<'a> Tape<'a> {
    /// A tape with the value that is all of the text; `None` as for [`Json::parse`].
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut tape = Tape::default();
        let scanner = Scanner::new(text);
        let behind = behind_value(scanner, 0, &mut tape)?;
        scanner.token(behind).is_none().then_some(tape)
    }
}

/// A place in a JSON text, and what it takes to go on from there.
pub(crate) struct TextReader<'a> {
    scanner: Scanner<'a>,
    at: usize,
    skipped: Skipped,
}

/// The entries of a list or an object, one after another.
pub(crate) struct Entries {
    close: u8,
    is_first: bool,
}

impl<'a> TextReader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        TextReader { scanner: Scanner::new(text), at: 0, skipped: Skipped::default() }
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
        if self.token()? == entries.close {
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
        let name = match self.scanner.string(start) {
            Some((name, behind)) => {
                self.at = behind;
                Ok(name)
            }
            None => {
                self.at = self.scanner.behind_string(start)?;
                Err(self.scanner.part(start, self.at - 1)?)
            }
        };
        self.expect(b':')?;
        Some(name)
    }

    /// The text of the value that stands here.
    pub(crate) fn skip(&mut self) -> Option<&'a str> {
        self.token()?;
        let start = self.at;
        self.at = self.behind_skipped(start)?;
        self.scanner.part(start, self.at)
    }

    fn behind_skipped(&mut self, start: usize) -> Option<usize> {
        self.skipped.open.clear();
        behind_value(self.scanner, start, &mut self.skipped)
    }

    /// Reads the value that stands here: its place on the tape, unless it cannot be read, and
    /// where its text lies.
    pub(crate) fn read(&mut self, tape: &mut Tape<'a>) -> Option<(Option<Place>, Range<usize>)> {
        self.token()?;
        let (start, place) = (self.at, tape.end());
        let read = behind_value(self.scanner, start, tape);
        self.at = match read {
            Some(behind) => behind,
            None => {
                tape.truncate(place);
                self.behind_skipped(start)?
            }
        };
        Some((read.map(|_| place), start..self.at))
    }

    /// Nothing but white space is left.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.token().is_none().then_some(())
    }

    /// The first byte behind white space, where the reader stands then.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        let (byte, at) = self.scanner.token(self.at)?;
        self.at = at;
        Some(byte)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.at = self.scanner.behind_token(self.at, byte)?;
        Some(())
    }
}

/// What holds several values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    List,
    Object,
}

/// What becomes of a value that is gone over. It reads names, strings and numbers, and answers
/// with the place behind them. `None` gives the value up.
pub(super) trait Sink<'a> {
    /// A member's name, from behind its opening quote.
    fn name(&mut self, text: Scanner<'a>, at: usize) -> Option<usize>;
    /// A string, from behind its opening quote.
    fn string(&mut self, text: Scanner<'a>, at: usize) -> Option<usize>;
    fn number(&mut self, text: Scanner<'a>, at: usize) -> Option<usize>;
    /// One of three words.
    fn word(&mut self, word: Token<'a>);
    fn open(&mut self, bracket: Bracket) -> Option<()>;
    /// Closes the list or object that was opened last.
    fn close(&mut self) -> Option<()>;
    /// What was opened last and is not closed yet.
    fn innermost(&self) -> Option<Bracket>;
}

/// A value that is skipped, which finds its end and checks its grammar.
#[derive(Default)]
struct Skipped {
    open: Vec<Bracket>,
}

impl<'a> Sink<'a> for Skipped {
    #[inline(always)]
    fn name(&mut self, text: Scanner<'a>, at: usize) -> Option<usize> {
        text.behind_string(at)
    }

    #[inline(always)]
    fn string(&mut self, text: Scanner<'a>, at: usize) -> Option<usize> {
        text.behind_string(at)
    }

    #[inline(always)]
    fn number(&mut self, text: Scanner<'a>, at: usize) -> Option<usize> {
        text.behind_number(at)
    }

    #[inline(always)]
    fn word(&mut self, _: Token<'a>) {}

    #[inline(always)]
    fn open(&mut self, bracket: Bracket) -> Option<()> {
        self.open.push(bracket);
        Some(())
    }

    #[inline(always)]
    fn close(&mut self) -> Option<()> {
        self.open.pop().map(|_| ())
    }

    #[inline(always)]
    fn innermost(&self) -> Option<Bracket> {
        self.open.last().copied()
    }
}

/// Goes over a value, to the place behind it. With a list of open brackets instead of recursion:
/// what is skipped may nest any deep.
fn behind_value<'a, S: Sink<'a>>(text: Scanner<'a>, mut at: usize, sink: &mut S) -> Option<usize> {
    let mut inside = None;
    loop {
        if inside == Some(Bracket::Object) {
            at = sink.name(text, text.behind_token(at, b'"')?)?;
            at = text.behind_token(at, b':')?;
        }
        let (byte, start) = text.token(at)?;
        match byte {
            b'"' => at = sink.string(text, start + 1)?,
            b'{' => {
                sink.open(Bracket::Object)?;
                inside = Some(Bracket::Object);
                at = start + 1;
                if text.token(at)?.0 != b'}' {
                    continue;
                }
            }
            b'[' => {
                sink.open(Bracket::List)?;
                inside = Some(Bracket::List);
                at = start + 1;
                if text.token(at)?.0 != b']' {
                    continue;
                }
            }
            b't' => {
                at = text.behind_literal(start, "true")?;
                sink.word(Token::Bool(true));
            }
            b'f' => {
                at = text.behind_literal(start, "false")?;
                sink.word(Token::Bool(false));
            }
            b'n' => {
                at = text.behind_literal(start, "null")?;
                sink.word(Token::Null);
            }
            _ => at = sink.number(text, start)?,
        }
        // Behind a value: the next one, or the end of what holds it.
        loop {
            let Some(bracket) = inside else {
                return Some(at);
            };
            let (byte, end) = text.token(at)?;
            at = end + 1;
            match (byte, bracket) {
                (b',', _) => break,
                (b'}', Bracket::Object) | (b']', Bracket::List) => {
                    sink.close()?;
                    inside = sink.innermost();
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

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
