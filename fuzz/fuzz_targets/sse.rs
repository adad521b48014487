//! Any bytes are a stream that means what the standard says, however they are cut.

#![no_main]

#[path = "../../crates/growthbook-fetch/tests/sse_model/mod.rs"]
mod sse_model;

use libfuzzer_sys::fuzz_target;
use sse_model::{interpret, parse};

// The first bytes say how long data may be, and where to cut.
fuzz_target!(|input: (u8, [u8; 4], &[u8])| {
    let (limit, cuts, stream) = input;
    let limit = usize::from(limit);
    let whole = parse(limit, [stream]);
    assert_eq!(parse(limit, stream.chunks(1)), whole);

    let mut rest = stream;
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, behind) = rest.split_at(usize::from(cut).min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    assert_eq!(parse(limit, pieces), whole);

    let ended = [stream, b"\n"].concat();
    assert_eq!(parse(limit, [&*ended]), interpret(limit, &ended));
});
