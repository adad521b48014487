//! Stable sorting that takes little room in a program.
//!
//! The sort of the standard library has its own code for each type, about 5 kB. Here only a few lines
//! depend on the type. It is as fast for the short lists of a user's attributes.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// Up to this many items are sorted by insertion, which needs no further memory.
const FEW: usize = 20;

/// Sorts the items. Equal items keep their order.
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let compare_at = |items: &[T], a: usize, b: usize| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    };
    if items.len() <= FEW {
        for end in 1..items.len() {
            let mut place = end;
            while place > 0 && compare_at(items, place - 1, place).is_gt() {
                items.swap(place - 1, place);
                place -= 1;
            }
        }
        return;
    }
    let mut places = sorted_places(items.len(), &|a, b| compare_at(items, a, b));
    move_to_places(&mut places, &mut |a, b| items.swap(a, b));
}

/// Returns the place of each item in the sorted list.
#[inline(never)]
fn sorted_places(length: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..length).collect();
    // No two indices are equal, so an unstable sort does.
    order.sort_unstable_by(|&a, &b| compare(a, b).then(a.cmp(&b)));
    let mut places: Vec<usize> = (0..length).collect();
    for (place, item) in order.into_iter().enumerate() {
        if let Some(entry) = places.get_mut(item) {
            *entry = place;
        }
    }
    places
}

/// Moves each item to its place, by swaps. Each swap brings one item to its place.
#[inline(never)]
fn move_to_places(places: &mut [usize], swap: &mut dyn FnMut(usize, usize)) {
    for index in 0..places.len() {
        while let Some(&place) = places.get(index)
            && place != index
        {
            swap(index, place);
            places.swap(index, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn order_is_that_of_the_standard_sort(keys in prop::collection::vec(0_u8..30, 0..120)) {
            let mut items: Vec<(u8, usize)> = keys.into_iter().zip(0..).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by(&mut items, |(a, _), (b, _)| a.cmp(b));
            prop_assert_eq!(items, expected);
        }
    }

    #[test]
    fn lists_of_each_length_are_sorted() {
        for length in 0..100 {
            for turn in [1, 7, 37, 99] {
                let mut items: Vec<usize> = (0..length).map(|it| it * turn % 101).collect();
                sort_by(&mut items, usize::cmp);
                assert!(items.is_sorted(), "{length} items, times {turn}");
            }
        }
    }
}
