//! What to reduce a payload to.

use alloc::{boxed::Box, collections::BTreeMap};

use crate::attributes::Node;
use crate::attributes::{AttributeValue, Attributes};
use crate::condition::Members;
use crate::json::{Json, Object};

/// What [`reduce_payload`](crate::reduce::reduce_payload) knows and keeps. By default nothing is known
/// and everything is kept.
///
/// ```
/// use growthbook_core::Attributes;
/// use growthbook_core::reduce::{PayloadFilters, ReduceOptions};
///
/// let options = ReduceOptions::new()
///     .attributes(Attributes::from_iter([("country", "US")]))
///     .include(PayloadFilters::new().projects(["prj_web"]))
///     .exclude(PayloadFilters::new().tags(["server-only"]));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ReduceOptions {
    pub(super) attributes: Attributes,
    pub(super) global_attributes: Attributes,
    include: PayloadFilters,
    exclude: PayloadFilters,
    pub(super) prerequisites: Prerequisites,
}

/// Filters on the metadata of features and auto experiments. Any one value of a list is enough;
/// a list without values matches nothing.
#[derive(Clone, Debug, Default)]
pub struct PayloadFilters {
    projects: Option<Members>,
    tags: Option<Members>,
    custom_fields: BTreeMap<Box<str>, Members>,
}

/// Whether prerequisites follow the filters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prerequisites {
    /// The prerequisites of what is kept are kept as well, so that it evaluates the same. The
    /// default.
    #[default]
    Keep,
    /// The filters decide over prerequisites too. Holdouts are kept all the same.
    Filter,
}

impl ReduceOptions {
    /// Nothing known, everything kept.
    pub fn new() -> Self {
        ReduceOptions::default()
    }

    /// The attributes known of the user. One that is missing is unknown, one that is null is
    /// known to be missing. Of an attribute that is an object conditions on the whole are
    /// decided, conditions on a path into it (`father.age`) are not: the browser may know more.
    #[must_use]
    pub fn attributes(mut self, attributes: impl Into<Attributes>) -> Self {
        self.attributes = attributes.into();
        self
    }

    /// The attributes known of every user, where the user's own say nothing.
    #[must_use]
    pub fn global_attributes(mut self, attributes: impl Into<Attributes>) -> Self {
        self.global_attributes = attributes.into();
        self
    }

    /// Keeps only the features and auto experiments that match every filter.
    #[must_use]
    pub fn include(mut self, filters: PayloadFilters) -> Self {
        self.include = filters;
        self
    }

    /// Leaves out the features and auto experiments that match any filter.
    #[must_use]
    pub fn exclude(mut self, filters: PayloadFilters) -> Self {
        self.exclude = filters;
        self
    }

    /// Whether prerequisites follow the filters. Default: [`Prerequisites::Keep`].
    #[must_use]
    pub fn prerequisites(mut self, prerequisites: Prerequisites) -> Self {
        self.prerequisites = prerequisites;
        self
    }
}

impl PayloadFilters {
    /// No filters.
    pub fn new() -> Self {
        PayloadFilters::default()
    }

    /// The ids of projects. A feature or auto experiment in all projects matches when included,
    /// and does not when excluded; a rule without projects applies wherever its feature does.
    #[must_use]
    pub fn projects<P: Into<AttributeValue>>(
        mut self,
        projects: impl IntoIterator<Item = P>,
    ) -> Self {
        self.projects = Some(members(projects));
        self
    }

    /// Tags.
    #[must_use]
    pub fn tags<T: Into<AttributeValue>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = Some(members(tags));
        self
    }

    /// Values of a custom field. Every field named must match when included, any one when
    /// excluded.
    #[must_use]
    pub fn custom_field<V: Into<AttributeValue>>(
        mut self,
        name: impl Into<Box<str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.custom_fields.insert(name.into(), members(values));
        self
    }
}

fn members<V: Into<AttributeValue>>(values: impl IntoIterator<Item = V>) -> Members {
    let values: AttributeValue = values.into_iter().collect();
    values.json().as_array().map(Members::new).unwrap_or_default()
}

/// A definition's `metadata`; empty when it is none.
#[derive(Clone, Copy)]
struct Metadata<'a>(Option<&'a Object<'a>>);

impl<'a> Metadata<'a> {
    fn of(definition: &'a Object<'_>) -> Self {
        Metadata(definition.get("metadata").and_then(Json::as_object))
    }

    fn truthy(self, field: &str) -> bool {
        self.0.and_then(|metadata| metadata.get(field)).is_some_and(Json::is_truthy)
    }

    /// Whether the field, or an item of it, is one of the values. One that is missing is none.
    fn has(self, field: &str, values: &Members) -> bool {
        self.0
            .and_then(|metadata| metadata.get(field))
            .is_some_and(|value| values.contains(&Node::from(value)))
    }

    fn has_custom(self, field: &str, values: &Members) -> bool {
        let fields = self.0.and_then(|metadata| metadata.get("customFields"));
        Metadata(fields.and_then(Json::as_object)).has(field, values)
    }
}

/// The filters at work.
impl ReduceOptions {
    /// Whether a feature or auto experiment is kept for its own sake.
    pub(super) fn matches(&self, definition: &Object<'_>) -> bool {
        let metadata = Metadata::of(definition);
        let has = |field: &str, values: &Option<Members>| {
            values.as_ref().map(|values| metadata.has(field, values))
        };
        let custom = |field: &str, values: &Members| metadata.has_custom(field, values);
        self.in_projects(definition)
            && has("tags", &self.include.tags).unwrap_or(true)
            && self.include.custom_fields.iter().all(|(name, values)| custom(name, values))
            && !has("projects", &self.exclude.projects).unwrap_or(false)
            && !has("tags", &self.exclude.tags).unwrap_or(false)
            && !self.exclude.custom_fields.iter().any(|(name, values)| custom(name, values))
    }

    /// Whether a feature or auto experiment is in an included project. One without projects is
    /// in none.
    pub(super) fn in_projects(&self, definition: &Object<'_>) -> bool {
        let metadata = Metadata::of(definition);
        self.include.projects.as_ref().is_none_or(|projects| {
            metadata.truthy("allProjects") || metadata.has("projects", projects)
        })
    }

    /// Whether a rule applies in an included project. One without projects applies in all.
    pub(super) fn rule_in_projects(&self, rule: &Object<'_>) -> bool {
        let metadata = Metadata::of(rule);
        self.include.projects.as_ref().is_none_or(|projects| {
            !metadata.truthy("projects") || metadata.has("projects", projects)
        })
    }
}
