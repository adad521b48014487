//! One case: an array whose items depend on the suite. The items stay text until a suite reads
//! them, so that the order of keys and all digits are kept.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use serde_json::value::RawValue;

/// The items of a case.
pub(crate) struct Case {
    items: Vec<Box<RawValue>>,
}

/// An answer that is not the expected one.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) engine: &'static str,
    pub(crate) expected: Value,
    pub(crate) got: Value,
}

/// Why a case did not pass.
#[derive(Debug)]
pub(crate) enum Mismatch {
    /// The case has another shape than its suite.
    Shape(String),
    /// The answer is not the expected one.
    Answer(Box<Answer>),
    /// The engine does not answer such questions.
    Unsupported,
    /// The answer is not the expected one, since the search for a pattern reached its step limit.
    StepLimit,
}

impl Mismatch {
    pub(crate) fn answer(engine: &'static str, expected: Value, got: Value) -> Self {
        Mismatch::Answer(Box::new(Answer { engine, expected, got }))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Shape(what) => write!(formatter, "malformed case: {what}"),
            Mismatch::Unsupported => formatter.write_str("the engine does not answer it"),
            Mismatch::StepLimit => formatter.write_str("the search reached its step limit"),
            Mismatch::Answer(answer) => {
                let Answer { engine, expected, got } = &**answer;
                write!(formatter, "{engine}\n  expected {expected}\n  got      {got}")
            }
        }
    }
}

impl Case {
    pub(crate) fn parse(text: &str) -> Result<Self, Mismatch> {
        serde_json::from_str(text)
            .map(|items| Case { items })
            .map_err(|error| Mismatch::Shape(error.to_string()))
    }

    /// Returns the case's name, which is its first item. A case without a name gets its index and
    /// the start of its text.
    pub(crate) fn name(text: &str, index: usize) -> String {
        let named = Case::parse(text).ok().and_then(|case| case.item::<String>(0).ok());
        match named {
            Some(name) if !name.is_empty() => name,
            _ => format!("#{index} {}", text.chars().take(60).collect::<String>()),
        }
    }

    /// Returns the JSON text of an item.
    pub(crate) fn text(&self, index: usize) -> Result<&str, Mismatch> {
        self.optional_text(index).ok_or_else(|| Mismatch::Shape(format!("item {index} is missing")))
    }

    pub(crate) fn optional_text(&self, index: usize) -> Option<&str> {
        self.items.get(index).map(|item| item.get())
    }

    /// Parses an item as the type that it must have.
    pub(crate) fn item<T: DeserializeOwned>(&self, index: usize) -> Result<T, Mismatch> {
        serde_json::from_str(self.text(index)?)
            .map_err(|error| Mismatch::Shape(format!("item {index}: {error}")))
    }
}

/// Parses an object's members. Keeps their order, and their values as text.
pub(crate) fn members(text: &str) -> Result<Vec<(String, Box<RawValue>)>, serde_json::Error> {
    struct Members(Vec<(String, Box<RawValue>)>);
    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> de::Visitor<'de> for Visitor {
                type Value = Members;

                fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str("an object")
                }

                fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    serde_json::from_str::<Members>(text).map(|members| members.0)
}
