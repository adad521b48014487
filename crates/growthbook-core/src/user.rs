//! The user that an evaluation is for, and the settings for all users.

use alloc::{borrow::Cow, boxed::Box, collections::BTreeMap, string::String, sync::Arc};
use core::fmt;

use hashbrown::{HashMap, HashSet};
use serde_json::{Map, Value};

use crate::attributes::{AttributeSource, AttributeValue, Attributes};
use crate::condition::REMOTE_GROUP_IDS;
use crate::experiment::ExperimentOverride;
use crate::url::PageUrl;
use crate::value::FeatureValue;

/// The user or request that an evaluation is for: attributes, URL, and forced values.
///
/// ```
/// use growthbook_core::UserContext;
///
/// let user = UserContext::new("user-123")
///     .attribute("country", "US")
///     .attribute("age", 31)
///     .url("https://example.com/pricing");
/// assert_eq!(user.attributes().get("age").unwrap().to_json(), 31);
/// ```
#[derive(Clone, Default)]
pub struct UserContext {
    attributes: Attributes,
    remote_group_ids_set: bool,
    pub(crate) overrides: Option<Box<Overrides>>,
}

/// The settings for all users: attributes, a URL, switches, and forced values. A user's own values
/// come first.
#[derive(Clone, Default)]
pub struct GlobalContext {
    attributes: Attributes,
    pub(crate) experiment_overrides: HashMap<Box<str>, ExperimentOverride>,
    pub(crate) overrides: Option<Box<Overrides>>,
}

/// The settings that a user and the global context both have. Most have none.
#[derive(Clone)]
pub(crate) struct Overrides {
    pub(crate) enabled: bool,
    pub(crate) qa_mode: bool,
    pub(crate) skip_all_experiments: bool,
    pub(crate) url: Option<PageUrl>,
    pub(crate) groups: HashSet<Box<str>>,
    pub(crate) forced_variations: HashMap<Box<str>, i64>,
    pub(crate) forced_features: HashMap<Box<str>, FeatureValue>,
}

impl Default for Overrides {
    fn default() -> Self {
        Overrides {
            enabled: true,
            qa_mode: false,
            skip_all_experiments: false,
            url: None,
            groups: HashSet::new(),
            forced_variations: HashMap::new(),
            forced_features: HashMap::new(),
        }
    }
}

/// A user without attributes and settings.
pub(crate) static NOBODY: UserContext =
    UserContext { attributes: Attributes::new(), remote_group_ids_set: false, overrides: None };

impl UserContext {
    /// Makes a user with the attribute `id`, which experiments hash unless they name another.
    pub fn new(id: impl Into<AttributeValue>) -> Self {
        UserContext::default().attribute("id", id)
    }

    /// Makes a user with these attributes.
    pub fn from_attributes(attributes: impl Into<Attributes>) -> Self {
        UserContext { attributes: attributes.into(), ..UserContext::default() }
    }

    /// Sets an attribute.
    #[must_use]
    pub fn attribute(mut self, name: impl AsRef<str>, value: impl Into<AttributeValue>) -> Self {
        if !(self.remote_group_ids_set && name.as_ref() == REMOTE_GROUP_IDS) {
            self.attributes.insert(name, value);
        }
        self
    }

    /// Sets the remote saved groups that the user belongs to, as resolved by the application. They
    /// replace the attribute `__gb_remoteGroupIds`, whichever is set first.
    #[must_use]
    pub fn remote_group_ids<I: Into<AttributeValue>>(
        mut self,
        ids: impl IntoIterator<Item = I>,
    ) -> Self {
        self.attributes.insert(REMOTE_GROUP_IDS, ids.into_iter().collect::<AttributeValue>());
        self.remote_group_ids_set = true;
        self
    }

    /// Returns the user's attributes.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}

/// Sets attributes, as [`UserContext::attribute`] does.
impl<N: AsRef<str>, V: Into<AttributeValue>> Extend<(N, V)> for UserContext {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, attributes: I) {
        let keeps_ids = self.remote_group_ids_set;
        let is_set = |(name, _): &(N, V)| !(keeps_ids && name.as_ref() == REMOTE_GROUP_IDS);
        self.attributes.extend(attributes.into_iter().filter(is_set));
    }
}

/// The types that describe a user, for clients that make a scope for a user.
///
/// They are [`UserContext`] and all that converts into it, such as an id or attributes. A reference
/// to a struct that derives [`AttributeSource`] is one, too: evaluation reads its fields, and
/// nothing is copied. A pair has both, and the source comes first.
pub trait IntoUser<'s> {
    /// Returns the user's context, and the source that is searched before it.
    fn into_user(self) -> (UserContext, Option<&'s dyn AttributeSource>);
}

impl<'s, T: Into<UserContext>> IntoUser<'s> for T {
    #[inline]
    fn into_user(self) -> (UserContext, Option<&'s dyn AttributeSource>) {
        (self.into(), None)
    }
}

impl<'s> IntoUser<'s> for (UserContext, &'s dyn AttributeSource) {
    fn into_user(self) -> (UserContext, Option<&'s dyn AttributeSource>) {
        (self.0, Some(self.1))
    }
}

impl GlobalContext {
    /// Makes a context that is enabled, without attributes and forced values.
    pub fn new() -> Self {
        GlobalContext::default()
    }

    /// Sets attributes for the users that lack them.
    #[must_use]
    pub fn attributes(mut self, attributes: impl Into<Attributes>) -> Self {
        self.attributes = attributes.into();
        self
    }

    /// Overrides settings of the experiments with these keys. Each override is an object of
    /// `condition`, `weights`, `coverage`, `active`, `status`, `force`, `groups`, `namespace` and
    /// `url`. An invalid override stops its experiment.
    ///
    /// This is a legacy feature, from before payloads contained experiments.
    #[must_use]
    pub fn experiment_overrides<K: Into<Box<str>>>(
        mut self,
        overrides: impl IntoIterator<Item = (K, Value)>,
    ) -> Self {
        self.experiment_overrides = overrides
            .into_iter()
            .map(|(key, value)| (key.into(), ExperimentOverride::from_value(&value)))
            .collect();
        self
    }

    /// Returns the attributes for the users that lack them.
    pub fn global_attributes(&self) -> &Attributes {
        &self.attributes
    }
}

/// Implements the settings of [`Overrides`] for both contexts.
macro_rules! override_settings {
    ($context:ty) => {
        impl $context {
            /// Sets whether experiments run. Default: true. A disabled experiment gives its first
            /// variation to every user. Forced rules still apply.
            #[must_use]
            pub fn enabled(mut self, enabled: bool) -> Self {
                self.overrides_mut().enabled = enabled;
                self
            }

            /// Sets QA mode: users take part only in experiments with a forced variation. Default:
            /// false.
            #[must_use]
            pub fn qa_mode(mut self, qa_mode: bool) -> Self {
                self.overrides_mut().qa_mode = qa_mode;
                self
            }

            /// Excludes users from every experiment without a forced variation, as QA mode does.
            /// This is for crawlers and load tests. Default: false.
            #[must_use]
            pub fn skip_all_experiments(mut self, skip: bool) -> Self {
                self.overrides_mut().skip_all_experiments = skip;
                self
            }

            /// Sets the URL of the page or request, for URL targeting and for overrides in its
            /// query string. An empty text removes the URL.
            #[must_use]
            pub fn url(mut self, url: &str) -> Self {
                self.overrides_mut().url = (!url.is_empty()).then(|| PageUrl::new(url));
                self
            }

            /// Sets the groups the user is in, for experiments that are limited to some groups.
            ///
            /// This is a legacy feature. Use attributes and conditions instead.
            #[must_use]
            pub fn groups<G: Into<Box<str>>>(
                mut self,
                groups: impl IntoIterator<Item = G>,
            ) -> Self {
                self.overrides_mut().groups = groups.into_iter().map(Into::into).collect();
                self
            }

            /// Forces a variation, by experiment key and index. If the experiment does not have the
            /// index, the user gets the first variation and does not take part.
            #[must_use]
            pub fn forced_variation(mut self, key: impl Into<Box<str>>, variation: i64) -> Self {
                self.overrides_mut().forced_variations.insert(key.into(), variation);
                self
            }

            /// Replaces all forced variations.
            #[must_use]
            pub fn forced_variations<K: Into<Box<str>>>(
                mut self,
                variations: impl IntoIterator<Item = (K, i64)>,
            ) -> Self {
                self.overrides_mut().forced_variations =
                    variations.into_iter().map(|(key, index)| (key.into(), index)).collect();
                self
            }

            /// Forces a feature's value. Its rules are not evaluated, and it need not exist.
            #[must_use]
            pub fn forced_feature(
                mut self,
                key: impl Into<Box<str>>,
                value: impl Into<Value>,
            ) -> Self {
                self.overrides_mut().forced_features.insert(key.into(), value.into().into());
                self
            }

            /// Replaces all forced feature values.
            #[must_use]
            pub fn forced_features<K: Into<Box<str>>>(
                mut self,
                values: impl IntoIterator<Item = (K, Value)>,
            ) -> Self {
                self.overrides_mut().forced_features =
                    values.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
                self
            }

            fn overrides_mut(&mut self) -> &mut Overrides {
                self.overrides.get_or_insert_default()
            }

            /// Whether experiments run.
            pub fn is_enabled(&self) -> bool {
                self.overrides.as_ref().is_none_or(|overrides| overrides.enabled)
            }

            /// Whether QA mode is on.
            pub fn is_qa_mode(&self) -> bool {
                self.overrides.as_ref().is_some_and(|overrides| overrides.qa_mode)
            }

            /// Whether every experiment is skipped.
            pub fn skips_all_experiments(&self) -> bool {
                self.overrides.as_ref().is_some_and(|overrides| overrides.skip_all_experiments)
            }

            /// Returns the URL. It is empty when none is set.
            pub fn page_url(&self) -> &str {
                let url = self.overrides.as_ref().and_then(|overrides| overrides.url.as_ref());
                url.map_or("", PageUrl::as_str)
            }

            /// Returns the forced variations by experiment key, in any order.
            pub fn iter_forced_variations(&self) -> impl Iterator<Item = (&str, i64)> {
                let overrides = self.overrides.iter();
                overrides
                    .flat_map(|overrides| &overrides.forced_variations)
                    .map(|(key, &index)| (key.as_ref(), index))
            }

            /// Returns the forced values by feature key, in any order.
            pub fn iter_forced_features(&self) -> impl Iterator<Item = (&str, &Value)> {
                let overrides = self.overrides.iter();
                overrides
                    .flat_map(|overrides| &overrides.forced_features)
                    .map(|(key, value)| (key.as_ref(), value.value()))
            }
        }

        /// Prints switches and names, never attribute values or the URL.
        impl fmt::Debug for $context {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let forced_variations: BTreeMap<&str, i64> =
                    self.iter_forced_variations().collect();
                formatter
                    .debug_struct(stringify!($context))
                    .field("attributes", &self.attributes)
                    .field("enabled", &self.is_enabled())
                    .field("qa_mode", &self.is_qa_mode())
                    .field("forced_variations", &forced_variations)
                    .finish_non_exhaustive()
            }
        }
    };
}
override_settings!(UserContext);
override_settings!(GlobalContext);

/// Conversions of a user's id.
macro_rules! from_ids {
    ($($id:ty),+ $(,)?) => {$(
        impl From<$id> for UserContext {
            fn from(id: $id) -> Self {
                UserContext::new(id)
            }
        }
    )+};
}
from_ids!(&str, String, &String, Box<str>, Arc<str>, &Arc<str>, Cow<'_, str>);
from_ids!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

/// Conversions of a user's attributes.
macro_rules! from_attributes {
    ($([$($parameters:tt)*] $attributes:ty),+ $(,)?) => {$(
        impl<$($parameters)*> From<$attributes> for UserContext {
            fn from(attributes: $attributes) -> Self {
                UserContext::from_attributes(attributes)
            }
        }
    )+};
}
from_attributes!(
    [] Attributes,
    [] &Attributes,
    [] Map<String, Value>,
    [N: AsRef<str>, V: Into<AttributeValue>] BTreeMap<N, V>,
    [N: AsRef<str>, V: Into<AttributeValue>, const COUNT: usize] [(N, V); COUNT],
);
#[cfg(feature = "std")]
from_attributes!(
    [N: AsRef<str>, V: Into<AttributeValue>, S] std::collections::HashMap<N, V, S>,
);

/// Takes the attributes of an object, such as `json!({"id": "user-1", "country": "US"})`.
impl From<Value> for UserContext {
    fn from(attributes: Value) -> Self {
        UserContext::from_attributes(attributes)
    }
}

impl From<&UserContext> for UserContext {
    fn from(user: &UserContext) -> Self {
        user.clone()
    }
}
