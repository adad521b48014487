//! Where lines end.

/// How many bytes are looked at in one go.
const BLOCK: usize = 64;

/// The first line of `bytes`, the byte that ends it, and what is behind that; nothing if no line
/// ends here.
pub(super) fn split_line(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    // Line ends are counted, and in bytes, for that is what compilers do many at a time: leaving
    // a block at the first one is slower by an order of magnitude.
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let without = blocks.iter().take_while(|block| count_line_ends(block) == 0).count();
    let searched = without * BLOCK;
    let length = searched + bytes.get(searched..)?.iter().position(|byte| is_line_end(*byte))?;
    let (line, behind) = bytes.split_at_checked(length)?;
    let (end, rest) = behind.split_first()?;
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
    fn a_line_end_is_found_wherever_it_is() {
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
