//! Different names for keys that would have the same one.

use std::collections::{BTreeMap, BTreeSet};

/// The number of digits of a hash that are added to a name.
const DIGITS: usize = 6;

/// How a name is written.
#[derive(Clone, Copy)]
pub(crate) enum Style {
    /// `new_checkout_3f2a9c`
    Snake,
    /// `NewCheckout3F2A9C`
    Camel,
}

/// Returns a name for each pair of a wanted name and its origin, in the same order.
///
/// A name that only one pair wants stays as it is. If several want the same name, each of them gets a
/// hash of its origin. So a new flag can remove a function from a module, but it can never give
/// the function's name to another flag.
pub(crate) fn unique(wanted: &[(String, String)], style: Style) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, _) in wanted {
        *counts.entry(name).or_default() += 1;
    }
    let is_single = |name: &str| counts.get(name) == Some(&1);
    let mut taken: BTreeSet<String> =
        wanted.iter().map(|(name, _)| name.clone()).filter(|name| is_single(name)).collect();
    let mut names: Vec<String> = Vec::with_capacity(wanted.len());
    for (name, origin) in wanted {
        let unique =
            if is_single(name) { name.clone() } else { hashed(name, origin, style, &taken) };
        taken.insert(unique.clone());
        names.push(unique);
    }
    names
}

/// Adds digits of the origin's hash to a name, and a number if that does not suffice.
fn hashed(name: &str, origin: &str, style: Style, taken: &BTreeSet<String>) -> String {
    let hash = format!("{:016x}", hash(origin));
    let with = |suffix: &str| match style {
        Style::Snake => format!("{}_{suffix}", name.trim_end_matches('_')),
        Style::Camel => format!("{}{}", name.trim_end_matches('_'), suffix.to_uppercase()),
    };
    let digits = (DIGITS..=hash.len()).map(|length| hash.get(..length).unwrap_or(&hash).to_owned());
    let numbers = (2_u64..).map(|number| format!("{hash}_{number}"));
    let mut candidates = digits.chain(numbers).map(|suffix| with(&suffix));
    candidates.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// Hashes a text with FNV-1a. The result is the same on every system, and with every version.
fn hash(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The first digits of short texts would be similar.
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[(&str, &str)]) -> Vec<String> {
        let owned: Vec<(String, String)> =
            wanted.iter().map(|(name, origin)| ((*name).into(), (*origin).into())).collect();
        unique(&owned, Style::Snake)
    }

    #[test]
    fn new_flag_never_takes_the_name_of_another() {
        let alone = names(&[("a_b", "a-b")]);
        let both = names(&[("a_b", "a-b"), ("a_b", "a_b")]);
        assert_eq!(alone, ["a_b"]);
        assert!(!both.contains(&"a_b".to_owned()), "{both:?}");
        let reversed = names(&[("a_b", "a_b"), ("a_b", "a-b")]);
        assert_eq!(both.iter().rev().collect::<Vec<_>>(), reversed.iter().collect::<Vec<_>>());
    }

    #[test]
    fn name_with_a_hash_can_be_taken() {
        let both = names(&[("a_b", "a-b"), ("a_b", "a_b")]);
        let all = names(&[("a_b", "a-b"), ("a_b", "a_b"), (&both[0], "third")]);
        let different: BTreeSet<&String> = all.iter().collect();
        assert_eq!((all[2].as_str(), different.len()), (both[0].as_str(), 3), "{all:?}");
    }

    #[test]
    fn equal_origins_get_different_names() {
        let all = names(&[("a", "x"), ("a", "x"), ("a", "x")]);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3, "{all:?}");
    }
}
