//! The sticky bucket documents of one user.

use alloc::{sync::Arc, vec::Vec};
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::document::with_text;
use super::{StickyBucketDocument, StickyBucketKey};
use crate::hash_value::HashValue;

/// The documents of one user. Evaluations change them, and the caller stores the changed ones.
#[derive(Clone, Debug, Default)]
pub struct StickyBuckets {
    slots: Vec<Slot>,
    /// The positions of the documents by key, if there are more than [`FEW`]. A cookie can hold
    /// thousands.
    by_key: HashTable<usize>,
    hasher: DefaultHashBuilder,
    /// The positions of the changed documents, each once.
    changed: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Slot {
    document: Arc<StickyBucketDocument>,
    is_changed: bool,
}

/// Up to this many documents, comparing keys is faster than a table. Most users have one or two.
const FEW: usize = 8;

impl StickyBuckets {
    /// Makes an empty set, for a user who was never assigned.
    pub fn new() -> Self {
        StickyBuckets::default()
    }

    /// Adds a document. It replaces one with the same key.
    pub fn insert(&mut self, document: StickyBucketDocument) {
        match self.position(&document.attribute_name, &document.attribute_value) {
            Some(position) => {
                if let Some(slot) = self.slots.get_mut(position) {
                    slot.document = Arc::new(document);
                }
            }
            None => {
                self.add(document);
            }
        }
    }

    /// Returns the document of an attribute's value.
    pub fn get(
        &self,
        attribute_name: &str,
        attribute_value: &str,
    ) -> Option<&StickyBucketDocument> {
        let position = self.position(attribute_name, attribute_value)?;
        self.slots.get(position).map(|slot| &*slot.document)
    }

    /// Returns every document.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &StickyBucketDocument> {
        self.slots.iter().map(|slot| &*slot.document)
    }

    /// Returns the documents that evaluations changed since the last call, each once. They are the
    /// documents to save.
    pub fn take_changed(&mut self) -> Vec<StickyBucketDocument> {
        let mut documents = Vec::with_capacity(self.changed.len());
        for position in core::mem::take(&mut self.changed) {
            if let Some(slot) = self.slots.get_mut(position) {
                slot.is_changed = false;
                documents.push((*slot.document).clone());
            }
        }
        documents
    }

    /// Lets [`take_changed`](StickyBuckets::take_changed) return the document of this key, as if an
    /// evaluation had changed it. Nothing happens if there is no such document.
    pub fn mark_changed(&mut self, key: &StickyBucketKey) {
        if let Some(position) = self.position(&key.attribute_name, &key.attribute_value) {
            self.set_changed(position);
        }
    }

    fn set_changed(&mut self, position: usize) {
        if let Some(slot) = self.slots.get_mut(position)
            && !slot.is_changed
        {
            slot.is_changed = true;
            self.changed.push(position);
        }
    }

    /// Adds documents. The assignments of a document with the same key are kept, except that new
    /// ones replace old ones.
    pub fn merge(&mut self, documents: impl IntoIterator<Item = StickyBucketDocument>) {
        for document in documents {
            match self.position(&document.attribute_name, &document.attribute_value) {
                Some(position) => {
                    if let Some(slot) = self.slots.get_mut(position) {
                        Arc::make_mut(&mut slot.document).assignments.extend(document.assignments);
                    }
                }
                None => {
                    self.add(document);
                }
            }
        }
    }

    pub(crate) fn of(
        &self,
        attribute: &str,
        value: HashValue<'_>,
    ) -> Option<&StickyBucketDocument> {
        with_text(value, |text| self.get(attribute, text)).flatten()
    }

    /// Adds an assignment. Nothing changes when the document has it already.
    pub(crate) fn assign(&mut self, key: StickyBucketKey, experiment: &str, variation: &str) {
        let position = self
            .position(&key.attribute_name, &key.attribute_value)
            .unwrap_or_else(|| self.add(StickyBucketDocument::new(key)));
        let Some(slot) = self.slots.get_mut(position) else { return };
        let assigned = slot.document.assignments.get(experiment);
        if assigned.is_some_and(|assigned| **assigned == *variation) {
            return;
        }
        let document = Arc::make_mut(&mut slot.document);
        document.assignments.insert(experiment.into(), variation.into());
        self.set_changed(position);
    }

    /// Adds a document with a new key. Returns its position.
    fn add(&mut self, document: StickyBucketDocument) -> usize {
        let position = self.slots.len();
        self.slots.push(Slot { document: Arc::new(document), is_changed: false });
        if position == FEW {
            (0..=position).for_each(|position| self.index(position));
        } else if position > FEW {
            self.index(position);
        }
        position
    }

    fn index(&mut self, position: usize) {
        let StickyBuckets { slots, by_key, hasher, .. } = self;
        let hash = |position: &usize| slots.get(*position).map_or(0, |slot| slot.hash(hasher));
        by_key.insert_unique(hash(&position), position, hash);
    }

    fn position(&self, attribute_name: &str, attribute_value: &str) -> Option<usize> {
        let has_key = |slot: &Slot| {
            *slot.document.attribute_name == *attribute_name
                && *slot.document.attribute_value == *attribute_value
        };
        if self.slots.len() <= FEW {
            return self.slots.iter().position(has_key);
        }
        let hash = self.hasher.hash_one((attribute_name, attribute_value));
        self.by_key.find(hash, |position| self.slots.get(*position).is_some_and(has_key)).copied()
    }
}

impl Slot {
    fn hash(&self, hasher: &DefaultHashBuilder) -> u64 {
        hasher.hash_one((&*self.document.attribute_name, &*self.document.attribute_value))
    }
}

impl FromIterator<StickyBucketDocument> for StickyBuckets {
    fn from_iter<I: IntoIterator<Item = StickyBucketDocument>>(documents: I) -> Self {
        let mut buckets = StickyBuckets::new();
        for document in documents {
            buckets.insert(document);
        }
        buckets
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use super::*;

    fn key(value: &str) -> StickyBucketKey {
        StickyBucketKey { attribute_name: "id".into(), attribute_value: value.into() }
    }

    #[test]
    fn each_change_is_reported_once() {
        let mut buckets = StickyBuckets::new();
        buckets.assign(key("1"), "exp__0", "a");
        buckets.assign(key("1"), "other__0", "b");
        assert_eq!(buckets.take_changed().len(), 1);
        buckets.assign(key("1"), "exp__0", "a");
        assert!(buckets.take_changed().is_empty());
        assert_eq!(buckets.get("id", "1").unwrap().assignments.len(), 2);
        buckets.mark_changed(&key("1"));
        buckets.mark_changed(&key("2"));
        // There is no document of user 2.
        assert_eq!(buckets.take_changed().len(), 1);
    }

    #[test]
    fn documents_are_found_among_few_and_many() {
        for count in [1, FEW, FEW + 1, 1_000] {
            let document = |number: usize| StickyBucketDocument::new(key(&number.to_string()));
            let mut buckets: StickyBuckets = (0..count).map(document).collect();
            buckets.merge((0..count).map(|number| {
                let mut document = document(number);
                document.assignments.insert("exp__0".into(), format!("{number}").into());
                document
            }));
            assert_eq!(buckets.iter().len(), count);
            for number in 0..count {
                let text = number.to_string();
                assert_eq!(*buckets.get("id", &text).unwrap().assignments["exp__0"], *text);
            }
            assert!(buckets.get("id", "other").is_none() && buckets.get("other", "0").is_none());
        }
    }
}
