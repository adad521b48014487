//! The tape: a JSON value as a list of tokens. A [`View`] reads a value from it.
//!
//! One tape is reused for many values. When it is long enough, reading does not allocate.

use alloc::{borrow::Cow, boxed::Box, string::String, vec, vec::Vec};
use core::{fmt, iter};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::order::{needs_order, property_order};
use super::{Json, Key, Number, Object, Scalar, Text};

/// The name of the member in which `serde_json` passes a number if its feature
/// `arbitrary_precision` is on. Any crate of the program may turn it on. Results must not depend on
/// it.
const ARBITRARY_PRECISION_NUMBER: &str = "$serde_json::private::Number";

/// A JSON value as tokens in the order of its text.
#[derive(Default)]
pub(crate) struct Tape<'a> {
    tokens: Vec<Token<'a>>,
}

enum Token<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(&'a str),
    /// A string with escapes.
    Unescaped(Box<str>),
    /// An array. This many tokens follow, which are its items.
    Array(usize),
    /// An object. The tokens of its members follow: a name and a value each, in JavaScript's
    /// property order.
    Object {
        /// The number of tokens of its members.
        tokens: usize,
        /// See [`Object::is_ordered`].
        is_ordered: bool,
    },
}

impl<'a> Tape<'a> {
    /// Reads the value of a text onto a new tape. `None` as for [`Json::parse`].
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut tape = Tape::default();
        tape.fill(text).then_some(tape)
    }

    /// Replaces the value on the tape with the value of a text. Returns false if the text cannot be
    /// read, as for [`Json::parse`]. Then the tape is empty.
    pub(crate) fn fill(&mut self, text: &'a str) -> bool {
        self.tokens.clear();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = ValueReader(self).deserialize(&mut deserializer);
        let is_read = read.and_then(|()| deserializer.end()).is_ok();
        if !is_read {
            self.tokens.clear();
        }
        is_read
    }

    /// Makes a tape of a value.
    pub(crate) fn of(json: &'a Json<'_>) -> Self {
        let mut tape = Tape::default();
        tape.push_json(json);
        tape
    }

    /// Returns the value on the tape. Null if the tape is empty.
    pub(crate) fn root(&self) -> View<'_> {
        split_first(&self.tokens).map_or(View::Null, |(view, _)| view)
    }

    fn into_json(self) -> Json<'a> {
        take_json(&mut self.tokens.into_iter()).unwrap_or(Json::Null)
    }

    fn push_json(&mut self, json: &'a Json<'_>) {
        match json {
            Json::Null => self.push(Token::Null),
            Json::Bool(value) => self.push(Token::Bool(*value)),
            Json::Number(number) => self.push(Token::Number(*number)),
            Json::String(text) => self.push(Token::String(text)),
            Json::Array(items) => {
                let start = self.open();
                items.iter().for_each(|item| self.push_json(item));
                self.close(start, Token::Array);
            }
            Json::Object(object) => {
                let start = self.open();
                for (name, value) in object.iter() {
                    self.push(Token::String(name));
                    self.push_json(value);
                }
                let is_ordered = object.is_ordered;
                self.close(start, |tokens| Token::Object { tokens, is_ordered });
            }
        }
    }

    #[inline]
    fn push(&mut self, token: Token<'a>) {
        self.tokens.push(token);
    }

    /// Adds a place for the token of an array or object. Returns its index.
    fn open(&mut self) -> usize {
        self.push(Token::Null);
        self.tokens.len() - 1
    }

    /// Sets the token of an array or object, after its parts were added.
    fn close(&mut self, start: usize, token: impl FnOnce(usize) -> Token<'a>) {
        if let Some([first, parts @ ..]) = self.tokens.get_mut(start..) {
            *first = token(parts.len());
        }
    }

    fn close_object(&mut self, start: usize) {
        let is_ordered = true;
        self.close(start, |tokens| Token::Object { tokens, is_ordered });
        let tokens = self.tokens.get(start + 1..).unwrap_or_default();
        if needs_order(ObjectView { tokens, is_ordered }.iter().map(|(name, _)| name)) {
            self.order(start);
        }
    }

    /// Brings the members of the last object into JavaScript's property order.
    #[cold]
    fn order(&mut self, start: usize) {
        let mut members = Vec::new();
        let mut tokens = self.tokens.drain(start + 1..);
        while let (Some(name), Some(value)) =
            (tokens.next().and_then(Token::into_text), tokens.next())
        {
            let parts = value.parts();
            let value: Vec<_> = iter::once(value).chain(tokens.by_ref().take(parts)).collect();
            members.push((name, value));
        }
        drop(tokens);
        for (name, value) in property_order(members) {
            self.push(Token::text(name));
            self.tokens.extend(value);
        }
        self.close(start, |tokens| Token::Object { tokens, is_ordered: true });
    }
}

/// Reads one value onto a tape.
struct ValueReader<'t, 'a>(&'t mut Tape<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for ValueReader<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for ValueReader<'_, 'a> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push(Token::Null);
        Ok(())
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.push(Token::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.push(Token::Number(value.into()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.0.push(Token::Number(value.into()));
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.0.push(Token::Number(Number::from_f64(value).ok_or_else(out_of_range)?));
        Ok(())
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.0.push(Token::String(text));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push(Token::Unescaped(text.into()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let start = self.0.open();
        while seq.next_element_seed(ValueReader(self.0))?.is_some() {}
        self.0.close(start, Token::Array);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let start = self.0.open();
        let mut is_number = false;
        while let Some(Key(name)) = map.next_key::<Key<'de>>()? {
            is_number |= name == ARBITRARY_PRECISION_NUMBER;
            self.0.push(Token::text(name));
            map.next_value_seed(ValueReader(self.0))?;
        }
        if is_number
            && let Some([_, _, value]) = self.0.tokens.get(start..)
            && let Some(text) = value.as_text()
        {
            let number = Number::from_json_text(text).ok_or_else(out_of_range)?;
            self.0.tokens.truncate(start);
            self.0.push(Token::Number(number));
        } else {
            self.0.close_object(start);
        }
        Ok(())
    }
}

fn out_of_range<E: de::Error>() -> E {
    E::custom("number out of range")
}

impl<'de: 'a, 'a> de::Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut tape = Tape::default();
        ValueReader(&mut tape).deserialize(deserializer)?;
        Ok(tape.into_json())
    }
}

impl<'a> Token<'a> {
    fn text(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Token::String(text),
            Cow::Owned(text) => Token::Unescaped(text.into()),
        }
    }

    /// Returns the number of following tokens that belong to this one.
    #[inline]
    fn parts(&self) -> usize {
        match self {
            Token::Array(tokens) | Token::Object { tokens, .. } => *tokens,
            _ => 0,
        }
    }

    #[inline]
    fn as_text(&self) -> Option<&str> {
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

/// Takes the first value from the tokens.
fn take_json<'a>(tokens: &mut vec::IntoIter<Token<'a>>) -> Option<Json<'a>> {
    Some(match tokens.next()? {
        Token::Null => Json::Null,
        Token::Bool(value) => Json::Bool(value),
        Token::Number(number) => Json::Number(number),
        Token::String(text) => Json::String(text.into()),
        Token::Unescaped(text) => Json::String(String::from(text).into()),
        Token::Array(parts) => {
            let end = tokens.len().saturating_sub(parts);
            let mut items = Vec::new();
            while tokens.len() > end {
                items.push(take_json(tokens)?);
            }
            Json::Array(items)
        }
        Token::Object { tokens: parts, is_ordered } => {
            let end = tokens.len().saturating_sub(parts);
            let mut members: Vec<(Text<'a>, Json<'a>)> = Vec::new();
            while tokens.len() > end
                && let Some(name) = tokens.next().and_then(Token::into_text)
            {
                members.push((name.into(), take_json(tokens)?));
            }
            Json::Object(Object { members, is_ordered })
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

/// The items of an array.
#[derive(Clone, Copy, Default)]
pub(crate) struct ListView<'t> {
    tokens: &'t [Token<'t>],
}

/// The members of an object.
#[derive(Clone, Copy)]
pub(crate) struct ObjectView<'t> {
    tokens: &'t [Token<'t>],
    is_ordered: bool,
}

/// Returns the first value, and the tokens after it.
#[inline]
fn split_first<'t>(tokens: &'t [Token<'t>]) -> Option<(View<'t>, &'t [Token<'t>])> {
    let (first, rest) = tokens.split_first()?;
    let (parts, rest) = rest.split_at_checked(first.parts())?;
    let view = match first {
        Token::Null => View::Null,
        Token::Bool(value) => View::Bool(*value),
        Token::Number(number) => View::Number(*number),
        Token::String(text) => View::String(text),
        Token::Unescaped(text) => View::String(text),
        Token::Array(_) => View::Array(ListView { tokens: parts }),
        Token::Object { is_ordered, .. } => {
            View::Object(ObjectView { tokens: parts, is_ordered: *is_ordered })
        }
    };
    Some((view, rest))
}

impl<'t> ListView<'t> {
    #[inline]
    pub(crate) fn iter(self) -> impl Iterator<Item = View<'t>> + Clone {
        let mut tokens = self.tokens;
        iter::from_fn(move || {
            let (item, rest) = split_first(tokens)?;
            tokens = rest;
            Some(item)
        })
    }

    pub(crate) fn is_empty(self) -> bool {
        self.tokens.is_empty()
    }

    pub(crate) fn len(self) -> usize {
        self.iter().count()
    }

    /// Maps each item into a boxed slice. It allocates once.
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
        iter::from_fn(move || {
            let (name, rest) = tokens.split_first()?;
            let (value, rest) = split_first(rest)?;
            tokens = rest;
            Some((name.as_text()?, value))
        })
    }

    /// Maps each member into a boxed slice. It allocates once.
    pub(crate) fn boxed<T>(self, mut member: impl FnMut(&'t str, View<'t>) -> T) -> Box<[T]> {
        let mut members = Vec::with_capacity(self.iter().count());
        members.extend(self.iter().map(|(name, value)| member(name, value)));
        members.into()
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

    pub(crate) fn is_truthy(self) -> bool {
        self.scalar().is_none_or(Scalar::is_truthy)
    }

    fn scalar(self) -> Option<Scalar<'t>> {
        Some(match self {
            View::Null => Scalar::Null,
            View::Bool(value) => Scalar::Bool(value),
            View::Number(number) => Scalar::Number(number.as_f64()),
            View::String(text) => Scalar::String(text),
            View::Array(_) | View::Object(_) => return None,
        })
    }

    pub(crate) fn to_json(self) -> Json<'t> {
        match self {
            View::Null => Json::Null,
            View::Bool(value) => Json::Bool(value),
            View::Number(number) => Json::Number(number),
            View::String(text) => Json::String(text.into()),
            View::Array(items) => Json::Array(items.iter().map(View::to_json).collect()),
            View::Object(object) => {
                let members = object.iter().map(|(name, value)| (name.into(), value.to_json()));
                Json::Object(Object { members: members.collect(), is_ordered: object.is_ordered })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn values_are_the_same_after_reading() {
        let texts = [
            "null",
            "[true,[],{}]",
            r#"{"a":{"b":[1,2.5,-3]},"c":"x\ny"}"#,
            r#"{"10":0,"b\u0061":1}"#,
            "9007199254740993",
        ];
        for text in texts {
            let json: Json<'_> = serde_json::from_str(text).unwrap();
            let tape = Tape::parse(text).unwrap();
            assert_eq!(tape.root().to_json().to_text(), json.to_text());
            assert_eq!(Tape::of(&json).root().to_json().to_text(), json.to_text());
        }
    }

    #[test]
    fn members_are_in_property_order() {
        let tape = Tape::parse(r#"{"b":[1,{"2":0,"1":0}],"10":0,"2":{},"b":[2]}"#).unwrap();
        assert_eq!(tape.root().to_json().to_text(), r#"{"2":{},"10":0,"b":[2]}"#);
    }

    #[test]
    fn unreadable_text_leaves_an_empty_tape() {
        let deep = "[".repeat(128) + &"]".repeat(128);
        let mut tape = Tape::default();
        for text in ["", "[1", "1 2", "1e400", r#""\ud800""#, r#"{"\ud800":1}"#, &deep] {
            assert!(!tape.fill(text) && matches!(tape.root(), View::Null), "{text}");
        }
        assert!(Tape::parse(&deep[1..255]).is_some());
    }

    #[test]
    fn arbitrary_precision_number_is_a_number() {
        let text = format!(r#"[{{"{ARBITRARY_PRECISION_NUMBER}":"12.5"}}]"#);
        assert_eq!(Tape::parse(&text).unwrap().root().to_json().to_text(), "[12.5]");
        let text = format!(r#"{{"{ARBITRARY_PRECISION_NUMBER}":"x"}}"#);
        assert!(Tape::parse(&text).is_none());
    }
}
