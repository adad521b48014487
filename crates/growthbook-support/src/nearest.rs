//! The name that is written almost like another one, for hints in errors.

/// Longer names are not compared, so that a hint costs little.
const LONGEST: usize = 100;

/// Returns the candidate that is written most like the name, if one is similar enough to be meant.
/// Case, and the difference between `-`, `_`, `.` and blanks, count as nothing.
///
/// ```
/// use growthbook_support::nearest;
///
/// let flags = ["checkout", "max-items"];
/// assert_eq!(nearest("chekcout", flags), Some("checkout"));
/// assert_eq!(nearest("maxItems", flags), Some("max-items"));
/// assert_eq!(nearest("banner", flags), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = letters(name)?;
    let mut limit = (name.len() / 3).max(1);
    let mut best = None;
    for candidate in candidates {
        let Some(letters) = letters(candidate) else { continue };
        if letters.len().abs_diff(name.len()) > limit {
            continue;
        }
        let distance = distance(&name, &letters);
        // The first of several equally near candidates stays.
        if distance <= limit {
            best = Some(candidate);
            match distance.checked_sub(1) {
                Some(below) => limit = below,
                None => break,
            }
        }
    }
    best
}

/// Returns the letters to compare, or `None` if there are too many.
fn letters(name: &str) -> Option<Vec<char>> {
    let is_separator = |it: &char| matches!(it, '-' | '_' | '.' | ' ');
    let letters: Vec<char> = name
        .chars()
        .take(LONGEST + 1)
        .filter(|it| !is_separator(it))
        .flat_map(char::to_lowercase)
        .collect();
    (!letters.is_empty() && letters.len() <= LONGEST).then_some(letters)
}

/// Returns how many letters have to be added, removed, replaced or swapped with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, &letter) in from.iter().enumerate() {
        let mut current = Vec::with_capacity(to.len() + 1);
        let mut left = row + 1;
        current.push(left);
        let mut above_left = row;
        let mut neighbour = None;
        for (column, (&other, &above)) in to.iter().zip(last.iter().skip(1)).enumerate() {
            let replaced = above_left + usize::from(letter != other);
            left = replaced.min(above + 1).min(left + 1);
            if Some(other) == previous && neighbour == Some(letter) {
                // The two letters before this place, swapped.
                let swapped = column.checked_sub(1).and_then(|at| before_last.get(at));
                left = swapped.map_or(left, |swapped| left.min(swapped + 1));
            }
            current.push(left);
            above_left = above;
            neighbour = Some(other);
        }
        previous = Some(letter);
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: &str, to: &str) -> usize {
        distance(&letters(from).unwrap(), &letters(to).unwrap())
    }

    #[test]
    fn distance_counts_edits() {
        let cases = [
            ("a", "a", 0),
            ("kitten", "sitting", 3),
            ("checkout", "chekcout", 1),
            ("ab", "ba", 1),
            ("checkout", "chekout", 1),
            ("New_Checkout", "new-checkout", 0),
            ("abcdef", "fedcba", 5),
        ];
        for (from, to, edits) in cases {
            assert_eq!(between(from, to), edits, "{from} {to}");
            assert_eq!(between(to, from), edits, "{to} {from}");
        }
    }

    #[test]
    fn nearest_of_several_is_chosen() {
        assert_eq!(nearest("color", ["colour2", "colors", "colord"]), Some("colors"));
        assert_eq!(nearest("x", ["y", "xylophone"]), Some("y"));
        assert_eq!(nearest("checkout", []), None);
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest("-", ["_"]), None);
        assert_eq!(nearest(&"x".repeat(500), [&*"x".repeat(500)]), None);
        assert_eq!(nearest("größe", ["GRÖSSE", "größen"]), Some("größen"));
    }
}
