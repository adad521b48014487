//! The memory of the replies in a stream of bytes.

use std::io;

use growthbook_support::redis::oversize;
use redis::Value;

/// Measures the replies in a stream of RESP2, byte by byte, before they are parsed.
pub(super) struct ReplyMeter {
    limit: usize,
    /// The memory of the current reply so far.
    used: usize,
    /// How many values of the current reply are still to come.
    values: u64,
    state: State,
}

enum State {
    /// At the start of a value.
    Start,
    /// In the first line of a value.
    Line { kind: u8, number: u64, is_negative: bool },
    /// In a text, with this many bytes to come.
    Text(u64),
}

impl ReplyMeter {
    /// Measures replies that take at most this much memory each.
    pub(super) fn new(limit: usize) -> Self {
        ReplyMeter { limit, used: 0, values: 1, state: State::Start }
    }

    /// Measures the next bytes of the stream.
    ///
    /// # Errors
    ///
    /// When a reply takes more memory than the limit, or does not follow the protocol.
    pub(super) fn measure(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let [byte, rest @ ..] = bytes {
            bytes = rest;
            match &mut self.state {
                State::Start => {
                    if !b"+-:$*".contains(byte) {
                        return Err(malformed());
                    }
                    self.state = State::Line { kind: *byte, number: 0, is_negative: false };
                }
                State::Line { kind, number, is_negative } => {
                    match byte {
                        b'\n' => {
                            let (kind, number) = (*kind, if *is_negative { 0 } else { *number });
                            let is_missing = *is_negative;
                            self.end_line(kind, number, is_missing)?;
                        }
                        b'-' => *is_negative = true,
                        b'0'..=b'9' => {
                            *number =
                                number.saturating_mul(10).saturating_add((byte - b'0').into());
                        }
                        _ => {}
                    }
                    self.take(1)?;
                }
                State::Text(left) => {
                    // The byte at hand and those after it.
                    *left -= 1;
                    let skipped = (*left).min(bytes.len() as u64);
                    *left -= skipped;
                    let is_over = *left == 0;
                    bytes = bytes.split_at(usize::try_from(skipped).unwrap_or(bytes.len())).1;
                    if is_over {
                        self.end_value();
                    }
                }
            }
        }
        Ok(())
    }

    fn end_line(&mut self, kind: u8, number: u64, is_missing: bool) -> io::Result<()> {
        match kind {
            b'$' if !is_missing => {
                self.take(usize::try_from(number).unwrap_or(usize::MAX))?;
                // A line end follows the text.
                self.state = State::Text(number.saturating_add(2));
            }
            b'*' => {
                let count = usize::try_from(number).unwrap_or(usize::MAX);
                self.take(count.saturating_mul(size_of::<Value>()))?;
                self.values = self.values.saturating_add(number);
                self.end_value();
            }
            _ => self.end_value(),
        }
        Ok(())
    }

    fn end_value(&mut self) {
        self.state = State::Start;
        self.values -= 1;
        if self.values == 0 {
            *self = ReplyMeter::new(self.limit);
        }
    }

    fn take(&mut self, bytes: usize) -> io::Result<()> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.limit { Err(oversize(self.limit)) } else { Ok(()) }
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the reply does not follow the protocol of Redis")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measures the bytes in pieces of this length.
    fn measure(bytes: &[u8], piece: usize) -> io::Result<()> {
        let mut meter = ReplyMeter::new(4096);
        bytes.chunks(piece).try_for_each(|piece| meter.measure(piece))
    }

    #[test]
    fn each_reply_has_the_whole_limit() {
        let text = format!("$3000\r\n{}\r\n", "x".repeat(3000));
        let replies = [&*text, "+OK\r\n:-12\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n:1\r\n$1\r\na\r\n", &text];
        for piece in [1, 2, 7, 100, 10_000] {
            measure(replies.concat().as_bytes(), piece).unwrap();
        }
    }

    #[test]
    fn oversize_replies_are_refused() {
        let half = format!("$3000\r\n{}\r\n", "x".repeat(3000));
        let two_halves = format!("*2\r\n{half}{half}");
        let long_line = format!("+{}", "x".repeat(5000));
        let nested = "*1\r\n".repeat(5000);
        let cases = ["$4097\r\n", "*1000\r\n", "$99999999999999999999\r\n", &two_halves];
        for bytes in cases.into_iter().chain([&*long_line, &*nested]) {
            for piece in [1, 100, 10_000] {
                let error = measure(bytes.as_bytes(), piece).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{bytes:.20}");
            }
        }
    }

    #[test]
    fn other_protocols_are_refused() {
        for bytes in ["HTTP/1.1 400\r\n", "%1\r\n+a\r\n+b\r\n", "\r\n", "$1\r\nabc\r\n"] {
            let error = measure(bytes.as_bytes(), 3).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        }
    }
}
