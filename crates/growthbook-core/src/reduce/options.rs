//! The options for reducing a payload: the known attributes, and filters.

use alloc::{boxed::Box, collections::BTreeMap};

use crate::attributes::Node;
use crate::attributes::{AttributeValue, Attributes};
use crate::condition::ValueSet;
use crate::json::{Json, Object};

/// Options for [`reduce_payload`](crate::reduce::reduce_payload): the known attributes, and the
/// definitions to keep. By default no attribute is known and everything is kept.
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
    pub(super) prerequisites: PrerequisiteMode,
}

/// Filters on the metadata of features and auto experiments. A filter matches if one of its values
/// matches. A filter without values never matches.
#[derive(Clone, Debug, Default)]
pub struct PayloadFilters {
    projects: Option<ValueSet>,
    tags: Option<ValueSet>,
    custom_fields: BTreeMap<Box<str>, ValueSet>,
}

/// The effect of the filters on prerequisites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrerequisiteMode {
    /// Keeps the prerequisites of each kept definition, so that it evaluates the same. The default.
    #[default]
    Keep,
    /// Applies the filters to prerequisites, too. Holdouts are kept nevertheless.
    Filter,
}

impl ReduceOptions {
    /// Makes options without known attributes and without filters.
    pub fn new() -> Self {
        ReduceOptions::default()
    }

    /// Sets the known attributes of the user. A missing attribute is unknown. An attribute that is
    /// null is known to be missing.
    ///
    /// If an attribute is an object, conditions on the whole object are decided. Conditions on a
    /// path into it (`father.age`) are not, since the browser may know more members.
    #[must_use]
    pub fn attributes(mut self, attributes: impl Into<Attributes>) -> Self {
        self.attributes = attributes.into();
        self
    }

    /// Sets the known attributes of every user. The user's own attributes come first.
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

    /// Sets the effect of the filters on prerequisites. Default: [`PrerequisiteMode::Keep`].
    #[must_use]
    pub fn prerequisites(mut self, prerequisites: PrerequisiteMode) -> Self {
        self.prerequisites = prerequisites;
        self
    }
}

impl PayloadFilters {
    /// Makes an empty set of filters.
    pub fn new() -> Self {
        PayloadFilters::default()
    }

    /// Filters by the ids of projects. A feature or auto experiment in all projects matches when
    /// included, and does not match when excluded. A rule without projects applies to all projects
    /// of its feature.
    #[must_use]
    pub fn projects<P: Into<AttributeValue>>(
        mut self,
        projects: impl IntoIterator<Item = P>,
    ) -> Self {
        self.projects = Some(value_set(projects));
        self
    }

    /// Filters by tags.
    #[must_use]
    pub fn tags<T: Into<AttributeValue>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = Some(value_set(tags));
        self
    }

    /// Filters by the values of a custom field. With several fields, all of them must match to
    /// include a definition, and one is enough to exclude it.
    #[must_use]
    pub fn custom_field<V: Into<AttributeValue>>(
        mut self,
        name: impl Into<Box<str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.custom_fields.insert(name.into(), value_set(values));
        self
    }
}

fn value_set<V: Into<AttributeValue>>(values: impl IntoIterator<Item = V>) -> ValueSet {
    let values: AttributeValue = values.into_iter().collect();
    values.json().as_array().map(ValueSet::new).unwrap_or_default()
}

/// The `metadata` of a definition. It is empty if it is not an object.
#[derive(Clone, Copy)]
struct Metadata<'a>(Option<&'a Object<'a>>);

impl<'a> Metadata<'a> {
    fn of(definition: &'a Object<'_>) -> Self {
        Metadata(definition.get("metadata").and_then(Json::as_object))
    }

    fn is_truthy(self, field: &str) -> bool {
        self.0.and_then(|metadata| metadata.get(field)).is_some_and(Json::is_truthy)
    }

    /// Whether the field, or an item of it, is one of the values. False for a missing field.
    fn has(self, field: &str, values: &ValueSet) -> bool {
        self.0
            .and_then(|metadata| metadata.get(field))
            .is_some_and(|value| values.contains(&Node::from(value)))
    }

    fn has_custom(self, field: &str, values: &ValueSet) -> bool {
        let fields = self.0.and_then(|metadata| metadata.get("customFields"));
        Metadata(fields.and_then(Json::as_object)).has(field, values)
    }
}

/// The filters applied to definitions.
impl ReduceOptions {
    /// Whether a feature or auto experiment matches the filters.
    pub(super) fn matches(&self, definition: &Object<'_>) -> bool {
        let metadata = Metadata::of(definition);
        let has = |field: &str, values: &Option<ValueSet>| {
            values.as_ref().map(|values| metadata.has(field, values))
        };
        let custom = |field: &str, values: &ValueSet| metadata.has_custom(field, values);
        self.in_projects(definition)
            && has("tags", &self.include.tags).unwrap_or(true)
            && self.include.custom_fields.iter().all(|(name, values)| custom(name, values))
            && !has("projects", &self.exclude.projects).unwrap_or(false)
            && !has("tags", &self.exclude.tags).unwrap_or(false)
            && !self.exclude.custom_fields.iter().any(|(name, values)| custom(name, values))
    }

    /// Whether a feature or auto experiment is in an included project. False without projects.
    pub(super) fn in_projects(&self, definition: &Object<'_>) -> bool {
        let metadata = Metadata::of(definition);
        self.include.projects.as_ref().is_none_or(|projects| {
            metadata.is_truthy("allProjects") || metadata.has("projects", projects)
        })
    }

    /// Whether a rule applies in an included project. True without projects.
    pub(super) fn rule_in_projects(&self, rule: &Object<'_>) -> bool {
        let metadata = Metadata::of(rule);
        self.include.projects.as_ref().is_none_or(|projects| {
            !metadata.is_truthy("projects") || metadata.has("projects", projects)
        })
    }
}
