//! Comparison of versions, for `$veq` and similar operators. GrowthBook compares padded strings.

use core::cmp::Ordering;
use core::slice;

/// Compares two versions, part by part. Parts are split at `-` and `.`.
///
/// Numbers of up to five digits compare by value, everything else as text. A release is greater
/// than its pre-releases.
pub(super) fn compare_versions(a: &str, b: &str) -> Ordering {
    match (release(a), release(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => Padded::new(a).units().cmp(Padded::new(b).units()),
    }
}

/// Reads the numbers of a plain release such as "3.11.0". Without leading zeros, and no longer than
/// the padding, they compare like the padded strings.
fn release(version: &str) -> Option<[u32; 3]> {
    let mut rest = version.as_bytes().iter();
    let major = number(&mut rest, Some(b'.'))?;
    let minor = number(&mut rest, Some(b'.'))?;
    Some([major, minor, number(&mut rest, None)?])
}

/// Reads a number that is followed by `end`.
#[inline]
fn number(bytes: &mut slice::Iter<'_, u8>, end: Option<u8>) -> Option<u32> {
    let first = bytes.next().copied().filter(u8::is_ascii_digit)?;
    let mut value = u32::from(first - b'0');
    for length in 1.. {
        match bytes.next().copied() {
            // A number with a leading zero is not plain.
            Some(digit @ b'0'..=b'9') if value > 0 && length < PAD_WIDTH => {
                value = value * 10 + u32::from(digit - b'0');
            }
            next => return (next == end).then_some(value),
        }
    }
    None
}

/// Numbers are padded to this width: "9" becomes "    9".
const PAD_WIDTH: usize = 5;

/// A version whose padded string is read unit by unit instead of being built.
struct Padded<'a> {
    core: &'a str,
    /// Three parts get a fourth one, "~". It sorts after every pre-release tag.
    release: bool,
}

impl<'a> Padded<'a> {
    fn new(version: &'a str) -> Self {
        let version = if version.is_empty() { "0" } else { version };
        let without_build = strip_build(version);
        let core = without_build.strip_prefix('v').unwrap_or(without_build);
        Padded { core, release: parts(core).count() == 3 }
    }

    /// Iterates over the UTF-16 code units of the padded string.
    fn units(&self) -> impl Iterator<Item = u16> {
        let tail = if self.release { "-~" } else { "" };
        parts(self.core)
            .enumerate()
            .flat_map(|(index, part)| {
                let numeric = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                let padding = if numeric { PAD_WIDTH.saturating_sub(part.len()) } else { 0 };
                let separator = (index > 0).then_some(u16::from(b'-'));
                separator
                    .into_iter()
                    .chain(core::iter::repeat_n(u16::from(b' '), padding))
                    .chain(part.encode_utf16())
            })
            .chain(tail.encode_utf16())
    }
}

fn parts(core: &str) -> impl Iterator<Item = &str> {
    core.split(['-', '.'])
}

/// Drops `\+.*$`: everything from the first plus sign of the last line.
fn strip_build(version: &str) -> &str {
    let last_line = version.rfind(['\n', '\r', '\u{2028}', '\u{2029}']).map_or(0, |at| {
        at + version.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    });
    match version.get(last_line..).and_then(|line| line.find('+')) {
        Some(plus) => version.get(..last_line + plus).unwrap_or(version),
        None => version,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;

    fn padded(version: &str) -> String {
        char::decode_utf16(Padded::new(version).units()).map(Result::unwrap).collect()
    }

    #[test]
    fn numbers_are_padded() {
        let cases = [
            ("1.2.3", "    1-    2-    3-~"),
            ("v1.2.3-rc.1+build123", "    1-    2-    3-rc-    1"),
            ("vv1", "v1"),
            ("", "    0"),
            ("123456.1", "123456-    1"),
            ("1..3", "    1--    3-~"),
            ("1.2.3+a\nb+c", "    1-    2-3+a\nb-~"),
            ("1+a+b", "    1"),
            ("v", ""),
        ];
        for (version, expected) in cases {
            assert_eq!(padded(version), expected, "{version:?}");
        }
    }

    proptest! {
        #[test]
        fn plain_releases_compare_like_padded_strings(
            a in "[0-9]{1,6}[.-][0-9]{1,2}[.-][0-9]{0,2}",
            b in "[0-9]{1,6}[.-][0-9]{1,2}[.-][0-9]{0,2}",
        ) {
            let padded = Padded::new(&a).units().cmp(Padded::new(&b).units());
            prop_assert_eq!(compare_versions(&a, &b), padded);
        }
    }

    #[test]
    fn plain_release_has_three_short_numbers() {
        assert_eq!(release("3.11.0"), Some([3, 11, 0]));
        for other in ["", "3.11", "3.11.0.1", "3.011.0", "3..0", "3.11.x", "v3.11.0", "3.123456.0"]
        {
            assert_eq!(release(other), None, "{other}");
        }
    }

    #[test]
    fn release_is_greater_than_its_pre_releases() {
        assert_eq!(compare_versions("9", "10"), Ordering::Less);
        assert_eq!(compare_versions("1.0.0-beta", "1.0.0"), Ordering::Less);
        assert_eq!(compare_versions("v1.0.0+7", "1.0.0"), Ordering::Equal);
    }
}
