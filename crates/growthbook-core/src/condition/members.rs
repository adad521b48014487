//! Lists a value is looked up in.

use alloc::{borrow::Cow, boxed::Box, vec::Vec};

use hashbrown::HashSet;
use smol_str::SmolStr;

use super::text::with_lowercase;
use crate::attributes::Node;
use crate::json::Json;
use crate::tag::Tag;

/// How many texts are not worth a hash set.
const FEW: usize = 8;

/// The primitive elements of a list. Arrays and objects in it match nothing and are left out.
#[derive(Clone, Debug)]
pub(crate) enum Members {
    /// Up to [`FEW`] texts that are all in their tags, as in most lists: compared one by one,
    /// which is faster than hashing, and smaller.
    Short(Box<[Tag]>),
    Any(Box<AnyMembers>),
}

impl Default for Members {
    fn default() -> Self {
        Members::Short(Box::default())
    }
}

/// Members of any type, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnyMembers {
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
    /// Of at most `count` texts.
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
                few.iter().any(|(other, member)| *other == tag && **member == *text)
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

impl Members {
    pub(crate) fn new(list: &[Json<'_>]) -> Self {
        Members::collect(list, Cow::Borrowed)
    }

    /// Members to be looked up with [`Members::contains_lowercase`].
    pub(super) fn lowercase(list: &[Json<'_>]) -> Self {
        Members::collect(list, |text| text.to_lowercase().into())
    }

    fn collect<'t>(list: &'t [Json<'t>], string: impl Fn(&'t str) -> Cow<'t, str>) -> Self {
        match short_texts(list, &string) {
            Some(tags) => Members::Short(tags),
            None => Members::Any(Box::new(AnyMembers::collect(list, string))),
        }
    }

    /// How many there are, each counted once.
    pub(super) fn len(&self) -> usize {
        match self {
            Members::Short(tags) => tags.len(),
            Members::Any(members) => members.len(),
        }
    }

    /// Whether the value, or a primitive element of it when it is an array, is a member.
    #[inline]
    pub(crate) fn contains(&self, actual: &Node<'_>) -> bool {
        match (self, actual) {
            // What is asked for most.
            (Members::Short(tags), Node::String(text)) => tags.contains(&Tag::new(text)),
            _ => self.contains_any(actual),
        }
    }

    #[inline(never)]
    fn contains_any(&self, actual: &Node<'_>) -> bool {
        any_primitive(actual, |node| self.has(node, |text| self.has_text(text)))
    }

    /// The same without regard to case, by lower-casing.
    pub(super) fn contains_lowercase(&self, actual: &Node<'_>) -> bool {
        any_primitive(actual, |node| {
            self.has(node, |text| with_lowercase(text, |text| self.has_text(text)))
        })
    }

    fn has_text(&self, text: &str) -> bool {
        match self {
            Members::Short(tags) => tags.contains(&Tag::new(text)),
            Members::Any(members) => members.strings.contains(text),
        }
    }

    fn has(&self, node: &Node<'_>, string: impl FnOnce(&str) -> bool) -> bool {
        match (self, node) {
            (_, Node::String(text)) => string(text),
            (Members::Any(members), node) => members.has(node),
            (Members::Short(_), _) => false,
        }
    }
}

impl AnyMembers {
    fn collect<'t>(list: &'t [Json<'t>], string: impl Fn(&'t str) -> Cow<'t, str>) -> Self {
        let texts = list.iter().filter_map(Json::as_str);
        let strings = Strings::collect(texts.clone().count(), texts.map(string));
        let mut members = AnyMembers { strings, ..AnyMembers::default() };
        for item in list.iter() {
            match item {
                Json::Null => members.null = true,
                Json::Bool(true) => members.yes = true,
                Json::Bool(false) => members.no = true,
                Json::Number(number) => {
                    members.numbers.get_or_insert_default().insert(number_key(number.as_f64()));
                }
                Json::String(_) | Json::Array(_) | Json::Object(_) => {}
            }
        }
        members
    }

    fn len(&self) -> usize {
        let others = [self.null, self.yes, self.no];
        let others = others.into_iter().filter(|&is_member| is_member).count();
        let numbers = self.numbers.as_ref().map_or(0, |numbers| numbers.len());
        self.strings.len() + numbers + others
    }

    /// Whether a value that is no string is a member.
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

/// The tags of a list of few texts, when they are all of it and all of the texts.
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
