//! The console of a program on the host.

use std::fmt;
use std::io::{self, Read, Write};

/// The standard input and output.
#[derive(Clone, Copy)]
pub struct Stream;

/// Returns the stream of input.
pub fn input() -> Stream {
    Stream
}

/// Returns the stream of output.
pub fn output() -> Stream {
    Stream
}

/// Ends the program.
pub fn exit(success: bool) -> ! {
    std::process::exit(i32::from(!success))
}

impl Stream {
    /// Reads bytes and returns how many they are: 0 at the end of the input.
    pub fn read(&mut self, bytes: &mut [u8]) -> usize {
        io::stdin().read(bytes).unwrap_or(0)
    }
}

impl fmt::Write for Stream {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut out = io::stdout();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|_| fmt::Error)
    }
}
