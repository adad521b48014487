//! An HTTP client that gives tests every byte.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) const PAYLOAD: &str = r#"{"features":{"a":{"defaultValue":1}}}"#;
/// The longest wait for an event that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The wait for an event that must not happen.
const SILENCE: Duration = Duration::from_millis(50);

pub(crate) struct Client<S = TcpStream> {
    pub(crate) socket: S,
    input: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Client {
    pub(crate) fn connect(url: &str) -> Self {
        let address = url.split("//").last().unwrap();
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::new(socket)
    }

    /// Whether the connection is open, and there are no bytes to read.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.socket.set_read_timeout(Some(SILENCE)).unwrap();
        let error = self.socket.read(&mut [0]).err();
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        self.input.is_empty() && error.is_some_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self { socket, input: Vec::new() }
    }

    /// Sends a request, with headers such as `"a: b\r\n"`.
    pub(crate) fn send(&mut self, path: &str, headers: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        self.socket.write_all(request.as_bytes()).unwrap();
    }

    pub(crate) fn get(&mut self, path: &str, headers: &str) -> (Head, Vec<u8>) {
        self.send(path, headers);
        let head = self.head();
        let length = head.header("content-length").unwrap_or("0").parse().unwrap();
        (head, self.bytes(length))
    }

    pub(crate) fn get_features(&mut self) -> (Head, Vec<u8>) {
        self.get("/api/features/sdk-1", "")
    }

    /// Opens a stream and returns its first chunk.
    pub(crate) fn open_stream(&mut self, headers: &str) -> String {
        self.send("/sub/sdk-1", headers);
        assert_eq!(self.head().status, 200);
        self.chunk().unwrap()
    }

    pub(crate) fn head(&mut self) -> Head {
        let text = self.until(b"\r\n\r\n");
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        Head { status, text }
    }

    /// Reads a chunk; `None` is the end of the body.
    pub(crate) fn chunk(&mut self) -> Option<String> {
        let size = self.until(b"\r\n");
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = self.bytes(size + 2);
        assert_eq!(chunk.split_off(size), b"\r\n");
        (size > 0).then(|| String::from_utf8(chunk).unwrap())
    }

    /// Reads up to the end of the connection.
    pub(crate) fn rest(&mut self) -> String {
        while self.receive() {}
        String::from_utf8(std::mem::take(&mut self.input)).unwrap()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.input.len() < count {
            assert!(self.receive(), "the connection ended too early: {:?}", self.input);
        }
        self.input.drain(..count).collect()
    }

    fn until(&mut self, end: &[u8]) -> String {
        loop {
            let at = self.input.windows(end.len()).position(|window| window == end);
            if let Some(at) = at {
                return String::from_utf8(self.bytes(at + end.len())).unwrap();
            }
            assert!(self.receive(), "the connection ended too early: {:?}", self.input);
        }
    }

    /// Reads more bytes. Returns false at the end of the connection, also after an error.
    fn receive(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let count = match self.socket.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("the server did not answer in time")
            }
            result => result.unwrap_or(0),
        };
        self.input.extend_from_slice(&buffer[..count]);
        count > 0
    }
}
