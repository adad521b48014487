//! Whom an evaluation is for, and what holds for everybody.

use alloc::{boxed::Box, collections::BTreeMap, string::String};
use core::fmt;

use hashbrown::{HashMap, HashSet};
use serde_json::Value;

use crate::attributes::{AttributeValue, Attributes};
use crate::condition::REMOTE_GROUP_IDS;
use crate::experiment::ExperimentOverride;
use crate::url::PageUrl;
use crate::value::FeatureValue;

/// The user or request an evaluation is for: attributes, address, and what is forced for them.
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

/// What holds for every user: attributes they lack, an address they lack, switches, and forced
/// values that their own win over.
#[derive(Clone, Default)]
pub struct GlobalContext {
    attributes: Attributes,
    pub(crate) experiment_overrides: HashMap<Box<str>, ExperimentOverride>,
    pub(crate) overrides: Option<Box<Overrides>>,
}

/// The settings a user and the whole application both have; most have none.
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

/// A user nothing is known about.
pub(crate) static NOBODY: UserContext =
    UserContext { attributes: Attributes::new(), remote_group_ids_set: false, overrides: None };

impl UserContext {
    /// A user with the attribute `id`, which experiments hash unless they name another.
    pub fn new(id: impl Into<AttributeValue>) -> Self {
        UserContext::default().attribute("id", id)
    }

    /// A user known by these attributes alone.
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

    /// The remote saved groups the user belongs to, as resolved by the application. They win
    /// over the attribute `__gb_remoteGroupIds`.
    #[must_use]
    pub fn remote_group_ids<I: Into<AttributeValue>>(
        mut self,
        ids: impl IntoIterator<Item = I>,
    ) -> Self {
        self.attributes.insert(REMOTE_GROUP_IDS, ids.into_iter().collect::<AttributeValue>());
        self.remote_group_ids_set = true;
        self
    }

    /// The user's attributes.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}

impl GlobalContext {
    /// Nothing set: enabled, no attributes, nothing forced.
    pub fn new() -> Self {
        GlobalContext::default()
    }

    /// Sets the attributes of users who lack them.
    #[must_use]
    pub fn attributes(mut self, attributes: impl Into<Attributes>) -> Self {
        self.attributes = attributes.into();
        self
    }

    /// Lays settings over the experiments of these keys: objects of `condition`, `weights`,
    /// `coverage`, `active`, `status`, `force`, `groups`, `namespace` and `url`. Legacy: from
    /// before experiments came with the payload. One that makes no sense stops its experiment.
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

    /// The attributes of users who lack them.
    pub fn global_attributes(&self) -> &Attributes {
        &self.attributes
    }
}

/// The settings users and the application share, once for each.
macro_rules! override_settings {
    ($context:ty) => {
        impl $context {
            /// Whether experiments run at all. Default: true. A disabled experiment gives its
            /// first variation to everybody; forced rules still apply.
            #[must_use]
            pub fn enabled(mut self, enabled: bool) -> Self {
                self.overrides_mut().enabled = enabled;
                self
            }

            /// QA mode: users get a variation only where one is forced. Default: false.
            #[must_use]
            pub fn qa_mode(mut self, qa_mode: bool) -> Self {
                self.overrides_mut().qa_mode = qa_mode;
                self
            }

            /// Leaves users out of every experiment that has no forced variation, as QA mode
            /// does; for crawlers and load tests. Default: false.
            #[must_use]
            pub fn skip_all_experiments(mut self, skip: bool) -> Self {
                self.overrides_mut().skip_all_experiments = skip;
                self
            }

            /// The address of the page or request: for URL targeting, and for overrides in its
            /// query string. An empty one is none.
            #[must_use]
            pub fn url(mut self, url: &str) -> Self {
                self.overrides_mut().url = (!url.is_empty()).then(|| PageUrl::new(url));
                self
            }

            /// The groups the user is in, for experiments that are limited to some. Legacy: use
            /// attributes and conditions.
            #[must_use]
            pub fn groups<G: Into<Box<str>>>(
                mut self,
                groups: impl IntoIterator<Item = G>,
            ) -> Self {
                self.overrides_mut().groups = groups.into_iter().map(Into::into).collect();
                self
            }

            /// Forces a variation, by experiment key and index. An index the experiment does not
            /// have gives the first variation and keeps the user out.
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

            /// Forces a feature's value, whatever its rules say and whether it exists or not.
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

            /// The address; empty when there is none.
            pub fn page_url(&self) -> &str {
                let url = self.overrides.as_ref().and_then(|overrides| overrides.url.as_ref());
                url.map_or("", PageUrl::as_str)
            }

            /// The variations forced, by experiment key, in no order.
            pub fn iter_forced_variations(&self) -> impl Iterator<Item = (&str, i64)> {
                let overrides = self.overrides.iter();
                overrides
                    .flat_map(|overrides| &overrides.forced_variations)
                    .map(|(key, &index)| (key.as_ref(), index))
            }

            /// The feature values forced, by feature key, in no order.
            pub fn iter_forced_features(&self) -> impl Iterator<Item = (&str, &Value)> {
                let overrides = self.overrides.iter();
                overrides
                    .flat_map(|overrides| &overrides.forced_features)
                    .map(|(key, value)| (key.as_ref(), value.value()))
            }
        }

        /// Switches and names, never attribute values or the address.
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

impl From<&str> for UserContext {
    fn from(id: &str) -> Self {
        UserContext::new(id)
    }
}

impl From<String> for UserContext {
    fn from(id: String) -> Self {
        UserContext::new(id)
    }
}

/// The attributes of an object, such as `json!({"id": "user-1", "country": "US"})`.
impl From<Value> for UserContext {
    fn from(attributes: Value) -> Self {
        UserContext::from_attributes(attributes)
    }
}

impl From<Attributes> for UserContext {
    fn from(attributes: Attributes) -> Self {
        UserContext::from_attributes(attributes)
    }
}
