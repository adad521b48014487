//! The count of heap allocations. It is not in `scenarios`, because it replaces the allocator.

/// Returns the number of heap allocations of one call for each item. Each item gets an earlier call
/// that does not count, because a regular expression is built on its first use.
pub(crate) fn allocations<T>(asked: &[T], ask: impl Fn(&T) -> bool) -> u64 {
    let ask_all = || {
        for asked in asked {
            std::hint::black_box(ask(asked));
        }
    };
    ask_all();
    allocation_counter::measure(ask_all).count_total
}
