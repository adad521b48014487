//! What is known about variations. Those of most experiments are named alike, so that they share it.

use alloc::{boxed::Box, sync::Arc};

use super::definition::VariationMeta;
use super::pool::Pool;
use super::read::text_of;
use crate::json::{ListView, ObjectView, View};

/// The metas of a list, shared with experiments whose list says the same.
pub(super) fn shared(
    list: ListView<'_>,
    pool: Option<&Pool<VariationMeta>>,
) -> Arc<[VariationMeta]> {
    let is_same = |pooled: &[VariationMeta]| says_the_same(pooled, list);
    Pool::share(pool, is_same, || Some(read(list))).unwrap_or_default()
}

fn read(list: ListView<'_>) -> Arc<[VariationMeta]> {
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
    use alloc::vec::Vec;

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
        let pool = Pool::default();
        let read_pooled =
            |text| shared(Tape::parse(text).unwrap().root().as_array().unwrap(), Some(&pool));
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
