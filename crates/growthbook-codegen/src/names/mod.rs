//! Rust names for keys, which may be any text.

mod reserved;
mod unique;

pub(crate) use reserved::{is_keyword, is_method, is_type};
pub(crate) use unique::{Style, unique};

/// Splits a text into the words of a name, in lower case.
///
/// A word ends at every character that is not a letter or digit, and where the letter case changes:
/// `newCheckout`, `new-checkout` and `NEW_CHECKOUT` have the same words. A character outside ASCII
/// becomes a word with its number, because the compiler warns of names that look alike.
pub(crate) fn words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (index, &char) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| chars.get(before));
        let after = chars.get(index + 1);
        if !char.is_ascii_alphanumeric() || starts_word(before.copied(), char, after.copied()) {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        }
        if char.is_ascii_alphanumeric() {
            word.push(char.to_ascii_lowercase());
        } else if !char.is_ascii() {
            words.push(format!("u{:x}", u32::from(char)));
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// Whether a letter begins a word: the `C` in `newCheckout`, and the `S` in `HTTPServer`.
fn starts_word(before: Option<char>, char: char, after: Option<char>) -> bool {
    let Some(before) = before else { return true };
    let is_lower = |it: char| it.is_ascii_lowercase();
    char.is_ascii_uppercase()
        && (is_lower(before)
            || before.is_ascii_digit()
            || before.is_ascii_uppercase() && after.is_some_and(is_lower))
}

/// Joins words to the name of a function or field. `otherwise` is used if there are no words, and
/// before a digit.
pub(crate) fn snake(words: &[String], otherwise: &str) -> String {
    let name = words.join("_");
    match name.chars().next() {
        None => otherwise.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{otherwise}_{name}"),
        Some(_) => name,
    }
}

/// Joins words to the name of a type or variant.
pub(crate) fn camel(words: &[String]) -> String {
    let mut name = String::new();
    for word in words {
        let mut chars = word.chars();
        name.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        name.extend(chars);
    }
    match name.chars().next() {
        None => "Empty".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("V{name}"),
        Some(_) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_case_and_punctuation() {
        let cases = [
            ("new-checkout", "new_checkout", "NewCheckout"),
            ("newCheckout", "new_checkout", "NewCheckout"),
            ("NEW__CHECKOUT", "new_checkout", "NewCheckout"),
            ("HTTPServer2Port", "http_server2_port", "HttpServer2Port"),
            ("v2", "v2", "V2"),
            ("2nd", "flag_2nd", "V2nd"),
            ("", "flag", "Empty"),
            (" -- ", "flag", "Empty"),
            ("größe", "gr_uf6_udf_e", "GrUf6UdfE"),
            ("🎉", "u1f389", "U1f389"),
        ];
        for (key, function, name) in cases {
            assert_eq!(
                (snake(&words(key), "flag"), camel(&words(key))),
                (function.into(), name.into())
            );
        }
    }
}
