//! The heap of the device: a static array, and the most that was used of it.

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering};

// It provides the critical sections that the heap needs.
use cortex_m as _;
use embedded_alloc::LlffHeap;

/// The bytes of the heap.
pub const SIZE: usize = 64 * 1024;

static mut MEMORY: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];

#[global_allocator]
static HEAP: Counted = Counted { heap: LlffHeap::empty(), peak: AtomicUsize::new(0) };

/// A heap that remembers how much of it was used at most.
struct Counted {
    heap: LlffHeap,
    peak: AtomicUsize,
}

/// Makes the heap usable. It must be the first call of the program, and the only one.
pub fn start() {
    let memory = &raw mut MEMORY;
    #[expect(unsafe_code, reason = "only the heap uses the array")]
    unsafe {
        HEAP.heap.init(memory as usize, SIZE);
    }
}

/// Returns the number of bytes in use.
pub fn used() -> usize {
    HEAP.heap.used()
}

/// Returns the largest number of bytes that were in use.
pub fn peak() -> usize {
    HEAP.peak.load(Ordering::Relaxed)
}

#[expect(unsafe_code, reason = "it passes the calls on, with the caller's promises")]
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = unsafe { self.heap.alloc(layout) };
        self.peak.fetch_max(self.heap.used(), Ordering::Relaxed);
        start
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        unsafe { self.heap.dealloc(start, layout) }
    }
}
