//! Counting heap allocations. Apart from the scenarios, because it brings an allocator of its own.

/// The heap allocations of asking each once, taken together.
pub(crate) fn allocations<T>(asked: &[T], ask: impl Fn(&T) -> bool) -> u64 {
    let measured = allocation_counter::measure(|| {
        for asked in asked {
            std::hint::black_box(ask(asked));
        }
    });
    measured.count_total
}
