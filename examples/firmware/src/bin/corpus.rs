//! Answers a question in each line of its input, until the input ends.

#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

use alloc::vec::Vec;
use core::fmt::Write;

use firmware::{console, heap, questions};

/// The longest question, in bytes. The device does not answer longer ones.
const LONGEST: usize = 6 * 1024;

#[cfg_attr(target_os = "none", cortex_m_rt::entry)]
fn main() -> ! {
    heap::start();
    let (mut input, mut output) = (console::input(), console::output());
    let mut line = Vec::new();
    let mut byte = [0];
    let mut written = true;
    while written && input.read(&mut byte) > 0 {
        match byte {
            [b'\n'] => {
                let question = str::from_utf8(&line).ok().filter(|_| line.len() < LONGEST);
                let answer = question.and_then(questions::answer);
                written = match answer {
                    Some(answer) => writeln!(output, r#"{{"answer":{answer}}}"#).is_ok(),
                    None => output.write_str("{}\n").is_ok(),
                };
                line = Vec::new();
            }
            [byte] if line.len() < LONGEST => line.push(byte),
            _ => {}
        }
    }
    console::exit(written)
}
