//! The most similar key, for a key that may be misspelt.

/// Returns the most similar key, if it differs in at most a third of its characters. The first one of
/// several wins.
pub(super) fn nearest<'k>(key: &str, keys: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let wanted: Vec<char> = key.chars().collect();
    let most = (wanted.len() / 3).max(1);
    let distances = keys.filter(|other| other.len().abs_diff(key.len()) <= 4 * most);
    let distances = distances.map(|other| (distance(&wanted, other), other));
    distances.filter(|(distance, _)| *distance <= most).min_by_key(|it| it.0).map(|it| it.1)
}

/// Returns the number of characters to insert, remove or replace.
fn distance(from: &[char], to: &str) -> usize {
    let mut row: Vec<usize> = (0..=from.len()).collect();
    for (number, other) in to.chars().enumerate() {
        let mut next = vec![number + 1];
        for (char, costs) in from.iter().zip(row.windows(2)) {
            let (&[diagonal, above], Some(&left)) = (costs, next.last()) else { continue };
            let replaced = diagonal + usize::from(*char != other);
            next.push(replaced.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_key_is_found() {
        let keys = ["new-checkout", "new-search", "x", "größe"];
        let cases = [
            ("new-chekout", Some("new-checkout")),
            ("new_checkout", Some("new-checkout")),
            ("grosse", None),
            ("groesse", None),
            ("grösse", Some("größe")),
            ("dark-mode", None),
            ("", Some("x")),
        ];
        for (key, expected) in cases {
            assert_eq!(nearest(key, keys.into_iter()), expected, "{key}");
        }
    }
}
