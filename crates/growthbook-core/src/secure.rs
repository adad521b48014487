//! Secure attributes: targeting compares their hashes, so that a payload does not reveal the
//! values.

use alloc::string::String;
use core::fmt::Write;

use sha2::{Digest, Sha256};

/// Returns the secure form of an attribute: the SHA-256 of `salt` followed by `value`, in
/// lower-case hexadecimal. GrowthBook calls the salt "secure attribute salt".
///
/// ```
/// use growthbook_core::UserContext;
/// use growthbook_core::secure::secure_attribute;
///
/// let user = UserContext::new("user-1")
///     .attribute("email", secure_attribute("salt", "someone@example.com"));
/// # assert_eq!(secure_attribute("", ""),
/// #     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// ```
pub fn secure_attribute(salt: &str, value: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update(value).finalize();
    let mut text = String::with_capacity(digest.len() * 2);
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Returns the secure form of each value of a list attribute. Collect them into an attribute value:
/// `.attribute("tags", secure_attributes(salt, tags).collect::<AttributeValue>())`.
pub fn secure_attributes<'a, V: AsRef<str>>(
    salt: &'a str,
    values: impl IntoIterator<Item = V> + 'a,
) -> impl Iterator<Item = String> + 'a {
    values.into_iter().map(move |value| secure_attribute(salt, value.as_ref()))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn salt_is_hashed_first() {
        // `printf 'saltvalue' | sha256sum`
        let expected = "d430a1da30afe1a9d07b3b36042151ebaf53c4882af1609733c04930de318e33";
        assert_eq!(secure_attribute("salt", "value"), expected);
        let list: Vec<String> = secure_attributes("salt", ["a", "b"]).collect();
        assert_eq!(list, [secure_attribute("salt", "a"), secure_attribute("salt", "b")]);
    }
}
