//! The part of HTTP/1.1 that a GrowthBook client needs.

use std::io::{self, ErrorKind};
use std::time::Instant;

/// The longest accepted request head, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// A received request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The number of the connection. The server's first connection is 1.
    pub connection: usize,
    /// The method, as in `GET`.
    pub method: String,
    /// The request target, with the query.
    pub path: String,
    /// The headers in the order and spelling of the request.
    pub headers: Vec<(String, String)>,
    /// The body. Most requests have an empty one.
    pub body: Vec<u8>,
    /// The time when the request was complete.
    pub received: Instant,
}

impl Request {
    /// Returns the first header with this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub(crate) fn route(&self) -> Route {
        let path = self.path.split('?').next().unwrap_or_default();
        let has_key = |prefix| path.strip_prefix(prefix).is_some_and(|key: &str| !key.is_empty());
        match self.method.as_str() {
            "GET" if has_key("/api/features/") => Route::Features,
            // The list of the REST API. A test scripts its pages.
            "GET" if matches!(path, "/api/v1/features" | "/api/v2/features") => Route::Features,
            "GET" if has_key("/sub/") => Route::Stream,
            "POST" if path == "/track" => Route::Track,
            "POST" if has_key("/api/eval/") => Route::Eval,
            _ => Route::Unknown,
        }
    }

    /// Whether the connection ends after this request.
    pub(crate) fn closes(&self) -> bool {
        has_token(self.header("connection"), "close")
    }

    pub(crate) fn accepts_gzip(&self) -> bool {
        has_token(self.header("accept-encoding"), "gzip")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Features,
    Stream,
    Track,
    Eval,
    Unknown,
}

/// A complete reply.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn not_found() -> Self {
        let mut response = Self::new(404);
        response.set_header("content-type", "text/plain");
        response.body = b"Not Found".to_vec();
        response
    }

    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Whether the connection ends after this reply.
    pub(crate) fn closes(&self) -> bool {
        has_token(self.header("connection"), "close")
    }

    /// Returns the status line and the headers. Adds the length of the body if it is missing.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let has_length = ["content-length", "transfer-encoding"].map(|name| self.header(name));
        if !matches!(self.status, 100..200 | 204 | 304) && has_length == [None, None] {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        head += "\r\n";
        head.into_bytes()
    }
}

/// Reads a request. `input` has the received bytes that are not used yet. `read` appends to it, and
/// returns the number of new bytes; 0 is the end. Returns `None` if the end comes before a request.
pub(crate) fn read_request(
    connection: usize,
    input: &mut Vec<u8>,
    mut read: impl FnMut(&mut Vec<u8>) -> io::Result<usize>,
) -> io::Result<Option<Request>> {
    let head_length = loop {
        if let Some(at) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if input.len() > MAX_HEAD {
            return Err(ErrorKind::InvalidData.into());
        }
        if read(input)? == 0 {
            return if input.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
    };
    let head: Vec<u8> = input.drain(..head_length).collect();
    let mut request =
        parse(connection, &String::from_utf8_lossy(&head)).ok_or(ErrorKind::InvalidData)?;
    let length = request.header("content-length").unwrap_or("0");
    let length: usize = length.parse().map_err(|_| ErrorKind::InvalidData)?;
    while input.len() < length {
        if read(input)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    request.body = input.drain(..length).collect();
    request.received = Instant::now();
    Ok(Some(request))
}

fn parse(connection: usize, head: &str) -> Option<Request> {
    let mut lines = head.trim_end().split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines
        .map(|line| line.split_once(':'))
        .map(|line| line.map(|(name, value)| (name.to_owned(), value.trim().to_owned())))
        .collect::<Option<Vec<_>>>()?;
    let (body, received) = (Vec::new(), Instant::now());
    Some(Request { connection, method, path, headers, body, received })
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Whether a header with a list has an item. The item's parameters do not count.
pub(crate) fn has_token(list: Option<&str>, token: &str) -> bool {
    let mut items = list.unwrap_or_default().split(',');
    items.any(|item| {
        let name = item.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(token)
    })
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        // Clients do not read it.
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Request {
        parse(1, &format!("{method} {path} HTTP/1.1\r\nAccept-Encoding: br, gzip;q=1\r\n\r\n"))
            .unwrap()
    }

    #[test]
    fn route_depends_on_method_and_path() {
        assert_eq!(request("GET", "/api/features/sdk-1").route(), Route::Features);
        assert_eq!(request("GET", "/api/features/sdk-1?x=/").route(), Route::Features);
        assert_eq!(request("GET", "/sub/sdk-1").route(), Route::Stream);
        for path in ["/", "/sub/", "/api/features", "/api/features/", "/other/sub/x"] {
            assert_eq!(request("GET", path).route(), Route::Unknown, "{path}");
        }
        assert_eq!(request("POST", "/sub/sdk-1").route(), Route::Unknown);
        assert_eq!(request("POST", "/track?client_key=sdk-1").route(), Route::Track);
        assert_eq!(request("POST", "/api/eval/sdk-1").route(), Route::Eval);
        assert_eq!(request("GET", "/api/eval/sdk-1").route(), Route::Unknown);
    }

    #[test]
    fn headers_are_found_in_any_letter_case() {
        let request = request("GET", "/");
        assert_eq!(request.header("ACCEPT-encoding"), Some("br, gzip;q=1"));
        assert!(request.accepts_gzip());
        assert!(!request.closes());
        assert!(!has_token(Some("x-gzip"), "gzip"));
    }

    #[test]
    fn requests_are_read_in_pieces() {
        let mut pieces = [
            &b"POST /a HTTP/1.1\r\nContent-"[..],
            b"Length: 3\r\n\r\nab",
            b"cGET /b HTTP/1.1\r\n\r\n",
        ]
        .into_iter();
        let mut input = Vec::new();
        let mut next = || {
            read_request(1, &mut input, |input| {
                let piece = pieces.next().unwrap_or_default();
                input.extend_from_slice(piece);
                Ok(piece.len())
            })
        };
        let first = next().unwrap().unwrap();
        assert_eq!((first.path.as_str(), first.body.as_slice()), ("/a", &b"abc"[..]));
        assert_eq!(next().unwrap().unwrap().path, "/b");
        assert!(next().unwrap().is_none());
    }
}
