//! The replies of a server, in Redis's protocol.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The reply to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisReply {
    /// No value.
    Nil,
    /// An integer.
    Integer(i64),
    /// A status or a string.
    Text(Vec<u8>),
    /// Several replies.
    Array(Vec<RedisReply>),
    /// An error, which starts with its code.
    Error(String),
}

impl RedisReply {
    /// Returns the text of a status or a string, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            RedisReply::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }
}

/// The longest wait for a reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends one command on a new connection.
pub(super) fn ask(port: u16, command: &[&[u8]]) -> io::Result<RedisReply> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut request = format!("*{}\r\n", command.len()).into_bytes();
    for word in command {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    stream.write_all(&request)?;
    read(&mut BufReader::new(stream))
}

fn read(reader: &mut impl BufRead) -> io::Result<RedisReply> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end();
    let (Some(kind), Some(rest)) = (line.get(..1), line.get(1..)) else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let number = || rest.parse::<i64>().map_err(io::Error::other);
    match kind {
        "+" => Ok(RedisReply::Text(rest.as_bytes().to_vec())),
        "-" => Ok(RedisReply::Error(rest.to_owned())),
        ":" => Ok(RedisReply::Integer(number()?)),
        "$" => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(RedisReply::Nil) };
            let mut text = vec![0; length + 2];
            reader.read_exact(&mut text)?;
            text.truncate(length);
            Ok(RedisReply::Text(text))
        }
        "*" => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(RedisReply::Nil) };
            (0..length).map(|_| read(reader)).collect::<io::Result<_>>().map(RedisReply::Array)
        }
        _ => Err(io::Error::other("the reply does not follow Redis's protocol")),
    }
}
