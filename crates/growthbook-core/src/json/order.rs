//! JavaScript's property order, in which the members of objects are compared and visited.

use alloc::vec::Vec;
use core::ops::Deref;

use hashbrown::{HashMap, HashSet};

use crate::sorting::sort_by;

/// Brings members into JavaScript's property order and merges repeated names.
pub(crate) fn property_order<N: Deref<Target = str>, T>(members: Vec<(N, T)>) -> Vec<(N, T)> {
    let names = || members.iter().map(|(name, _)| &**name);
    let has_indices = names().any(|name| array_index(name).is_some());
    let mut members = if has_repeated(names()) { merge_repeated(members) } else { members };
    if has_indices {
        // The sort is stable: other names keep their order, after the indices.
        let place = |(name, _): &(N, T)| array_index(name).map_or(u64::MAX, u64::from);
        sort_by(&mut members, |a, b| place(a).cmp(&place(b)));
    }
    members
}

fn has_repeated<'n>(names: impl Iterator<Item = &'n str> + Clone) -> bool {
    /// For up to this many members, comparing names is faster than building a table.
    const SMALL: usize = 24;
    let mut rest = names.clone();
    if rest.by_ref().nth(SMALL).is_some() {
        let mut seen = HashSet::new();
        return !names.into_iter().all(|name| seen.insert(name));
    }
    let mut rest = names;
    while let Some(name) = rest.next() {
        if rest.clone().any(|other| other == name) {
            return true;
        }
    }
    false
}

/// Keeps the first place and the last value of each name.
fn merge_repeated<N: Deref<Target = str>, T>(members: Vec<(N, T)>) -> Vec<(N, T)> {
    let mut by_name = HashMap::with_capacity(members.len());
    let places: Vec<usize> = members
        .iter()
        .map(|(name, _)| {
            let next = by_name.len();
            *by_name.entry(&**name).or_insert(next)
        })
        .collect();
    drop(by_name);
    let mut merged: Vec<(N, T)> = Vec::new();
    for ((name, value), place) in members.into_iter().zip(places) {
        match merged.get_mut(place) {
            Some(member) => member.1 = value,
            None => merged.push((name, value)),
        }
    }
    merged
}

/// Reads a key that JavaScript treats as an array index: a number from 0 to 2^32 - 2 in canonical
/// decimal form. "0" and "10" are indices; "01", "-0" and "4294967295" are not.
pub(crate) fn array_index(key: &str) -> Option<u32> {
    let is_canonical = match key.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 10 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !is_canonical {
        return None;
    }
    key.parse::<u32>().ok().filter(|&index| index != u32::MAX)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn ordered<'n>(names: &[&'n str]) -> Vec<(&'n str, usize)> {
        property_order(names.iter().copied().zip(0..).collect())
    }

    #[test]
    fn array_indices_come_first_and_ascend() {
        let names = |written: &[&'static str]| -> Vec<_> {
            ordered(written).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&["b", "a"]), ["b", "a"]);
        assert_eq!(names(&["b", "10", "2", "01"]), ["2", "10", "b", "01"]);
        assert_eq!(names(&["4294967295", "4294967294"]), ["4294967294", "4294967295"]);
    }

    #[test]
    fn repeated_name_keeps_its_place_and_last_value() {
        assert_eq!(ordered(&["a", "b", "a"]), [("a", 2), ("b", 1)]);
    }

    #[test]
    fn repetition_is_found_in_small_and_large_objects() {
        for count in [1, 2, 24, 25, 100] {
            let mut names: Vec<_> = (0..count).map(|number| format!("n{number}")).collect();
            assert!(!has_repeated(names.iter().map(|name| name.as_str())), "{count}");
            names.push("n0".into());
            assert!(has_repeated(names.iter().map(|name| name.as_str())), "{count}");
        }
    }

    #[test]
    fn array_indices_are_canonical() {
        let cases = [
            ("0", Some(0)),
            ("10", Some(10)),
            ("4294967294", Some(4_294_967_294)),
            ("4294967295", None),
            ("99999999999", None),
            ("01", None),
            ("-0", None),
            ("+1", None),
            ("", None),
            ("1.0", None),
        ];
        for (key, expected) in cases {
            assert_eq!(array_index(key), expected, "{key:?}");
        }
    }
}
