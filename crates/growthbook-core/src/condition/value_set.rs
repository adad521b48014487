//! Sets of values, for `$in` and for saved groups.

use alloc::{borrow::Cow, boxed::Box, vec::Vec};

use hashbrown::HashSet;
use smol_str::SmolStr;

use super::eval::Outcome;
use super::text::with_lowercase;
use crate::attributes::Node;
use crate::budget::{Budget, SHORT_TEXT, text_steps};
use crate::json::Json;
use crate::tag::Tag;

/// Up to this many texts, comparing one by one is faster than a hash set.
const FEW: usize = 8;

/// The primitive values of a list. Arrays and objects in the list never match, and are left out.
#[derive(Clone, Debug)]
pub(crate) enum ValueSet {
    /// Up to [`FEW`] texts that fit in their tags. Most lists are such lists.
    Short(Box<[Tag]>),
    Any(Box<AnyValues>),
}

impl Default for ValueSet {
    fn default() -> Self {
        ValueSet::Short(Box::default())
    }
}

/// Values of any primitive type, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnyValues {
    strings: Strings,
    /// The bits of doubles. -0 is stored as 0.
    numbers: Option<Box<HashSet<u64>>>,
    null: bool,
    yes: bool,
    no: bool,
}

/// Texts, each once.
#[derive(Clone, Debug)]
enum Strings {
    /// Up to [`FEW`], found by their tags.
    Few(Box<[(Tag, Box<str>)]>),
    Many(HashSet<SmolStr>),
}

impl Default for Strings {
    fn default() -> Self {
        Strings::Few(Box::default())
    }
}

impl Strings {
    /// Collects at most `count` texts.
    fn collect<'t>(count: usize, texts: impl Iterator<Item = Cow<'t, str>>) -> Self {
        if count > FEW {
            let mut strings = HashSet::with_capacity(count);
            strings.extend(texts.map(SmolStr::from));
            strings.shrink_to_fit();
            return Strings::Many(strings);
        }
        let mut few: Vec<(Tag, Box<str>)> = Vec::with_capacity(count);
        for text in texts {
            if !few.iter().any(|(_, other)| **other == *text) {
                few.push((Tag::new(&text), text.into()));
            }
        }
        Strings::Few(few.into())
    }

    fn contains(&self, text: &str) -> bool {
        match self {
            Strings::Few(few) => {
                let tag = Tag::new(text);
                few.iter().any(|(other_tag, other)| *other_tag == tag && **other == *text)
            }
            Strings::Many(many) => many.contains(text),
        }
    }

    fn len(&self) -> usize {
        match self {
            Strings::Few(few) => few.len(),
            Strings::Many(many) => many.len(),
        }
    }
}

impl ValueSet {
    /// Makes the set of the values of a list.
    pub(crate) fn new(list: &[Json<'_>]) -> Self {
        ValueSet::collect(list, Cow::Borrowed)
    }

    /// Makes a set for [`ValueSet::test_lowercase`].
    pub(super) fn lowercase(list: &[Json<'_>]) -> Self {
        ValueSet::collect(list, |text| text.to_lowercase().into())
    }

    fn collect<'t>(list: &'t [Json<'t>], string: impl Fn(&'t str) -> Cow<'t, str>) -> Self {
        match short_texts(list, &string) {
            Some(tags) => ValueSet::Short(tags),
            None => ValueSet::Any(Box::new(AnyValues::collect(list, string))),
        }
    }

    /// Returns the number of different values.
    pub(super) fn len(&self) -> usize {
        match self {
            ValueSet::Short(tags) => tags.len(),
            ValueSet::Any(values) => values.len(),
        }
    }

    /// Whether the set has the value. For a list: whether it has one of the items.
    pub(crate) fn contains(&self, actual: &Node<'_>) -> bool {
        let has = |node: &Node<'_>| self.has(node, |text| self.has_text(text));
        match actual.items() {
            Some(mut items) => items.any(|item| has(&item)),
            None => has(actual),
        }
    }

    /// Tests whether the set has the value or, with `negate`, does not have it. For a list: whether
    /// it has one of the items.
    #[inline]
    pub(super) fn test(&self, actual: &Node<'_>, negate: bool, budget: &Budget) -> Outcome {
        match (self, actual) {
            // The usual cases.
            (ValueSet::Short(tags), Node::String(text)) => {
                (tags.contains(&Tag::new(text)) != negate).into()
            }
            (ValueSet::Any(values), Node::String(text)) if text.len() <= SHORT_TEXT => {
                (values.strings.contains(text) != negate).into()
            }
            _ => self.test_any(actual, negate, budget),
        }
    }

    #[inline(never)]
    fn test_any(&self, actual: &Node<'_>, negate: bool, budget: &Budget) -> Outcome {
        let has = |node: &Node<'_>| self.has(node, |text| self.has_text(text));
        any_primitive(actual, budget, has).negate_if(negate)
    }

    /// Like [`test`](Self::test), without regard to case.
    pub(super) fn test_lowercase(
        &self,
        actual: &Node<'_>,
        negate: bool,
        budget: &Budget,
    ) -> Outcome {
        let has = |node: &Node<'_>| {
            self.has(node, |text| with_lowercase(text, |text| self.has_text(text)))
        };
        any_primitive(actual, budget, has).negate_if(negate)
    }

    fn has_text(&self, text: &str) -> bool {
        match self {
            ValueSet::Short(tags) => tags.contains(&Tag::new(text)),
            ValueSet::Any(values) => values.strings.contains(text),
        }
    }

    fn has(&self, node: &Node<'_>, string: impl FnOnce(&str) -> bool) -> bool {
        match (self, node) {
            (_, Node::String(text)) => string(text),
            (ValueSet::Any(values), node) => values.has(node),
            (ValueSet::Short(_), _) => false,
        }
    }
}

impl AnyValues {
    fn collect<'t>(list: &'t [Json<'t>], string: impl Fn(&'t str) -> Cow<'t, str>) -> Self {
        let texts = list.iter().filter_map(Json::as_str);
        let strings = Strings::collect(texts.clone().count(), texts.map(string));
        let mut values = AnyValues { strings, ..AnyValues::default() };
        for item in list.iter() {
            match item {
                Json::Null => values.null = true,
                Json::Bool(true) => values.yes = true,
                Json::Bool(false) => values.no = true,
                Json::Number(number) => {
                    values.numbers.get_or_insert_default().insert(number_key(number.as_f64()));
                }
                Json::String(_) | Json::Array(_) | Json::Object(_) => {}
            }
        }
        values
    }

    fn len(&self) -> usize {
        let others = [self.null, self.yes, self.no];
        let others = others.into_iter().filter(|&is_in_set| is_in_set).count();
        let numbers = self.numbers.as_ref().map_or(0, |numbers| numbers.len());
        self.strings.len() + numbers + others
    }

    /// Whether the set has a value that is not a string.
    fn has(&self, node: &Node<'_>) -> bool {
        match node {
            Node::Null => self.null,
            Node::Bool(true) => self.yes,
            Node::Bool(false) => self.no,
            Node::Number(number) => {
                let numbers = self.numbers.as_ref();
                numbers.is_some_and(|numbers| numbers.contains(&number_key(*number)))
            }
            _ => false,
        }
    }
}

/// Returns the tags of a list, if it has few items and each is a text that fits in its tag.
fn short_texts<'t>(
    list: &'t [Json<'t>],
    string: impl Fn(&'t str) -> Cow<'t, str>,
) -> Option<Box<[Tag]>> {
    let mut tags = Vec::with_capacity(FEW);
    for item in list.iter() {
        let tag = Tag::new(&string(item.as_str()?));
        if !tag.is_whole_text() || tags.len() == FEW {
            return None;
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Some(tags.into())
}

/// Tests a value, or each item of a list. Each item is a step, and a long text is several.
fn any_primitive(actual: &Node<'_>, budget: &Budget, has: impl Fn(&Node<'_>) -> bool) -> Outcome {
    let test = |node: &Node<'_>, steps: usize| {
        let text_length = node.as_str().map_or(0, str::len);
        if budget.take(steps + text_steps(text_length)) { has(node).into() } else { Outcome::Abort }
    };
    match actual.items() {
        Some(items) => Outcome::any(items.map(|item| test(&item, 1))),
        None => test(actual, 0),
    }
}

fn number_key(number: f64) -> u64 {
    // Adding 0 turns -0 into 0.
    (number + 0.0).to_bits()
}
