//! Counting heap allocations. Apart from the scenarios, because it brings an allocator of its own.

/// The heap allocations of asking each once, taken together, when everybody has asked before: a
/// regular expression is built when it is first used.
pub(crate) fn allocations<T>(asked: &[T], ask: impl Fn(&T) -> bool) -> u64 {
    let ask_all = || {
        for asked in asked {
            std::hint::black_box(ask(asked));
        }
    };
    ask_all();
    allocation_counter::measure(ask_all).count_total
}
