//! The order and the lower case of strings, as in JavaScript.

use core::cmp::Ordering;

/// Compares by UTF-16 code units. A character above U+FFFF sorts below U+E000. The rest after the
/// first difference is not read.
pub(super) fn compare_utf16(a: &str, b: &str) -> Ordering {
    let difference = a.bytes().zip(b.bytes()).position(|(a, b)| a != b);
    let Some(mut start) = difference else {
        return a.len().cmp(&b.len());
    };
    // The difference may be inside a character.
    while !(a.is_char_boundary(start) && b.is_char_boundary(start)) {
        start -= 1;
    }
    let [a, b] = [a, b].map(|text| text.get(start..).unwrap_or_default().encode_utf16());
    a.cmp(b)
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
        assert_eq!(compare_utf16("aé", "aè"), Ordering::Greater);
        assert_eq!(compare_utf16("a\u{1f600}", "a\u{1f601}"), Ordering::Less);
        assert_eq!(compare_utf16("ab", "abc"), Ordering::Less);
        assert_eq!(compare_utf16("", ""), Ordering::Equal);
    }

    #[test]
    fn lower_case_is_the_same_on_every_path() {
        for text in ["abc", "ABC", "Ä", "ΣΑΣ", "İ", &"X".repeat(63), &"X".repeat(65)] {
            let expected: String = text.to_lowercase();
            assert_eq!(with_lowercase(text, ToString::to_string), expected);
        }
    }
}
