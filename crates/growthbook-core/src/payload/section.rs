//! The sections of a payload, as the text of their entries.

use alloc::{borrow::Cow, boxed::Box, string::String, sync::Arc, vec::Vec};

use hashbrown::HashMap;

use super::document::object_text;
use crate::json::{Json, Object, RawMembers, members, property_order};

/// A section that may be missing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Section<T> {
    Absent,
    Present(T),
    /// JSON text of another type than the section must have.
    Malformed(Box<str>),
    /// The section could not be decrypted.
    Unreadable,
}

/// The entries of a section by key, in JavaScript's property order.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
    /// Entries whose key is not valid text. They are passed on as written.
    unnamed: Vec<(Box<str>, Box<str>)>,
}

/// An entry of a section. Successive payloads share equal entries.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: Arc<str>,
    /// JSON text of any type.
    pub(crate) text: Arc<str>,
}

impl Entries {
    /// Finds the entries of the object in `text`.
    pub(super) fn read(text: &str) -> Result<Self, serde_json::Error> {
        let RawMembers { named, unnamed } = members(text)?;
        let unnamed = unnamed.into_iter().map(|(key, text)| (key.into(), text.into()));
        Ok(Entries { unnamed: unnamed.collect(), ..Entries::named(named) })
    }

    /// Makes entries that are in JavaScript's property order already.
    pub(super) fn named(named: Vec<(Cow<'_, str>, &str)>) -> Self {
        let entries =
            named.into_iter().map(|(key, text)| Entry { key: key.into(), text: text.into() });
        Entries { entries: entries.collect(), unnamed: Vec::new() }
    }

    /// Makes an entry of each member of an object, in JavaScript's property order.
    pub(crate) fn of_object(object: &Object<'_>) -> Self {
        let entries = property_order(object.iter().collect())
            .into_iter()
            .map(|(key, value)| Entry { key: key.into(), text: value.to_text().into() });
        Entries { entries: entries.collect(), unnamed: Vec::new() }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Returns the length of the text of all entries.
    pub(crate) fn text_length(&self) -> usize {
        let of_entry = |entry: &Entry| entry.key.len() + entry.text.len();
        self.entries.iter().map(of_entry).sum()
    }

    /// Iterates over the keys that are not valid text, as written.
    pub(crate) fn unnamed_keys(&self) -> impl Iterator<Item = &str> {
        self.unnamed.iter().map(|(key, _)| &**key)
    }

    /// Returns the section as the text of an object.
    pub(super) fn to_text(&self) -> String {
        let named = self.entries.iter();
        let named = named.map(|entry| (Cow::Owned(quoted(&entry.key)), &*entry.text));
        let unnamed = self.unnamed.iter();
        let unnamed = unnamed.map(|(key, text)| (Cow::Owned(["\"", key, "\""].concat()), &**text));
        object_text(named.chain(unnamed))
    }

    /// Shares the memory of equal entries with an older section.
    pub(super) fn share_with(&mut self, older: &Entries) {
        let mut older = ByKey::new(older);
        for entry in &mut self.entries {
            if let Some(same) = older.get(&entry.key).filter(|older| older.text == entry.text) {
                entry.clone_from(same);
            }
        }
    }

    /// Returns the keys of added, changed and removed entries: first those of this section in its
    /// order, then the removed ones.
    pub(super) fn changed_keys(&self, older: &Entries) -> Vec<String> {
        let (mut in_older, mut in_newer) = (ByKey::new(older), ByKey::new(self));
        let changed = self
            .iter()
            .filter(|entry| in_older.get(&entry.key).is_none_or(|older| older.text != entry.text));
        let mut keys: Vec<String> = changed.map(|entry| String::from(&*entry.key)).collect();
        let removed = older.iter().filter(|entry| in_newer.get(&entry.key).is_none());
        keys.extend(removed.map(|entry| String::from(&*entry.key)));
        keys
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Entries { entries: entries.into_iter().collect(), unnamed: Vec::new() }
    }
}

/// Returns the key as JSON text.
pub(super) fn quoted(key: &str) -> String {
    Json::String(key.into()).to_text()
}

/// Finds entries by key. Looking up keys in the order of the entries is fast, since it does not
/// hash.
struct ByKey<'e> {
    entries: &'e [Entry],
    next: usize,
    table: Option<HashMap<&'e str, usize>>,
}

impl<'e> ByKey<'e> {
    fn new(entries: &'e Entries) -> Self {
        ByKey { entries: &entries.entries, next: 0, table: None }
    }

    fn get(&mut self, key: &str) -> Option<&'e Entry> {
        if let Some(expected) = self.entries.get(self.next)
            && *expected.key == *key
        {
            self.next += 1;
            return Some(expected);
        }
        let place = *self
            .table
            .get_or_insert_with(|| self.entries.iter().map(|it| &*it.key).zip(0..).collect())
            .get(key)?;
        // The next lookup is probably for the entry after this one.
        self.next = place + 1;
        self.entries.get(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Entries {
        Entries::read(text).unwrap()
    }

    #[test]
    fn entries_are_found_in_any_order() {
        let older = entries(r#"{"a":1,"b":2,"c":3,"d":4}"#);
        for keys in ["abcd", "dcba", "bxda", "aabb", "cdab", "cabd"] {
            let mut by_key = ByKey::new(&older);
            for key in keys.chars().map(String::from) {
                let expected = older.iter().find(|entry| *entry.key == key);
                assert!(by_key.get(&key) == expected, "{key} of {keys}");
            }
        }
    }

    #[test]
    fn same_entries_share_their_memory() {
        let older = entries(r#"{"a":1,"b":2,"c":3}"#);
        let mut newer = entries(r#"{"c":3,"b":5,"a":1,"d":3}"#);
        newer.share_with(&older);
        let shared = |key: &str| {
            let find = |all: &'_ Entries| all.iter().find(|it| *it.key == *key).cloned();
            matches!((find(&older), find(&newer)), (Some(a), Some(b)) if Arc::ptr_eq(&a.text, &b.text))
        };
        assert!(shared("a") && !shared("b") && shared("c") && !shared("d"));
        assert_eq!(newer.changed_keys(&older), ["b", "d"]);
        assert_eq!(older.changed_keys(&newer), ["b", "d"]);
    }

    #[test]
    fn invalid_keys_are_passed_on() {
        let text = r#"{"a":1,"\ud800":2}"#;
        assert_eq!(entries(text).to_text(), text);
    }
}
