//! Reading a reply within limits.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, Read};

use redis::Value;

/// The deepest nesting of a reply. Commands and scripts of this workspace need three levels.
const MAX_DEPTH: usize = 8;
/// The longest line: a status, an error or a number.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// A reply that takes more memory than the limit.
#[derive(Debug)]
pub(super) struct Oversize {
    /// The limit in bytes.
    limit: usize,
}

impl fmt::Display for Oversize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the reply is larger than {} bytes", self.limit)
    }
}

impl Error for Oversize {}

/// Makes the error of a reply that takes more memory than this limit, in bytes.
pub fn oversize(limit: usize) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, Oversize { limit })
}

/// The memory that replies may take, in bytes.
pub(super) struct Budget {
    limit: usize,
    left: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Budget { limit, left: limit }
    }

    fn take(&mut self, bytes: usize) -> io::Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| oversize(self.limit))?;
        Ok(())
    }
}

/// Reads one reply of RESP2, the protocol that connections of this module speak. Texts and lists
/// take their memory from the budget.
///
/// # Errors
///
/// When reading fails, when the reply exceeds a limit, or when it does not follow the protocol.
/// Then the connection cannot be used any more.
pub(super) fn read_reply(reader: &mut impl BufRead, budget: &mut Budget) -> io::Result<Value> {
    Reply { reader, budget }.value(MAX_DEPTH)
}

struct Reply<'a, R> {
    reader: &'a mut R,
    budget: &'a mut Budget,
}

impl<R: BufRead> Reply<'_, R> {
    fn value(&mut self, depth: usize) -> io::Result<Value> {
        self.budget.take(size_of::<Value>())?;
        let line = self.line()?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(malformed)?;
        match kind {
            "+" if rest == "OK" => Ok(Value::Okay),
            "+" => Ok(Value::SimpleString(rest.to_owned())),
            // The crate's own parser makes its type of an error.
            "-" => {
                redis::parse_redis_value(format!("{line}\r\n").as_bytes()).map_err(|_| malformed())
            }
            ":" => rest.parse().map(Value::Int).map_err(|_| malformed()),
            "$" => length(rest)?.map_or(Ok(Value::Nil), |length| self.text(length)),
            "*" => length(rest)?.map_or(Ok(Value::Nil), |length| self.list(length, depth)),
            _ => Err(malformed()),
        }
    }

    fn text(&mut self, length: usize) -> io::Result<Value> {
        self.budget.take(length)?;
        // Memory is reserved as bytes arrive. The announced length may be wrong.
        let mut text = Vec::new();
        self.reader.by_ref().take(length as u64).read_to_end(&mut text)?;
        let mut end = [0; 2];
        self.reader.read_exact(&mut end)?;
        if end == *b"\r\n" { Ok(Value::BulkString(text)) } else { Err(malformed()) }
    }

    fn list(&mut self, length: usize, depth: usize) -> io::Result<Value> {
        let depth = depth.checked_sub(1).ok_or_else(malformed)?;
        let mut list = Vec::new();
        for _ in 0..length {
            list.push(self.value(depth)?);
        }
        Ok(Value::Array(list))
    }

    /// Reads a line without its end.
    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let longest = MAX_LINE_BYTES.min(self.budget.left) as u64;
        self.reader.by_ref().take(longest + 1).read_until(b'\n', &mut line)?;
        self.budget.take(line.len())?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => String::from_utf8(line.to_vec()).map_err(|_| malformed()),
            None if line.ends_with(b"\n") || line.len() as u64 > longest => Err(malformed()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Parses the length of a text or a list; `None` for a missing one.
fn length(text: &str) -> io::Result<Option<usize>> {
    if text == "-1" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| malformed())
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the reply does not follow the protocol of Redis")
}

#[cfg(test)]
mod tests {
    use std::io::repeat;

    use super::*;

    const LIMIT: usize = 4096;

    fn read(reply: &[u8]) -> io::Result<Value> {
        read_reply(&mut &*reply, &mut Budget::new(LIMIT))
    }

    #[test]
    fn replies_equal_those_of_the_redis_crate() {
        let replies = [
            "+OK\r\n",
            "+PONG\r\n",
            ":-12\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "$0\r\n\r\n",
            "$4\r\na\r\nb\r\n",
            "-NOPERM no\r\n",
            "-WRONGTYPE\r\n",
            "*0\r\n",
            "*3\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n-ERR x\r\n",
        ];
        for reply in replies {
            let expected = redis::parse_redis_value(reply.as_bytes()).unwrap();
            assert_eq!(read(reply.as_bytes()).unwrap(), expected, "{reply:?}");
        }
    }

    #[test]
    fn cut_and_malformed_replies_are_errors() {
        for reply in ["", "+", "+OK", "$5\r\nab", "*2\r\n:1\r\n"] {
            let error = read(reply.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{reply:?}");
        }
        let nested = "*1\r\n".repeat(100);
        for reply in
            ["\r\n", "HTTP/1.1 400\r\n", "$x\r\n", "$-2\r\n", "$1\r\nabc", "+a\n", ":\r\n", &nested]
        {
            let error = read(reply.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{reply:?}");
        }
    }

    #[test]
    fn oversize_reply_is_refused_before_it_is_read() {
        for start in ["$99999999999\r\n", "$4097\r\n", "*99999999999\r\n"] {
            let mut reply = start.as_bytes().chain(repeat(b':'));
            let error = read_reply(&mut io::BufReader::new(&mut reply), &mut Budget::new(LIMIT))
                .unwrap_err();
            assert!(error.get_ref().is_some(), "{start:?}: {error}");
        }
        let many = format!("*100000\r\n{}", ":1\r\n".repeat(100_000));
        let mut rest = many.as_bytes();
        let error = read_reply(&mut rest, &mut Budget::new(LIMIT)).unwrap_err();
        assert!(crate::redis::is_oversize(&error.into()));
        assert!(many.len() - rest.len() < LIMIT);
    }

    #[test]
    fn replies_of_one_request_share_a_budget() {
        let (reply, mut budget) = (b"$3000\r\n", Budget::new(LIMIT));
        let reply = [reply.as_slice(), &[b'x'; 3000], b"\r\n"].concat();
        assert!(read_reply(&mut &*reply, &mut budget).is_ok());
        assert!(read_reply(&mut &*reply, &mut budget).is_err());
    }

    #[test]
    fn endless_line_is_cut() {
        let mut reply = io::BufReader::new(repeat(b'+'));
        let error = read_reply(&mut reply, &mut Budget::new(1 << 30)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
