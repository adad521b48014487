//! Finding the end of a line.

/// The number of bytes that are searched at a time.
const BLOCK: usize = 64;

/// Splits `bytes` into the first line, the byte that ends it, and the rest. `None` if no line ends
/// here.
pub(super) fn split_line(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    // Compilers vectorize counting line ends in a block. Leaving the block at the first line end is
    // slower by an order of magnitude.
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let without = blocks.iter().take_while(|block| count_line_ends(block) == 0).count();
    let searched = without * BLOCK;
    let length = searched + bytes.get(searched..)?.iter().position(|byte| is_line_end(*byte))?;
    let (line, rest) = bytes.split_at_checked(length)?;
    let (end, rest) = rest.split_first()?;
    Some((line, *end, rest))
}

fn count_line_ends(block: &[u8; BLOCK]) -> u8 {
    block.iter().map(|byte| u8::from(is_line_end(*byte))).sum()
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_end_is_found_at_any_position() {
        for length in 0..300 {
            let mut bytes = vec![b'x'; length];
            assert_eq!(split_line(&bytes), None);
            for end in [b'\n', b'\r'] {
                bytes.truncate(length);
                bytes.push(end);
                assert_eq!(split_line(&bytes), Some((&*vec![b'x'; length], end, &b""[..])));
                bytes.extend([b'y'; 100]);
                bytes.push(b'\n');
                let (line, found, rest) = split_line(&bytes).unwrap();
                assert_eq!((line.len(), found, rest.len()), (length, end, 101));
            }
        }
    }
}
