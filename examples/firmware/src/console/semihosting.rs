//! The console of the device: the standard input and output of the debugger or emulator that it is
//! attached to.

use core::fmt;
use core::panic::PanicInfo;

use cortex_m_semihosting::{debug, nr, syscall};

/// The modes of a file, as C's `fopen` numbers them.
const READ: usize = 0;
const WRITE: usize = 4;

/// A file of the host.
#[derive(Clone, Copy)]
pub struct Stream(usize);

/// Returns the stream of input.
pub fn input() -> Stream {
    open("/dev/stdin\0", READ)
}

/// Returns the stream of output.
pub fn output() -> Stream {
    open("/dev/stdout\0", WRITE)
}

/// Ends the program.
pub fn exit(success: bool) -> ! {
    let status = if success { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE };
    loop {
        debug::exit(status);
    }
}

/// Ends the program as failed. It does not format the message, so that the code which formats it is
/// not part of the program.
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    exit(false)
}

fn open(name: &str, mode: usize) -> Stream {
    // The length leaves out the zero at the end.
    let block = [name.as_ptr() as usize, mode, name.len() - 1];
    Stream(call(nr::OPEN, &block))
}

/// Asks the host for an operation.
fn call(operation: usize, block: &[usize; 3]) -> usize {
    #[expect(unsafe_code, reason = "the block's addresses and lengths are those of live slices")]
    unsafe {
        syscall(operation, block)
    }
}

impl Stream {
    /// Reads bytes and returns how many they are: 0 at the end of the input.
    pub fn read(&mut self, bytes: &mut [u8]) -> usize {
        let left = call(nr::READ, &[self.0, bytes.as_mut_ptr() as usize, bytes.len()]);
        bytes.len().saturating_sub(left)
    }
}

impl fmt::Write for Stream {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = call(nr::WRITE, &[self.0, text.as_ptr() as usize, text.len()]);
        if left == 0 { Ok(()) } else { Err(fmt::Error) }
    }
}
