//! Parses any bytes as a stream. The result must follow the standard, and must not depend on how
//! the bytes are cut.

#![no_main]

#[path = "../../crates/growthbook-fetch/tests/sse_model/mod.rs"]
mod sse_model;

use libfuzzer_sys::fuzz_target;
use sse_model::{interpret, parse};

// The first bytes are the limit of data, and the places of the cuts.
fuzz_target!(|input: (u8, [u8; 4], &[u8])| {
    let (limit, cuts, stream) = input;
    let limit = usize::from(limit);
    let whole = parse(limit, [stream]);
    assert_eq!(parse(limit, stream.chunks(1)), whole);

    let mut rest = stream;
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, tail) = rest.split_at(usize::from(cut).min(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    pieces.push(rest);
    assert_eq!(parse(limit, pieces), whole);

    let ended = [stream, b"\n"].concat();
    assert_eq!(parse(limit, [&*ended]), interpret(limit, &ended));
});
