//! Lists a value is looked up in, as hash sets.

use alloc::{borrow::Cow, boxed::Box, vec::Vec};

use hashbrown::HashSet;
use smol_str::SmolStr;

use super::text::with_lowercase;
use crate::json::{ListView, Node, View};
use crate::tag::Tag;

/// The primitive elements of a list. Arrays and objects in it match nothing and are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    strings: Strings,
    /// The bits of doubles, with -0 as 0.
    numbers: Option<Box<HashSet<u64>>>,
    null: bool,
    yes: bool,
    no: bool,
}

/// Texts, each once.
#[derive(Clone, Debug)]
enum Strings {
    /// Up to [`FEW`]: compared one by one, which is faster than hashing, and smaller. A short text
    /// is all in its tag.
    Few {
        tags: Box<[Tag]>,
        long: Box<[Box<str>]>,
    },
    Many(Box<HashSet<SmolStr>>),
}

/// How many texts are not worth a hash set.
const FEW: usize = 8;

impl Default for Strings {
    fn default() -> Self {
        Strings::Few { tags: Box::default(), long: Box::default() }
    }
}

impl Strings {
    /// Of at most `count` texts.
    fn collect<'t>(count: usize, texts: impl Iterator<Item = Cow<'t, str>>) -> Self {
        if count > FEW {
            let mut strings = HashSet::with_capacity(count);
            strings.extend(texts.map(SmolStr::from));
            strings.shrink_to_fit();
            return Strings::Many(Box::new(strings));
        }
        let (mut tags, mut long) = (Vec::with_capacity(count), Vec::new());
        for text in texts {
            let tag = Tag::new(&text);
            if !has(&tags, &long, tag, &text) {
                tags.push(tag);
                if !tag.is_whole_text() {
                    long.push(text.into());
                }
            }
        }
        Strings::Few { tags: tags.into(), long: long.into() }
    }

    #[inline]
    fn contains(&self, text: &str) -> bool {
        match self {
            Strings::Few { tags, long } => has(tags, long, Tag::new(text), text),
            Strings::Many(strings) => strings.contains(text),
        }
    }

    fn len(&self) -> usize {
        match self {
            Strings::Few { tags, .. } => tags.len(),
            Strings::Many(strings) => strings.len(),
        }
    }
}

#[inline]
fn has(tags: &[Tag], long: &[Box<str>], tag: Tag, text: &str) -> bool {
    tags.contains(&tag) && (tag.is_whole_text() || long.iter().any(|it| **it == *text))
}

impl Members {
    pub(crate) fn new(list: ListView<'_>) -> Self {
        Members::collect(list, Cow::Borrowed)
    }

    /// Members to be looked up with [`Members::contains_lowercase`].
    pub(super) fn lowercase(list: ListView<'_>) -> Self {
        Members::collect(list, |text| text.to_lowercase().into())
    }

    fn collect<'t>(list: ListView<'t>, string: impl Fn(&'t str) -> Cow<'t, str>) -> Self {
        let texts = list.iter().filter_map(View::as_str);
        let strings = Strings::collect(texts.clone().count(), texts.map(string));
        let mut members = Members { strings, ..Members::default() };
        for item in list.iter() {
            match item {
                View::Null => members.null = true,
                View::Bool(true) => members.yes = true,
                View::Bool(false) => members.no = true,
                View::Number(number) => {
                    members.numbers.get_or_insert_default().insert(number_key(number.as_f64()));
                }
                View::String(_) | View::Array(_) | View::Object(_) => {}
            }
        }
        members
    }

    /// How many there are, each counted once.
    pub(super) fn len(&self) -> usize {
        let others = [self.null, self.yes, self.no];
        let others = others.into_iter().filter(|&is_member| is_member).count();
        let numbers = self.numbers.as_ref().map_or(0, |numbers| numbers.len());
        self.strings.len() + numbers + others
    }

    /// Whether the value, or a primitive element of it when it is an array, is a member.
    #[inline]
    pub(crate) fn contains(&self, actual: &Node<'_>) -> bool {
        match actual {
            // What is asked for most.
            Node::String(text) => self.strings.contains(text),
            actual => {
                any_primitive(actual, |node| self.has(node, |text| self.strings.contains(text)))
            }
        }
    }

    /// The same without regard to case, by lower-casing.
    pub(super) fn contains_lowercase(&self, actual: &Node<'_>) -> bool {
        any_primitive(actual, |node| {
            self.has(node, |text| with_lowercase(text, |text| self.strings.contains(text)))
        })
    }

    fn has(&self, node: &Node<'_>, string: impl FnOnce(&str) -> bool) -> bool {
        match node {
            Node::Null => self.null,
            Node::Bool(true) => self.yes,
            Node::Bool(false) => self.no,
            Node::Number(number) => {
                let numbers = self.numbers.as_ref();
                numbers.is_some_and(|numbers| numbers.contains(&number_key(*number)))
            }
            Node::String(text) => string(text),
            _ => false,
        }
    }
}

fn any_primitive(actual: &Node<'_>, test: impl Fn(&Node<'_>) -> bool) -> bool {
    match actual.items() {
        Some(mut items) => items.any(|item| test(&item)),
        None => test(actual),
    }
}

fn number_key(number: f64) -> u64 {
    // Adding 0 turns -0 into 0.
    (number + 0.0).to_bits()
}
