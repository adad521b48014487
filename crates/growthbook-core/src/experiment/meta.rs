//! What is known about variations. Those of most experiments are named alike, so that they share it.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::cell::RefCell;

use super::definition::VariationMeta;
use super::read::text_of;
use crate::json::{ListView, ObjectView, View};

/// How many lists are looked through for one that is the same.
const POOLED: usize = 8;

/// The lists that the experiments read last have.
#[derive(Default)]
pub(crate) struct MetaPool {
    lists: RefCell<Vec<Arc<[VariationMeta]>>>,
}

impl MetaPool {
    /// The list of one that says the same, if there is one.
    pub(super) fn read(&self, list: ListView<'_>) -> Arc<[VariationMeta]> {
        let mut lists = self.lists.borrow_mut();
        if let Some(same) = lists.iter().find(|pooled| says_the_same(pooled, list)) {
            return same.clone();
        }
        let new = read(list);
        lists.truncate(POOLED - 1);
        lists.insert(0, new.clone());
        new
    }
}

pub(super) fn read(list: ListView<'_>) -> Arc<[VariationMeta]> {
    let meta = |object: ObjectView<'_>| VariationMeta {
        key: object.get("key").and_then(text_of).map(Box::from),
        name: object.get("name").and_then(text_of).map(Box::from),
        passthrough: passthrough(object),
    };
    list.iter().map(|item| item.as_object().map(meta).unwrap_or_default()).collect()
}

fn says_the_same(metas: &[VariationMeta], list: ListView<'_>) -> bool {
    let mut items = list.iter();
    let same = |meta: &VariationMeta| match items.next().map(View::as_object) {
        Some(Some(object)) => {
            is_text(meta.key.as_deref(), object.get("key"))
                && is_text(meta.name.as_deref(), object.get("name"))
                && meta.passthrough == passthrough(object)
        }
        Some(None) => *meta == VariationMeta::default(),
        None => false,
    };
    metas.iter().all(same) && items.next().is_none()
}

/// Whether it is the text of the value; no text is the same as an empty one.
fn is_text(text: Option<&str>, value: Option<View<'_>>) -> bool {
    match value {
        Some(View::String(value)) => text.unwrap_or_default() == value,
        value => text == value.and_then(text_of).as_deref(),
    }
}

fn passthrough(object: ObjectView<'_>) -> bool {
    object.get("passthrough").is_some_and(View::is_truthy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;

    #[test]
    fn what_says_the_same_is_shared() {
        let texts = [
            r#"[{"key":"0","name":"Control"},{"key":"1"}]"#,
            r#"[{"key":"0","name":"Control"}]"#,
            r#"[{"key":"0","name":"Control"},{"key":"1"},{}]"#,
            r#"[{"key":"0","name":"Control"},{"key":"1","passthrough":true}]"#,
            r#"[{"key":"0","name":"Control"},{"key":"2"}]"#,
            r#"[{"key":"0"},{"key":"1"}]"#,
            "[]",
            "[null]",
        ];
        let pool = MetaPool::default();
        let read_pooled = |text| pool.read(Tape::parse(text).unwrap().root().as_array().unwrap());
        let first: Vec<_> = texts.map(read_pooled).into();
        for (index, text) in texts.iter().enumerate() {
            let again = read_pooled(text);
            assert_eq!(again, read(Tape::parse(text).unwrap().root().as_array().unwrap()));
            let shared: Vec<usize> =
                (0..texts.len()).filter(|&other| Arc::ptr_eq(&again, &first[other])).collect();
            assert_eq!(shared, [index], "{text}");
        }
        let alike = r#"[{"name":"Control","key":0},{"key":1,"name":"","passthrough":0}]"#;
        assert!(Arc::ptr_eq(&read_pooled(alike), &first[0]));
    }
}
