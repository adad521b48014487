//! The order and the lower case of strings, as in JavaScript.

use core::cmp::Ordering;

/// Compares by UTF-16 code units. A character above U+FFFF sorts below U+E000.
pub(super) fn compare_utf16(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

/// Calls `read` with the text in lower case. This is not case folding: "ß" does not become "ss".
/// Short ASCII text stays on the stack.
pub(super) fn with_lowercase<R>(text: &str, read: impl FnOnce(&str) -> R) -> R {
    const SHORT: usize = 64;
    if !text.is_ascii() {
        return read(&text.to_lowercase());
    }
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return read(text);
    }
    let mut buffer = [0; SHORT];
    if let Some(copy) = buffer.get_mut(..text.len()) {
        copy.copy_from_slice(text.as_bytes());
        copy.make_ascii_lowercase();
        if let Ok(lowercase) = core::str::from_utf8(copy) {
            return read(lowercase);
        }
    }
    read(&text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    #[test]
    fn order_is_by_code_units() {
        assert_eq!(compare_utf16("\u{1f600}", "\u{e000}"), Ordering::Less);
        assert_eq!(compare_utf16("a", "b"), Ordering::Less);
        assert_eq!(compare_utf16("a", "é"), Ordering::Less);
    }

    #[test]
    fn lower_case_is_the_same_on_every_path() {
        for text in ["abc", "ABC", "Ä", "ΣΑΣ", "İ", &"X".repeat(63), &"X".repeat(65)] {
            let expected: String = text.to_lowercase();
            assert_eq!(with_lowercase(text, ToString::to_string), expected);
        }
    }
}
