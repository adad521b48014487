//! JSON values in one list of tokens. It serves for one value after another, so that reading them
//! allocates nothing once it is long enough; a [`View`] is how its values are looked at.

use alloc::{borrow::Cow, boxed::Box, string::String, vec, vec::Vec};
use core::iter;

use hashbrown::HashSet;
use serde_json::Value;

use super::convert::ARBITRARY_PRECISION_NUMBER;
use super::scanner::Scanner;
use super::text::{Bracket, Sink};
use super::{Json, Number, Object, array_index, property_order};
use crate::limits::MAX_JSON_DEPTH;

/// Values one behind the other, each found again by its [`Place`].
#[derive(Default)]
pub(crate) struct Tape<'a> {
    tokens: Vec<Token<'a>>,
    /// The lists and objects that are not complete.
    open: Vec<Open>,
}

/// Where a value stands on its tape.
#[derive(Clone, Copy)]
pub(crate) struct Place(usize);

/// A list or an object that is not complete.
struct Open {
    place: Place,
    bracket: Bracket,
    names: Names,
}

pub(super) enum Token<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(&'a str),
    /// A string that does not stand in the text as it is.
    Unescaped(Box<str>),
    /// So many tokens follow: its items.
    Array(usize),
    /// So many tokens follow: its members in JavaScript's property order, a name and a value each.
    Object(usize, Order),
}

/// Whether the order of an object's members is its author's; see [`Object`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Known,
    Unknown,
}

impl<'a> Tape<'a> {
    /// A tape with this value alone.
    pub(crate) fn of(json: &'a Json<'_>) -> Self {
        let mut tape = Tape::default();
        tape.push_json(json);
        tape
    }

    fn push_json(&mut self, json: &'a Json<'_>) {
        match json {
            Json::Null => self.push(Token::Null),
            Json::Bool(value) => self.push(Token::Bool(*value)),
            Json::Number(number) => self.push(Token::Number(*number)),
            Json::String(text) => self.push(Token::String(text)),
            Json::Array(items) => {
                let place = self.end();
                self.push(Token::Null);
                items.iter().for_each(|item| self.push_json(item));
                self.complete(place, Token::Array);
            }
            Json::Object(object) => {
                let place = self.end();
                self.push(Token::Null);
                for (name, value) in object.iter() {
                    self.push(Token::String(name));
                    self.push_json(value);
                }
                let order = if object.ordered { Order::Known } else { Order::Unknown };
                self.complete(place, |length| Token::Object(length, order));
            }
        }
    }

    /// The first value; null when there is none.
    pub(crate) fn root(&self) -> View<'_> {
        self.view(Place(0))
    }

    pub(crate) fn view(&self, place: Place) -> View<'_> {
        let tokens = self.tokens.get(place.0..).unwrap_or_default();
        split_first(tokens).map_or(View::Null, |(view, _)| view)
    }

    /// The first value; null when there is none.
    pub(crate) fn into_json(self) -> Json<'a> {
        take_json(&mut self.tokens.into_iter()).unwrap_or(Json::Null)
    }

    pub(crate) fn clear(&mut self) {
        self.tokens.clear();
    }

    /// Where the next value will stand.
    pub(super) fn end(&self) -> Place {
        Place(self.tokens.len())
    }

    /// Takes off what begins here.
    pub(super) fn truncate(&mut self, place: Place) {
        self.tokens.truncate(place.0);
        self.open.clear();
    }

    #[inline(always)]
    fn push(&mut self, token: Token<'a>) {
        self.tokens.push(token);
    }

    /// Puts a list or an object in its place, in front of what is behind that.
    #[inline(always)]
    fn complete(&mut self, place: Place, token: impl FnOnce(usize) -> Token<'a>) {
        if let Some([first, inside @ ..]) = self.tokens.get_mut(place.0..) {
            *first = token(inside.len());
        }
    }

    /// Closes an object with its members in the order of the text. `None` when it is what
    /// `serde_json` hands over for a number, and that is out of range.
    #[inline(always)]
    fn complete_object(&mut self, place: Place, names: Names) -> Option<()> {
        self.complete(place, |length| Token::Object(length, Order::Known));
        if names.may_need_order {
            self.order(place);
        } else if self.tokens.len() == place.0 + 3 {
            self.complete_number(place)?;
        }
        Some(())
    }

    /// Puts a number in the place of the object that `serde_json` hands over for it.
    #[inline(never)]
    fn complete_number(&mut self, place: Place) -> Option<()> {
        if let Some([_, name, value]) = self.tokens.get(place.0..)
            && name.text() == Some(ARBITRARY_PRECISION_NUMBER)
            && let Some(text) = value.text()
        {
            let number = Number::from_json_text(text)?;
            self.tokens.truncate(place.0);
            self.push(Token::Number(number));
        }
        Some(())
    }

    /// Brings the members of an object into JavaScript's property order.
    #[cold]
    fn order(&mut self, object: Place) {
        let members = self.tokens.get(object.0 + 1..).unwrap_or_default();
        if !needs_order(ObjectView { tokens: members, order: Order::Known }) {
            return;
        }
        let mut members = Vec::new();
        let mut tokens = self.tokens.drain(object.0 + 1..);
        while let (Some(name), Some(value)) =
            (tokens.next().and_then(Token::into_text), tokens.next())
        {
            let inside = value.length();
            let value: Vec<_> = iter::once(value).chain(tokens.by_ref().take(inside)).collect();
            members.push((name, value));
        }
        drop(tokens);
        for (name, value) in property_order(members) {
            self.push(Token::of(name));
            self.tokens.extend(value);
        }
        self.complete(object, |length| Token::Object(length, Order::Known));
    }
}

/// Values are written as a text is gone over.
impl<'a> Sink<'a> for Tape<'a> {
    #[inline(always)]
    fn name(&mut self, text: Scanner<'a>, at: usize) -> Option<usize> {
        let (name, behind) = match text.plain_string(at) {
            Some((name, behind)) => {
                self.push(Token::String(name));
                (name, behind)
            }
            None => ("", self.unescaped(text, at)?),
        };
        if let Some(open) = self.open.last_mut() {
            open.names.add(name);
        }
        Some(behind)
    }

    #[inline(always)]
    fn string(&mut self, text: Scanner<'a>, at: usize) -> Option<usize> {
        match text.plain_string(at) {
            Some((string, behind)) => {
                self.push(Token::String(string));
                Some(behind)
            }
            None => self.unescaped(text, at),
        }
    }

    #[inline(always)]
    fn number(&mut self, text: Scanner<'a>, at: usize) -> Option<usize> {
        let (number, behind) = text.number(at)?;
        self.push(Token::Number(number));
        Some(behind)
    }

    #[inline(always)]
    fn word(&mut self, word: Token<'a>) {
        self.push(word);
    }

    #[inline(always)]
    fn open(&mut self, bracket: Bracket) -> Option<()> {
        let place = self.end();
        self.push(Token::Null);
        self.open.push(Open { place, bracket, names: Names::default() });
        (self.open.len() < MAX_JSON_DEPTH).then_some(())
    }

    #[inline(always)]
    fn close(&mut self) -> Option<()> {
        let Open { place, bracket, names } = self.open.pop()?;
        match bracket {
            Bracket::Object => self.complete_object(place, names),
            Bracket::List => {
                self.complete(place, Token::Array);
                Some(())
            }
        }
    }

    #[inline(always)]
    fn innermost(&self) -> Option<Bracket> {
        self.open.last().map(|open| open.bracket)
    }
}

impl<'a> Tape<'a> {
    #[cold]
    fn unescaped(&mut self, text: Scanner<'a>, at: usize) -> Option<usize> {
        let (string, behind) = text.unescaped(at)?;
        self.push(Token::Unescaped(string.into()));
        Some(behind)
    }
}

impl<'a> Token<'a> {
    /// How many tokens behind it belong to it.
    #[inline]
    fn length(&self) -> usize {
        match self {
            Token::Array(length) | Token::Object(length, _) => *length,
            _ => 0,
        }
    }

    fn of(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Token::String(text),
            Cow::Owned(text) => Token::Unescaped(text.into()),
        }
    }

    #[inline]
    fn text(&self) -> Option<&str> {
        match self {
            Token::String(text) => Some(text),
            Token::Unescaped(text) => Some(text),
            _ => None,
        }
    }

    fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Token::String(text) => Some(Cow::Borrowed(text)),
            Token::Unescaped(text) => Some(Cow::Owned(text.into())),
            _ => None,
        }
    }
}

/// What the names of an object's members have in common, as far as their order depends on it.
#[derive(Default)]
struct Names {
    /// Names of a kind share a bit.
    kinds: u64,
    /// Two names are of a kind, or one may be an array index.
    may_need_order: bool,
}

impl Names {
    #[inline(always)]
    fn add(&mut self, name: &str) {
        let &[first, .., last] = name.as_bytes() else {
            // So short a name is rare, and may be a digit.
            self.may_need_order = true;
            return;
        };
        // Weighed so that the names of rules, which are many, differ from one another.
        let kind = usize::from(first) * 7 + usize::from(last) * 2 + name.len();
        let kind = 1 << (kind % 64);
        self.may_need_order |= self.kinds & kind != 0 || first.is_ascii_digit();
        self.kinds |= kind;
    }
}

/// Whether members in the order of the text are not in JavaScript's property order.
fn needs_order(members: ObjectView<'_>) -> bool {
    /// Up to this many members comparing the names beats building a table.
    const SMALL: usize = 24;
    let names: Vec<&str> = members.iter().map(|(name, _)| name).collect();
    if names.iter().any(|name| array_index(name).is_some()) {
        return true;
    }
    if names.len() > SMALL {
        let mut table = HashSet::with_capacity(names.len());
        return !names.iter().all(|name| table.insert(name));
    }
    (1..).zip(&names).any(|(behind, name)| names.iter().skip(behind).any(|other| other == name))
}

/// Takes a value off the front.
fn take_json<'a>(tokens: &mut vec::IntoIter<Token<'a>>) -> Option<Json<'a>> {
    Some(match tokens.next()? {
        Token::Null => Json::Null,
        Token::Bool(value) => Json::Bool(value),
        Token::Number(number) => Json::Number(number),
        Token::String(text) => Json::String(text.into()),
        Token::Unescaped(text) => Json::String(String::from(text).into()),
        Token::Array(length) => {
            let behind = tokens.len().saturating_sub(length);
            let mut items = Vec::new();
            while tokens.len() > behind {
                items.push(take_json(tokens)?);
            }
            Json::Array(items)
        }
        Token::Object(length, order) => {
            let behind = tokens.len().saturating_sub(length);
            let mut members = Vec::new();
            while tokens.len() > behind
                && let Some(name) = tokens.next().and_then(Token::into_text)
            {
                members.push((name.into(), take_json(tokens)?));
            }
            Json::Object(Object { members, ordered: order == Order::Known })
        }
    })
}

/// A value on a tape.
#[derive(Clone, Copy)]
pub(crate) enum View<'t> {
    Null,
    Bool(bool),
    Number(Number),
    String(&'t str),
    Array(ListView<'t>),
    Object(ObjectView<'t>),
}

/// The items of a list, one after another.
#[derive(Clone, Copy, Default)]
pub(crate) struct ListView<'t> {
    tokens: &'t [Token<'t>],
}

/// The members of an object, one after another.
#[derive(Clone, Copy)]
pub(crate) struct ObjectView<'t> {
    tokens: &'t [Token<'t>],
    order: Order,
}

/// The first value, and what stands behind it.
#[inline]
fn split_first<'t>(tokens: &'t [Token<'t>]) -> Option<(View<'t>, &'t [Token<'t>])> {
    let (first, rest) = tokens.split_first()?;
    let (inside, rest) = rest.split_at_checked(first.length())?;
    let view = match first {
        Token::Null => View::Null,
        Token::Bool(value) => View::Bool(*value),
        Token::Number(number) => View::Number(*number),
        Token::String(text) => View::String(text),
        Token::Unescaped(text) => View::String(text),
        Token::Array(_) => View::Array(ListView { tokens: inside }),
        Token::Object(_, order) => View::Object(ObjectView { tokens: inside, order: *order }),
    };
    Some((view, rest))
}

impl<'t> ListView<'t> {
    #[inline]
    pub(crate) fn iter(self) -> impl Iterator<Item = View<'t>> + Clone {
        let mut tokens = self.tokens;
        iter::repeat_with(move || {
            let (item, rest) = split_first(tokens)?;
            tokens = rest;
            Some(item)
        })
        .map_while(|item| item)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.tokens.is_empty()
    }

    pub(crate) fn len(self) -> usize {
        self.iter().count()
    }

    /// Something of every item, allocated once.
    pub(crate) fn boxed<T>(self, item: impl FnMut(View<'t>) -> T) -> Box<[T]> {
        let mut items = Vec::with_capacity(self.len());
        items.extend(self.iter().map(item));
        items.into()
    }
}

impl<'t> ObjectView<'t> {
    #[inline]
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'t str, View<'t>)> + Clone {
        let mut tokens = self.tokens;
        iter::repeat_with(move || {
            let (name, rest) = tokens.split_first()?;
            let (value, rest) = split_first(rest)?;
            tokens = rest;
            Some((name.text()?, value))
        })
        .map_while(|member| member)
    }

    /// Something of every member, allocated once.
    pub(crate) fn boxed<T>(self, mut member: impl FnMut(&'t str, View<'t>) -> T) -> Box<[T]> {
        let mut members = Vec::with_capacity(self.iter().count());
        members.extend(self.iter().map(|(name, value)| member(name, value)));
        members.into()
    }

    pub(crate) fn get(self, key: &str) -> Option<View<'t>> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

impl<'t> View<'t> {
    pub(crate) fn as_str(self) -> Option<&'t str> {
        match self {
            View::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_f64(self) -> Option<f64> {
        match self {
            View::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    pub(crate) fn as_array(self) -> Option<ListView<'t>> {
        match self {
            View::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_object(self) -> Option<ObjectView<'t>> {
        match self {
            View::Object(members) => Some(members),
            _ => None,
        }
    }

    /// JavaScript truthiness: everything but null, false, 0 and "".
    pub(crate) fn is_truthy(self) -> bool {
        match self {
            View::Null => false,
            View::Bool(value) => value,
            View::Number(number) => number.as_f64() != 0.0,
            View::String(text) => !text.is_empty(),
            View::Array(_) | View::Object(_) => true,
        }
    }

    pub(crate) fn to_json(self) -> Json<'t> {
        match self {
            View::Null => Json::Null,
            View::Bool(value) => Json::Bool(value),
            View::Number(number) => Json::Number(number),
            View::String(text) => Json::String(text.into()),
            View::Array(items) => Json::Array(items.iter().map(View::to_json).collect()),
            View::Object(members) => {
                let order = members.order;
                let members = members.iter();
                let members = members.map(|(name, value)| (name.into(), value.to_json()));
                Json::Object(Object { members: members.collect(), ordered: order == Order::Known })
            }
        }
    }

    pub(crate) fn to_value(self) -> Value {
        match self {
            View::Null => Value::Null,
            View::Bool(value) => Value::Bool(value),
            View::Number(number) => number.to_json(),
            View::String(text) => text.into(),
            View::Array(items) => Value::Array(items.iter().map(View::to_value).collect()),
            View::Object(members) => Value::Object(
                members.iter().map(|(name, value)| (name.into(), value.to_value())).collect(),
            ),
        }
    }
}
