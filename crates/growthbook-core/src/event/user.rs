//! The user of an event.

use alloc::borrow::Cow;
use alloc::string::String;
use core::any::Any;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::attributes::{
    AttributeLookup, AttributeRef, AttributeSource, AttributeValue, Attributes,
};
use crate::hash_value::HashValue;
use crate::tag::Name;
use crate::user::{GlobalContext, UserContext};

/// The user of an event, as the evaluation saw it: the user's own attributes, those of a source, and
/// the global ones. Nothing is copied until a method asks for it.
///
/// `Debug` prints names and types of attributes, never values.
#[derive(Clone, Copy)]
pub struct EventUser<'a> {
    user: &'a UserContext,
    globals: Option<&'a GlobalContext>,
    source: Option<&'a dyn AttributeSource>,
    extra: Option<&'a (dyn Any + Send + Sync)>,
}

impl<'a> EventUser<'a> {
    /// Makes the user of an event.
    pub fn new(user: &'a UserContext) -> Self {
        EventUser { user, globals: None, source: None, extra: None }
    }

    /// Adds the attributes and the URL of every user who lacks them.
    #[must_use]
    pub fn with_globals(self, globals: &'a GlobalContext) -> Self {
        EventUser { globals: Some(globals), ..self }
    }

    /// Adds the attributes of a source. They come before the user's own.
    #[must_use]
    pub fn with_source(self, source: &'a dyn AttributeSource) -> Self {
        EventUser { source: Some(source), ..self }
    }

    /// Adds data of the application.
    #[must_use]
    pub fn with_extra(self, extra: &'a (dyn Any + Send + Sync)) -> Self {
        EventUser { extra: Some(extra), ..self }
    }

    /// Returns the user as the application described it, without the source and the globals.
    pub fn context(&self) -> &'a UserContext {
        self.user
    }

    /// Returns all attributes that the evaluation used. Copies them. A source contributes the ones
    /// that it [shows](AttributeSource::visit).
    pub fn attributes(&self) -> Attributes {
        let mut attributes = match self.globals {
            Some(globals) if !globals.global_attributes().is_empty() => {
                let mut merged = globals.global_attributes().clone();
                for (name, value) in self.user.attributes().iter() {
                    merged.insert(name, value.clone());
                }
                merged
            }
            _ => self.user.attributes().clone(),
        };
        if let Some(source) = self.source {
            source.visit(&mut |name, value| {
                // The value may be the application's own type. It is copied first.
                attributes.insert(name, AttributeValue::from(value));
            });
        }
        attributes
    }

    /// Returns an attribute: of the source, else the user's own, else the global one.
    pub fn attribute(&self, name: &str) -> Option<AttributeRef<'a>> {
        let lookup = self.lookup();
        lookup.sourced(name).or_else(|| lookup.built(Name::new(name)).map(AttributeRef::Value))
    }

    /// Returns the attribute `id` as text. `None` if the user does not have it, or if it is neither
    /// a string nor a number.
    pub fn id(&self) -> Option<Cow<'a, str>> {
        self.attribute_text("id")
    }

    /// Returns an attribute as text. `None` if the user does not have it, or if it is neither a
    /// string nor a number.
    pub fn attribute_text(&self, name: &str) -> Option<Cow<'a, str>> {
        match self.lookup().hash_value(Name::new(name)) {
            HashValue::Missing => None,
            value => Some(value.to_text()),
        }
    }

    /// Returns the URL of the page or request. It is empty when none is set.
    pub fn url(&self) -> &'a str {
        match (self.user.page_url(), self.globals) {
            ("", Some(globals)) => globals.page_url(),
            (url, _) => url,
        }
    }

    /// Returns the application's data of this type, if the scope has it.
    pub fn extra<T: Any>(&self) -> Option<&'a T> {
        self.extra?.downcast_ref()
    }

    /// Returns an owned copy.
    pub fn to_record(&self) -> EventUserRecord {
        EventUserRecord { attributes: self.attributes(), url: self.url().into() }
    }

    fn lookup(&self) -> AttributeLookup<'a> {
        AttributeLookup {
            source: self.source,
            user: self.user.attributes(),
            global: self.globals.map(GlobalContext::global_attributes),
        }
    }
}

impl fmt::Debug for EventUser<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("EventUser").field(&self.lookup()).finish()
    }
}

/// An owned copy of an [`EventUser`]. Serializes like `user` of the JavaScript SDK's tracking calls.
///
/// `Debug` prints names and types of attributes, never values.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventUserRecord {
    /// All attributes that the evaluation used.
    #[serde(deserialize_with = "or_default")]
    pub attributes: Attributes,
    /// The URL of the page or request; empty when none is set.
    #[serde(deserialize_with = "or_default")]
    pub url: String,
}

/// Reads null as the default. Other SDKs write it for a missing member.
fn or_default<'de, T: Deserialize<'de> + Default, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl EventUserRecord {
    /// Returns the user that an event can refer to.
    pub fn to_context(&self) -> UserContext {
        UserContext::from_attributes(self.attributes.clone()).url(&self.url)
    }
}

impl fmt::Debug for EventUserRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EventUserRecord")
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use serde_json::json;

    use super::*;

    struct Session;

    impl AttributeSource for Session {
        fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
            match name {
                "id" => Some(7.into()),
                "hidden" => Some(true.into()),
                _ => None,
            }
        }

        fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
            visitor("id", 7.into());
        }
    }

    #[test]
    fn attributes_are_merged_as_evaluation_finds_them() {
        let globals = GlobalContext::new()
            .attributes(json!({"id": "g", "region": "eu", "plan": "free"}))
            .url("https://global/");
        let user = UserContext::new("u").attribute("plan", "pro");
        let event = EventUser::new(&user).with_globals(&globals);
        assert_eq!(event.id().as_deref(), Some("u"));
        assert_eq!(event.url(), "https://global/");

        let event = event.with_source(&Session);
        assert_eq!(event.id().as_deref(), Some("7"));
        assert_eq!(
            serde_json::to_value(event.to_record()).unwrap(),
            json!({"attributes": {"id": 7, "region": "eu", "plan": "pro"}, "url": "https://global/"})
        );
        assert!(event.attribute("hidden").is_some() && event.attribute("other").is_none());
        assert_eq!(event.attribute_text("plan").as_deref(), Some("pro"));
        assert_eq!((event.attribute_text("hidden"), event.attribute_text("other")), (None, None));

        let user = user.url("https://own/");
        assert_eq!(EventUser::new(&user).with_globals(&globals).url(), "https://own/");
    }

    #[test]
    fn extra_data_is_found_by_type() {
        let user = UserContext::default();
        let event = EventUser::new(&user).with_extra(&5_u32);
        assert_eq!(event.extra::<u32>(), Some(&5));
        assert_eq!(event.extra::<i32>(), None);
        assert_eq!(event.id().map(|id| id.to_string()), None);
    }
}
