//! The events of a stream of server-sent events, however its bytes are cut.

mod sse_model;

use std::time::Duration;

use growthbook_fetch::sse::{DEFAULT_MAX_EVENT_BYTES, EventParser, MAX_VALUE_BYTES, Parsed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sse_model::{Told, interpret, parse};

const LIMIT: usize = 1000;

/// Name, stream, events, and the last event ID.
type Case = (&'static str, &'static [u8], Vec<Told>, &'static str);

fn event(event_type: &str, data: &str, last_event_id: &str) -> Told {
    let [event_type, data, last_event_id] =
        [event_type, data, last_event_id].map(ToOwned::to_owned);
    Told::Event { event_type, data, last_event_id }
}

fn message(data: &str) -> Told {
    event("message", data, "")
}

fn retry(milliseconds: u64) -> Told {
    Told::Retry(Duration::from_millis(milliseconds))
}

fn cases() -> Vec<Case> {
    [growthbook(), standard(), line_ends(), fields(), ids(), types(), retries(), bytes(), ends()]
        .concat()
}

fn growthbook() -> Vec<Case> {
    vec![
        ("greeting", b"retry: 10000\n\n", vec![retry(10_000)], ""),
        ("ping", b"data: \n\n", vec![message("")], ""),
        (
            "update",
            b"id: 7 \nevent: features\ndata: {\"features\":{}}\n\n",
            vec![event("features", "{\"features\":{}}", "7 ")],
            "7 ",
        ),
        (
            "remote evaluation's update",
            b"id: 8 \nevent: features-updated\ndata: \n\n",
            vec![event("features-updated", "", "8 ")],
            "8 ",
        ),
        (
            "greeting, replay, ping",
            b"retry: 10000\n\nid: 1 \nevent: features\ndata: {}\n\ndata: \n\n",
            vec![retry(10_000), event("features", "{}", "1 "), event("message", "", "1 ")],
            "1 ",
        ),
        (
            "update in two data lines",
            b"event: features\ndata: {\"features\":\ndata: {}}\n\n",
            vec![event("features", "{\"features\":\n{}}", "")],
            "",
        ),
    ]
}

/// The examples in the standard.
fn standard() -> Vec<Case> {
    vec![
        (
            "two lines of data",
            b"data: This is the first message.\n\ndata: This is the second message, it\n\
              data: has two lines.\n\ndata: This is the third message.\n\n",
            vec![
                message("This is the first message."),
                message("This is the second message, it\nhas two lines."),
                message("This is the third message."),
            ],
            "",
        ),
        (
            "named events",
            b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n\
              event: add\ndata: 113411\n\n",
            vec![
                event("add", "73857293", ""),
                event("remove", "2153", ""),
                event("add", "113411", ""),
            ],
            "",
        ),
        ("stock prices", b"data: YHOO\ndata: +2\ndata: 10\n\n", vec![message("YHOO\n+2\n10")], ""),
        (
            "comment, ids and a leading space that stays",
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n\
              data:  third event\n\n",
            vec![
                event("message", "first event", "1"),
                event("message", "second event", ""),
                event("message", " third event", ""),
            ],
            "",
        ),
        (
            "empty data, and an event without end",
            b"data\n\ndata\ndata\n\ndata:",
            vec![message(""), message("\n")],
            "",
        ),
        (
            "space or none",
            b"data:test\n\ndata: test\n\n",
            vec![message("test"), message("test")],
            "",
        ),
    ]
}

fn line_ends() -> Vec<Case> {
    vec![
        ("LF", b"data: a\ndata: b\n\n", vec![message("a\nb")], ""),
        ("CR", b"data: a\rdata: b\r\r", vec![message("a\nb")], ""),
        ("CRLF", b"data: a\r\ndata: b\r\n\r\n", vec![message("a\nb")], ""),
        ("LF, then CR", b"data: a\n\r", vec![message("a")], ""),
        ("CR, then CRLF", b"data: a\r\r\n", vec![message("a")], ""),
        ("CRLF, then LF", b"data: a\r\n\n", vec![message("a")], ""),
        ("CRLF, then CR", b"data: a\r\n\r", vec![message("a")], ""),
        ("LF, then CRLF", b"data: a\n\r\n", vec![message("a")], ""),
        ("one CRLF ends no event", b"data: a\r\n", vec![], ""),
        (
            "LF CR LF between lines ends one",
            b"data: a\n\r\ndata: b\n\n",
            vec![message("a"), message("b")],
            "",
        ),
        (
            "all of them",
            b"data: a\rdata: b\ndata: c\r\ndata: d\r\r\n",
            vec![message("a\nb\nc\nd")],
            "",
        ),
        ("blank lines only", b"\n\n\r\r\r\n\r\n", vec![], ""),
        (
            "blank lines before and between",
            b"\n\r\ndata: a\n\n\n\n\rdata: b\n\n\n",
            vec![message("a"), message("b")],
            "",
        ),
        (
            "other line separators are none",
            "data: a\u{2028}b\u{2029}c\u{85}d\x0be\x0cf\n\n".as_bytes(),
            vec![message("a\u{2028}b\u{2029}c\u{85}d\x0be\x0cf")],
            "",
        ),
        (
            "a line of blanks is none that is blank",
            b"data: a\n \ndata: b\n\n",
            vec![message("a\nb")],
            "",
        ),
    ]
}

fn fields() -> Vec<Case> {
    vec![
        ("nothing", b"", vec![], ""),
        ("one leading space", b"data: a\n\n", vec![message("a")], ""),
        ("no leading space", b"data:a\n\n", vec![message("a")], ""),
        ("two leading spaces", b"data:  a\n\n", vec![message(" a")], ""),
        ("one space alone", b"data: \n\n", vec![message("")], ""),
        ("two spaces alone", b"data:  \n\n", vec![message(" ")], ""),
        ("a leading tab stays", b"data:\ta\n\n", vec![message("\ta")], ""),
        ("trailing blanks stay", b"data: a \t \n\n", vec![message("a \t ")], ""),
        ("more colons", b"data:a:b: c::\n\n", vec![message("a:b: c::")], ""),
        ("a colon as value", b"data::\n\n", vec![message(":")], ""),
        ("a space, then a colon", b"data: :\n\n", vec![message(":")], ""),
        ("data without colon", b"data\n\n", vec![message("")], ""),
        ("data without colon, twice", b"data\ndata\n\n", vec![message("\n")], ""),
        ("data thrice, without text", b"data:\ndata\ndata: \n\n", vec![message("\n\n")], ""),
        (
            "text between empty lines of data",
            b"data\ndata: a\ndata\n\n",
            vec![message("\na\n")],
            "",
        ),
        ("comments", b": one\n:\n::\n:data: a\n\n", vec![], ""),
        ("comments within an event", b"data: a\n: no\ndata: b\n:\n\n", vec![message("a\nb")], ""),
        ("unknown field", b"other: x\ndata: a\nother\n\n", vec![message("a")], ""),
        ("unknown field alone", b"other: x\n\n", vec![], ""),
        ("name in capitals", b"DATA: a\nData: b\n\n", vec![], ""),
        ("blank before the name", b" data: a\n\n", vec![], ""),
        ("blank behind the name", b"data : a\n\n", vec![], ""),
        ("beginning of a name", b"dat: a\nda\nd:\n\n", vec![], ""),
        ("more than a name", b"datas: a\ndata2\nevents: x\n\n", vec![], ""),
        ("NUL in a name", b"da\0ta: a\ndata\0: a\n\n", vec![], ""),
        ("no UTF-8 in a name", b"data\xff: a\n\xffdata: a\n\n", vec![], ""),
        (
            "an unknown name of other than ASCII",
            "d\u{e4}ta: a\n\u{1f600}: a\n\n".as_bytes(),
            vec![],
            "",
        ),
        (
            "a long name",
            b"a-very-long-name-of-a-field-that-nobody-knows: a\ndata: b\n\n",
            vec![message("b")],
            "",
        ),
        (
            "a long name without colon",
            b"a very long line that is no field of any kind\ndata: b\n\n",
            vec![message("b")],
            "",
        ),
        (
            "a web page",
            b"<!doctype html>\n<html>\n\n<body>data: a\n\n</body></html>\n\n",
            vec![],
            "",
        ),
        ("JSON", b"{\"data\": 1}\n\n", vec![], ""),
        ("a number for a line", b"0\r\n\r\n", vec![], ""),
    ]
}

fn ids() -> Vec<Case> {
    vec![
        ("id", b"id: 1\ndata: a\n\n", vec![event("message", "a", "1")], "1"),
        ("id behind the data", b"data: a\nid: 1\n\n", vec![event("message", "a", "1")], "1"),
        (
            "id stays",
            b"id: 1\ndata: a\n\ndata: b\n\n",
            vec![event("message", "a", "1"), event("message", "b", "1")],
            "1",
        ),
        ("the last id counts", b"id: 1\nid: 2\ndata: a\n\n", vec![event("message", "a", "2")], "2"),
        (
            "empty id resets",
            b"id: 1\ndata: a\n\nid:\ndata: b\n\n",
            vec![event("message", "a", "1"), event("message", "b", "")],
            "",
        ),
        ("id without colon resets", b"id: 1\n\nid\ndata: b\n\n", vec![message("b")], ""),
        ("id of a space resets", b"id: 1\n\nid: \ndata: b\n\n", vec![message("b")], ""),
        ("id with NUL", b"id: 1\0\ndata: a\n\n", vec![message("a")], ""),
        (
            "id with NUL keeps the one before",
            b"id: 1\nid: \0\nid: 2\x003\ndata: a\n\n",
            vec![event("message", "a", "1")],
            "1",
        ),
        ("id without event", b"id: 1\n\n", vec![], "1"),
        ("id of an event that is not complete", b"id: 1\n\nid: 2\ndata: a\n", vec![], "1"),
        ("id of a line that is not complete", b"id: 1\n\nid: 2", vec![], "1"),
        ("id with blanks", b"id:  a b \t\n\n", vec![], " a b \t"),
        ("id of other than ASCII", "id: \u{1f600}\u{e9}\n\n".as_bytes(), vec![], "\u{1f600}\u{e9}"),
        ("id that is no UTF-8", b"id: a\xff\n\n", vec![], "a\u{fffd}"),
        ("id in capitals", b"ID: 1\nId: 2\ndata: a\n\n", vec![message("a")], ""),
        ("id that is a bit of a character", b"id: \xf0\x9f\r\r", vec![], "\u{fffd}"),
    ]
}

fn types() -> Vec<Case> {
    vec![
        ("type", b"event: x\ndata: a\n\n", vec![event("x", "a", "")], ""),
        ("type behind the data", b"data: a\nevent: x\n\n", vec![event("x", "a", "")], ""),
        (
            "type of one event only",
            b"event: x\ndata: a\n\ndata: b\n\n",
            vec![event("x", "a", ""), message("b")],
            "",
        ),
        ("type without data is forgotten", b"event: x\n\ndata: a\n\n", vec![message("a")], ""),
        ("the last type counts", b"event: x\nevent: y\ndata: a\n\n", vec![event("y", "a", "")], ""),
        ("empty type is none", b"event: x\nevent:\ndata: a\n\n", vec![message("a")], ""),
        ("type without colon is none", b"event: x\nevent\ndata: a\n\n", vec![message("a")], ""),
        ("type with blanks", b"event:  x \ndata: a\n\n", vec![event(" x ", "a", "")], ""),
        ("type with NUL", b"event: x\0y\ndata: a\n\n", vec![event("x\0y", "a", "")], ""),
        (
            "type that is no UTF-8",
            b"event: \xc3\ndata: a\n\n",
            vec![event("\u{fffd}", "a", "")],
            "",
        ),
    ]
}

fn retries() -> Vec<Case> {
    vec![
        ("retry", b"retry: 3000\n", vec![retry(3000)], ""),
        ("retry needs no blank line, but its own end", b"retry: 3000", vec![], ""),
        ("retry of 0", b"retry: 0\n\n", vec![retry(0)], ""),
        ("retry with zeros in front", b"retry: 000030\n\n", vec![retry(30)], ""),
        (
            "retry within an event",
            b"data: a\nretry: 5\ndata: b\n\n",
            vec![retry(5), message("a\nb")],
            "",
        ),
        ("retry twice", b"retry: 1\nretry: 2\n\n", vec![retry(1), retry(2)], ""),
        ("empty retry", b"retry\nretry:\nretry: \n\n", vec![], ""),
        ("negative retry", b"retry: -1\nretry: +1\n\n", vec![], ""),
        ("retry with blanks", b"retry:  1\nretry: 1 \nretry: 1 0\nretry:\t1\n\n", vec![], ""),
        (
            "retry of some other number",
            b"retry: 1.5\nretry: 1e3\nretry: 0x10\nretry: 1_000\n\n",
            vec![],
            "",
        ),
        ("retry with letters", b"retry: 1000ms\nretry: x1000\nretry: NaN\n\n", vec![], ""),
        (
            "retry in other digits",
            "retry: \u{663}\u{660}\nretry: \u{ff11}\n\n".as_bytes(),
            vec![],
            "",
        ),
        ("retry with NUL", b"retry: 1\0\n\n", vec![], ""),
        ("largest retry", b"retry: 18446744073709551615\n", vec![retry(u64::MAX)], ""),
        ("larger retry", b"retry: 18446744073709551616\n", vec![retry(u64::MAX)], ""),
        (
            "absurd retry",
            b"retry: 9999999999999999999999999999999999999999999999999\n",
            vec![retry(u64::MAX)],
            "",
        ),
    ]
}

fn bytes() -> Vec<Case> {
    vec![
        (
            "characters of all lengths",
            "data: a\u{e9}\u{20ac}\u{1f600}\n\n".as_bytes(),
            vec![message("a\u{e9}\u{20ac}\u{1f600}")],
            "",
        ),
        ("byte order mark", b"\xef\xbb\xbfdata: a\n\n", vec![message("a")], ""),
        ("byte order mark alone", b"\xef\xbb\xbf", vec![], ""),
        (
            "byte order mark before a blank line",
            b"\xef\xbb\xbf\n\ndata: a\n\n",
            vec![message("a")],
            "",
        ),
        (
            "byte order mark before a comment",
            b"\xef\xbb\xbf: hi\ndata: a\n\n",
            vec![message("a")],
            "",
        ),
        ("byte order mark twice", b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", vec![], ""),
        (
            "byte order mark on the second line",
            b"data: a\n\xef\xbb\xbfdata: b\n\n",
            vec![message("a")],
            "",
        ),
        ("byte order mark in the data", b"data: \xef\xbb\xbfa\n\n", vec![message("\u{feff}a")], ""),
        ("two thirds of a byte order mark", b"\xef\xbbdata: a\n\n", vec![], ""),
        ("one third of a byte order mark", b"\xef\ndata: a\n\n", vec![message("a")], ""),
        (
            "byte order mark, broken off and whole",
            b"\xef\xbb\xef\xbb\xbf\ndata: a\n\n",
            vec![message("a")],
            "",
        ),
        ("byte order mark of UTF-16", b"\xff\xfed\0a\0t\0a\0:\0 \0a\0\n\0\n\0", vec![], ""),
        ("NUL in the data", b"data: a\0b\n\n", vec![message("a\0b")], ""),
        (
            "bytes that begin nothing",
            b"data: \x80\xbf\xff\xfe\n\n",
            vec![message("\u{fffd}\u{fffd}\u{fffd}\u{fffd}")],
            "",
        ),
        (
            "characters broken off by a line end",
            b"data: \xe2\x82\ndata: \xf0\x9f\x98\rdata: \xc3\r\n\n",
            vec![message("\u{fffd}\n\u{fffd}\n\u{fffd}")],
            "",
        ),
        (
            "characters broken off by others",
            b"data: \xe2\x82a\xf0\x9f\xc3\xa9\xe2\xe2\x82\xac\n\n",
            vec![message("\u{fffd}a\u{fffd}\u{e9}\u{fffd}\u{20ac}")],
            "",
        ),
        (
            "character broken off by a field",
            b"data: \xf0\x9fdata: b\n\n",
            vec![message("\u{fffd}data: b")],
            "",
        ),
        (
            "overlong characters",
            b"data: \xc0\x8a\xe0\x80\x8a\n\n",
            vec![message("\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}")],
            "",
        ),
        (
            "half a surrogate pair",
            b"data: \xed\xa0\x80\n\n",
            vec![message("\u{fffd}\u{fffd}\u{fffd}")],
            "",
        ),
        (
            "beyond the last character",
            b"data: \xf4\x90\x80\x80\n\n",
            vec![message("\u{fffd}\u{fffd}\u{fffd}\u{fffd}")],
            "",
        ),
        (
            "gzip",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03KI,I\xb4RH\xe4\xe2\n\n\x02\0data: a\n\n",
            vec![],
            "",
        ),
        ("a space that is none", "data:\u{a0}a\n\n".as_bytes(), vec![message("\u{a0}a")], ""),
    ]
}

fn ends() -> Vec<Case> {
    vec![
        ("event without end", b"data: a\n", vec![], ""),
        ("line without end", b"data: a\n\ndata: b", vec![message("a")], ""),
        ("blank line without the line before it", b"data: a", vec![], ""),
        ("event and type without end", b"data: a\n\nevent: x\ndata: b\n", vec![message("a")], ""),
        ("character without end", b"data: a\n\ndata: \xe2\x82", vec![message("a")], ""),
        ("CR at the end", b"data: a\r\r", vec![message("a")], ""),
    ]
}

#[test]
fn cuts_do_not_change_the_events() {
    let cases = cases();
    assert!(cases.len() >= 80, "{}", cases.len());
    for (name, stream, expected, last_event_id) in cases {
        let expected = (expected, last_event_id.to_owned());
        assert_eq!(parse(LIMIT, [stream]), expected, "{name}");
        assert_eq!(parse(LIMIT, stream.chunks(1)), expected, "{name}, byte by byte");
        for size in 2..8 {
            assert_eq!(parse(LIMIT, stream.chunks(size)), expected, "{name}, by {size}");
        }
        for first in 0..=stream.len() {
            let (head, rest) = stream.split_at(first);
            assert_eq!(parse(LIMIT, [head, rest]), expected, "{name}, cut at {first}");
            for second in 0..=rest.len() {
                let (middle, tail) = rest.split_at(second);
                let pieces = [head, b"", middle, tail];
                assert_eq!(parse(LIMIT, pieces), expected, "{name}, cut at {first} and {second}");
            }
        }
    }
}

#[test]
fn parser_agrees_with_the_model() {
    for (name, stream, _, _) in cases() {
        let stream = [stream, b"\n"].concat();
        assert_eq!(interpret(LIMIT, &stream), parse(LIMIT, [&*stream]), "{name}");
    }
}

// Reconnecting.

#[test]
fn new_stream_keeps_only_the_last_event_id() {
    // The new stream does not depend on the unfinished part of the old one.
    let ends: [&[u8]; 16] = [
        b"",
        b"da",
        b"data",
        b"data:",
        b"data: a",
        b"data: a\n",
        b"data: \xe2\x82",
        b"event: x\n",
        b"event: x",
        b"id: 2",
        b"id: 2\ndata: a\n",
        b"retry: 1",
        b": no",
        b"unknown",
        b"\r",
        b"data: far too long\nid: 2\n",
    ];
    let streams: [&[u8]; 4] = [
        b"\ndata: b\n\n",
        b"event: message\ndata: b\n\n",
        b"\xef\xbb\xbfdata: b\n\n",
        b"\n\xef\xbb\xbf\ndata: b\n\n",
    ];
    for end in ends {
        for stream in streams {
            let mut parser = EventParser::new(8);
            parser.push(b"id: 1\n\n", |_| ());
            parser.push(end, |parsed| assert_eq!(parsed, Parsed::Oversized));
            parser.reconnect();
            assert_eq!(parser.last_event_id(), "1");

            let mut told = Vec::new();
            parser.push(stream, |parsed| told.push(Told::from(parsed)));
            assert_eq!(told, [event("message", "b", "1")], "{end:?} {stream:?}");
            assert_eq!(parser.last_event_id(), "1");
        }
    }
}

#[test]
fn empty_id_is_kept() {
    let mut parser = EventParser::default();
    parser.push(b"id: 1\n\nid\n\n", |_| ());
    parser.reconnect();
    parser.push(b"data: a\n\n", |parsed| assert_eq!(Told::from(parsed), message("a")));
    assert_eq!(parser.last_event_id(), "");
}

// Limits.

/// Returns the events of a stream with the limit 8, and checks that cuts do not change them.
fn limited(stream: &[u8]) -> (Vec<Told>, String) {
    let whole = parse(8, [stream]);
    for size in [1, 2, 3, 5, 7, 100] {
        assert_eq!(parse(8, stream.chunks(size)), whole, "{}", String::from_utf8_lossy(stream));
    }
    whole
}

#[test]
fn data_up_to_the_limit_is_accepted() {
    let fits: [&[u8]; 6] = [
        b"data: 12345678\n\n",
        b"data: 1234\ndata: 567\n\n",
        b"data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n",
        b"data: 12345\xff\n\n",
        b"data: 1234\xf0\x9f\x98\x80\n\n",
        b"data: 12345\xf0\x9f\x98\n\n",
    ];
    for stream in fits {
        let (told, _) = limited(stream);
        assert!(matches!(&*told, [Told::Event { data, .. }] if data.len() == 8), "{stream:?}");
    }
    let too_long: [&[u8]; 6] = [
        b"data: 123456789\n\n",
        b"data: 1234\ndata: 5678\n\n",
        b"data: 12345678\ndata\n\n",
        b"data: 123456\xff\n\n",
        b"data: 12345\xf0\x9f\x98\x80\n\n",
        b"data: 123456\xf0\x9f\x98\n\n",
    ];
    for stream in too_long {
        let stream = [stream, b"data: b\n\n"].concat();
        assert_eq!(limited(&stream).0, [Told::Oversized, message("b")], "{stream:?}");
    }
}

#[test]
fn refused_event_is_reported_once() {
    let cases: [(&str, Vec<Told>, &str); 8] = [
        ("data: 123456789", vec![Told::Oversized], ""),
        ("data: 123456789\ndata: 1\ndata: 123456789\n\n", vec![Told::Oversized], ""),
        (
            "id: 1\ndata: 123456789\n\ndata: 1\n\n",
            vec![Told::Oversized, event("message", "1", "1")],
            "1",
        ),
        ("data: 123456789\nid: 1\n\n", vec![Told::Oversized], "1"),
        ("id: 1\ndata: 123456789\n", vec![Told::Oversized], ""),
        (
            "event: x\ndata: 123456789\nevent: y\n\ndata: 1\n\n",
            vec![Told::Oversized, message("1")],
            "",
        ),
        (
            "data: 123456789\nretry: 5\n\ndata: 123456789\n\n",
            vec![Told::Oversized, retry(5), Told::Oversized],
            "",
        ),
        ("data: 1\ndata: 123456789\n\n\n\n", vec![Told::Oversized], ""),
    ];
    for (stream, expected, last_event_id) in cases {
        assert_eq!(limited(stream.as_bytes()), (expected, last_event_id.to_owned()), "{stream}");
    }
}

#[test]
fn ids_and_types_have_their_own_limit() {
    let most = "x".repeat(MAX_VALUE_BYTES);
    let ending = "\ndata: b\n\ndata: c\n\n";
    let told = limited(format!("id: {most}{ending}").as_bytes());
    let expected = ["b", "c"].map(|data| event("message", data, &most));
    assert_eq!(told, (expected.to_vec(), most.clone()));
    let told = limited(format!("event: {most}{ending}").as_bytes());
    assert_eq!(told, (vec![event(&most, "b", ""), message("c")], String::new()));

    let refused = vec![Told::Oversized, event("message", "c", "1")];
    for name in ["id", "event"] {
        let told = limited(format!("id: 1\n{name}: {most}x{ending}").as_bytes());
        assert_eq!(told, (refused.clone(), "1".to_owned()), "{name}");
    }
    let told = limited(format!("id: {most}x\nid: 1{ending}").as_bytes());
    assert_eq!(told, (refused.clone(), "1".to_owned()));
    let stream = format!("data: 123456789\nid: 1\nid: {most}x\nevent: {most}x{ending}");
    assert_eq!(limited(stream.as_bytes()), (refused, "1".to_owned()));
}

#[test]
fn ignored_parts_may_be_of_any_length() {
    let long = "x".repeat(100_000);
    for line in ["", ":", ": ", "x", "data", "x:", "id", "retry", "retry:", "retry: 1"] {
        let (told, _) = limited(format!("data: a\n{line}{long}\ndata: b\n\n").as_bytes());
        assert_eq!(told, [message("a\nb")], "{line}");
    }
    let zeros = "0".repeat(MAX_VALUE_BYTES - 1);
    let (told, _) = limited(format!("data: a\nretry: {zeros}5\nretry: 0{zeros}5\n\n").as_bytes());
    assert_eq!(told, [retry(5), message("a")]);
}

#[test]
fn events_after_a_huge_event_are_read() {
    const LIMIT: usize = 1024 * 1024;
    let line = ["data: ", &"x".repeat(50 * LIMIT)].concat();
    let lines = "data: and some more\n".repeat(50 * LIMIT / 20);
    for data in [line, lines] {
        let stream = ["id: 1\nevent: features\n", &data, "\n\ndata: b\n\n"].concat();
        let (told, last_event_id) = parse(LIMIT, stream.as_bytes().chunks(8 * 1024));
        assert_eq!(told, [Told::Oversized, event("message", "b", "1")]);
        assert_eq!(last_event_id, "1");
    }
}

#[test]
fn event_of_megabytes_is_read() {
    const { assert!(DEFAULT_MAX_EVENT_BYTES == 64 * 1024 * 1024) };
    let data = "{\"\u{e9}\u{20ac}\u{1f600}\": 1}".repeat(1_000_000);
    let stream = ["event: features\ndata: ", &data, "\n\n"].concat();
    for size in [1009, 8 * 1024, stream.len()] {
        let (told, _) = parse(DEFAULT_MAX_EVENT_BYTES, stream.as_bytes().chunks(size));
        assert_eq!(told, [event("features", &data, "")]);
    }
}

#[test]
fn debug_output_has_no_data() {
    let mut parser = EventParser::default();
    parser.push(b"id: 1\n\ndata: secret\n", |_| ());
    assert_eq!(format!("{parser:?}"), "EventParser { last_event_id: \"1\", .. }");
}

// Arbitrary bytes.

const TEXTS: [&str; 24] = [
    "data",
    "data:",
    "data: ",
    "id",
    "id:",
    "id: ",
    "event:",
    "retry: ",
    "retry:",
    ":",
    "other:",
    " ",
    "\n",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\r\n\r\n",
    "\u{feff}",
    "\0",
    "a",
    "7",
    "\u{20ac}",
    "\u{1f600}",
];

/// Returns bytes that are similar to an event stream.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        8 => select(&TEXTS).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
        1 => select(&TEXTS).prop_map(|text| text.repeat(100).into_bytes()),
    ];
    vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_stream_agrees_with_the_standard(stream in streams(), limit in 0..50_usize) {
        let stream = [&*stream, b"\n"].concat();
        prop_assert_eq!(parse(limit, [&*stream]), interpret(limit, &stream));
    }

    #[test]
    fn any_cuts_give_the_same_events(
        stream in streams(),
        limit in 0..50_usize,
        cuts in vec(any::<Index>(), 0..20),
    ) {
        let whole = parse(limit, [&*stream]);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]);
        prop_assert_eq!(&parse(limit, pieces), &whole);
        prop_assert_eq!(&parse(limit, stream.chunks(1)), &whole);
    }

    #[test]
    fn any_bytes_are_accepted(bytes in vec(any::<u8>(), 0..2000), size in 1..100_usize) {
        prop_assert_eq!(parse(LIMIT, bytes.chunks(size)), parse(LIMIT, [&*bytes]));
    }
}
