//! The heap of a program on the host. It is not measured.

/// Does nothing: the host's heap is always usable.
pub fn start() {}

/// Returns 0.
pub fn used() -> usize {
    0
}

/// Returns 0.
pub fn peak() -> usize {
    0
}
