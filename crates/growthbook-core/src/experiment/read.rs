//! Rules and experiments from JSON. A member of the wrong type makes the part it stands in apply
//! to nobody; which one is told in the error. Weights that are none are replaced by equal ones, as
//! unusable weights are everywhere.

use alloc::{borrow::Cow, boxed::Box, string::ToString, sync::Arc, vec::Vec};

use hashbrown::HashMap;

use super::allocation::Allocation;
use super::definition::{ExperimentDefinition, ExperimentStatus, VariationMeta};
use super::division::Division;
use super::field::{Field, Fields};
use super::filter::Filter;
use super::hash_attribute::HashAttribute;
use super::legacy::LegacyUrl;
use super::lists::{bucket_range, numbers, shared_numbers, shared_ranges, shared_values};
use super::meta;
use super::pool::Pools;
use super::prerequisite::{ParentCondition, ParentFeature};
use super::sticky::StickySettings;
use super::texts::TextParts;
use crate::bandit::{BanditDefinition, Leaf};
use crate::bucket::{BucketHasher, BucketRange, Namespace};
use crate::condition::{Clauses, ConditionParser, GroupIndex, PatternCompiler};
use crate::feature_table::FeatureTable;
use crate::json::{ListView, ObjectView, View, js_number_string};
use crate::snapshot::Rollout;
use crate::url::{UrlTarget, UrlTargetType, UrlTargets};
use crate::value::FeatureValue;
use crate::warning::WarningKind;

/// What names in a payload link to; nothing outside of one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Links<'p> {
    pub(crate) features: Option<&'p FeatureTable>,
    pub(crate) groups: Option<&'p HashMap<Box<str>, GroupIndex>>,
    pub(crate) bandits: Option<&'p HashMap<Box<str>, Arc<BanditDefinition>>>,
    pub(crate) pools: Option<&'p Pools>,
}

/// Reads the members of one rule or experiment.
pub(crate) struct Reader<'p> {
    fields: Fields<'p>,
    links: Links<'p>,
    patterns: &'p PatternCompiler,
    warnings: &'p mut Vec<WarningKind>,
}

type Read<T> = Result<T, WarningKind>;

fn wrong_type<T>(field: Field, expected: &'static str) -> Read<T> {
    Err(WarningKind::WrongType { field: field.name(), expected })
}

impl<'p> Reader<'p> {
    pub(crate) fn new(
        object: ObjectView<'p>,
        links: Links<'p>,
        patterns: &'p PatternCompiler,
        warnings: &'p mut Vec<WarningKind>,
    ) -> Self {
        Reader { fields: Fields::of(object), links, patterns, warnings }
    }

    /// Reads the prerequisites alone.
    pub(crate) fn of_parents(
        parents: View<'p>,
        links: Links<'p>,
        patterns: &'p PatternCompiler,
        warnings: &'p mut Vec<WarningKind>,
    ) -> Self {
        let fields = Fields::only(Field::ParentConditions, parents);
        Reader { fields, links, patterns, warnings }
    }

    fn warn(&mut self, field: Field, expected: &'static str) {
        self.warnings.push(WarningKind::WrongType { field: field.name(), expected });
    }

    /// A member, whatever it is.
    pub(crate) fn get(&self, field: Field) -> Option<View<'p>> {
        self.fields.get(field)
    }

    /// The variations of a rule; `None` when it is no experiment. Bandit rules have theirs under
    /// another name, so that SDKs that do not know bandits skip them.
    pub(crate) fn variations(&self) -> Read<Option<ListView<'p>>> {
        match self.get(Field::ContextualVariations) {
            None | Some(View::Null) => self.list(Field::Variations),
            Some(View::Array(variations)) => Ok(Some(variations)),
            Some(_) => wrong_type(Field::ContextualVariations, "a list"),
        }
    }

    pub(crate) fn values(&self, variations: ListView<'_>) -> Arc<[FeatureValue]> {
        shared_values(variations, self.links.pools)
    }

    /// A member, unless it is missing or falsy: then GrowthBook treats it as not set.
    pub(crate) fn truthy(&self, field: Field) -> Option<View<'p>> {
        self.get(field).filter(|value| value.is_truthy())
    }

    /// Text; a number counts as its text, as JavaScript would have it.
    pub(crate) fn text(&self, field: Field) -> Read<Option<Cow<'p, str>>> {
        match self.truthy(field) {
            None => Ok(None),
            Some(value) => match text_of(value) {
                Some(text) => Ok(Some(text)),
                None => wrong_type(field, "a string"),
            },
        }
    }

    pub(super) fn number(&self, field: Field) -> Read<Option<f64>> {
        match self.get(field) {
            None | Some(View::Null) => Ok(None),
            Some(View::Number(number)) => Ok(Some(number.as_f64())),
            Some(_) => wrong_type(field, "a number"),
        }
    }

    /// A bucket version, 0 when there is none; digits count as their number.
    fn version(&self, field: Field) -> Read<f64> {
        match self.get(field) {
            Some(View::String(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(digits.parse().unwrap_or(0.0))
            }
            _ => Ok(self.number(field)?.unwrap_or(0.0)),
        }
    }

    fn list(&self, field: Field) -> Read<Option<ListView<'p>>> {
        match self.truthy(field) {
            None => Ok(None),
            Some(View::Array(items)) => Ok(Some(items)),
            Some(_) => wrong_type(field, "a list"),
        }
    }

    pub(crate) fn condition(&mut self) -> Option<Clauses> {
        self.given_condition(self.get(Field::Condition))
    }

    /// A condition, unless it is falsy, or an empty list, which asks for nothing as well.
    fn given_condition(&mut self, condition: Option<View<'_>>) -> Option<Clauses> {
        let condition = condition.filter(|condition| condition.is_truthy())?;
        if condition.as_array().is_some_and(ListView::is_empty) {
            return None;
        }
        Some(self.conditions().condition(condition))
    }

    fn conditions(&mut self) -> ConditionParser<'_> {
        ConditionParser::new(self.links.groups, self.patterns, self.warnings)
    }

    /// The members a rule's experiment copies.
    pub(crate) fn experiment(
        &mut self,
        default_key: &str,
        variations: usize,
        filters: impl FnOnce(&mut Self) -> Read<Option<Box<[Filter]>>>,
    ) -> Read<ExperimentDefinition> {
        let mut definition = self.underived(default_key, variations)?;
        definition.hash_version = self.hash_version(1);
        let coverage = self.number(Field::Coverage)?.unwrap_or(1.0);
        let weights = self.weights().unwrap_or_default();
        definition.allocation = Allocation::Shares { weights, coverage };
        if let Some(ranges) = self.list(Field::Ranges)? {
            let pools = self.links.pools;
            let read = || self.ranges(Field::Ranges, ranges);
            definition.set_ranges(shared_ranges(ranges, pools, read));
        }
        definition.meta = self.meta()?;
        let namespace = self.namespace().map(Box::new);
        definition.division = match filters(self)? {
            Some(filters) => Division::Filters(filters),
            None => Division::Namespace(namespace),
        };
        definition.condition = self.condition();
        definition.derive(self.links.pools);
        if !definition.is_known_version() {
            self.warnings.push(WarningKind::UnknownHashVersion);
        }
        Ok(definition)
    }

    /// An experiment with its texts, and what they are read with.
    fn underived(&self, default_key: &str, variations: usize) -> Read<ExperimentDefinition> {
        let key = self.text(Field::Key)?;
        let name = self.text(Field::Name)?;
        let phase = self.text(Field::Phase)?;
        let seed = self.text(Field::Seed)?;
        let hash_attribute = self.hash_attribute(Field::HashAttribute)?;
        let fallback_attribute = self.text(Field::FallbackAttribute)?.map(Box::from);
        let mut definition = js_number_string(self.version(Field::BucketVersion)?, |version| {
            let texts = TextParts {
                key: key.as_deref().unwrap_or(default_key),
                bucket_version: version,
                name: name.as_deref(),
                phase: phase.as_deref(),
                seed: seed.as_deref(),
            };
            ExperimentDefinition::underived(texts, variations)
        });
        definition.hash_attribute = hash_attribute;
        definition.set_sticky(StickySettings {
            fallback_attribute,
            disabled: self.truthy(Field::DisableStickyBucketing).is_some(),
            min_bucket_version: self.version(Field::MinBucketVersion)?,
        });
        Ok(definition)
    }

    /// The members only an experiment of its own has, not one in a rule.
    pub(crate) fn inline_settings(&mut self, definition: &mut ExperimentDefinition) -> Read<()> {
        let own = definition.own_mut();
        own.parents = self.parents().into();
        own.active = !matches!(self.get(Field::Active), Some(View::Bool(false)));
        own.status = match self.get(Field::Status).and_then(View::as_str) {
            Some("draft") => ExperimentStatus::Draft,
            Some("stopped") => ExperimentStatus::Stopped,
            _ => ExperimentStatus::Running,
        };
        if let Some(groups) = self.list(Field::Groups)? {
            let names = groups.iter().filter_map(View::as_str).map(Box::from);
            own.groups = Some(names.collect());
        }
        if let Some(url) = self.text(Field::Url)? {
            own.legacy_url = LegacyUrl::new(&url, self.patterns, self.warnings);
        }
        own.force = self.get(Field::Force).and_then(forced_variation);
        if let Some(patterns) = self.list(Field::UrlPatterns)? {
            let targets: Vec<UrlTarget> = patterns.iter().filter_map(url_target).collect();
            let complete = targets.len() == patterns.len();
            let compiled = UrlTargets::new(&targets, self.patterns, |pattern| {
                self.warnings.push(WarningKind::UrlPattern(pattern.into()));
            });
            if !complete {
                return wrong_type(Field::UrlPatterns, "a list of objects");
            }
            definition.set_url_patterns(&targets, compiled);
        }
        Ok(())
    }

    /// Falsy means the default; what is no whole number is a version nobody knows.
    fn hash_version(&self, default: i64) -> i64 {
        self.truthy(Field::HashVersion).map_or(default, |version| whole(version).unwrap_or(0))
    }

    fn hash_attribute(&self, field: Field) -> Read<HashAttribute> {
        Ok(self.text(field)?.as_deref().map(HashAttribute::from).unwrap_or_default())
    }

    pub(super) fn weights(&mut self) -> Option<Arc<[f64]>> {
        let weights = self.truthy(Field::Weights)?;
        let numbers =
            weights.as_array().and_then(|weights| shared_numbers(weights, self.links.pools));
        if numbers.is_none() {
            self.warn(Field::Weights, "a list of numbers");
        }
        // No weights at all are of the wrong number, and replaced by equal ones.
        Some(numbers.unwrap_or_default())
    }

    fn ranges(&mut self, field: Field, ranges: ListView<'_>) -> Box<[BucketRange]> {
        ranges.boxed(|range| {
            bucket_range(range).unwrap_or_else(|| {
                self.warn(field, "pairs of numbers");
                BucketRange::EMPTY
            })
        })
    }

    fn meta(&self) -> Read<Arc<[VariationMeta]>> {
        let pool = self.links.pools.map(|pools| &pools.metas);
        let list = self.list(Field::Meta)?;
        Ok(list.map(|list| meta::shared(list, pool)).unwrap_or_default())
    }

    /// A namespace that makes no sense has nobody in it.
    pub(super) fn namespace(&mut self) -> Option<Namespace> {
        let namespace = self.truthy(Field::Namespace)?;
        if let Some(parts) = namespace.as_array() {
            let mut parts = parts.iter();
            if let (Some(View::String(id)), Some(View::Number(start)), Some(View::Number(end))) =
                (parts.next(), parts.next(), parts.next())
            {
                return Some(Namespace::new(id, start.as_f64(), end.as_f64()));
            }
        }
        self.warn(Field::Namespace, "a list of an id and two numbers");
        Some(Namespace::new("", 0.0, 0.0))
    }

    /// A filter that makes no sense lets nobody pass.
    pub(crate) fn filters(&mut self) -> Read<Option<Box<[Filter]>>> {
        let Some(filters) = self.list(Field::Filters)? else {
            return Ok(None);
        };
        Ok(Some(filters.boxed(|filter| {
            self.filter(filter).unwrap_or_else(|kind| {
                self.warnings.push(kind);
                Filter::nobody()
            })
        })))
    }

    fn filter(&mut self, filter: View<'_>) -> Read<Filter> {
        let Some(object) = filter.as_object() else {
            return wrong_type(Field::Filters, "a list of objects");
        };
        let mut fields = Reader::new(object, self.links, self.patterns, self.warnings);
        let seed = fields.text(Field::Seed)?.unwrap_or_default();
        let Some(ranges) = fields.list(Field::Ranges)? else {
            return wrong_type(Field::Filters, "a list of objects with ranges");
        };
        let ranges = fields.ranges(Field::Ranges, ranges);
        let attribute = fields.hash_attribute(Field::Attribute)?;
        let mut filter = Filter::new(seed, ranges).named_attribute(attribute);
        if fields.truthy(Field::HashVersion).is_some() {
            filter = filter.hash_version(fields.hash_version(0));
        }
        if !filter.is_known_version() {
            self.warnings.push(WarningKind::UnknownHashVersion);
        }
        Ok(filter)
    }

    /// The share of users a force rule applies to; `None` for everybody.
    pub(crate) fn rollout(&mut self, feature: &str) -> Read<Option<Rollout>> {
        let range = match (self.truthy(Field::Range), self.number(Field::Coverage)) {
            (Some(range), _) => bucket_range(range).unwrap_or_else(|| {
                // An empty list is how GrowthBook may say "nobody".
                if range.as_array().is_none_or(|bounds| !bounds.is_empty()) {
                    self.warn(Field::Range, "a pair of numbers");
                }
                BucketRange::EMPTY
            }),
            (None, coverage) => match coverage? {
                // Every bucket is at least 0, so that this is `bucket < coverage`.
                Some(coverage) => BucketRange { start: 0.0, end: coverage },
                None => return Ok(None),
            },
        };
        let seed = self.text(Field::Seed)?;
        let seed = seed.as_deref().unwrap_or(feature);
        let hasher = BucketHasher::new(seed, self.hash_version(1));
        if hasher.is_none() {
            self.warnings.push(WarningKind::UnknownHashVersion);
        }
        let fallback_attribute = match self.truthy(Field::DisableStickyBucketing) {
            Some(_) => None,
            None => self.text(Field::FallbackAttribute)?.map(Box::from),
        };
        let hash_attribute = self.hash_attribute(Field::HashAttribute)?;
        Ok(Some(Rollout { hash_attribute, fallback_attribute, seed: seed.into(), hasher, range }))
    }

    /// The bandit a rule refers to; `None` when it refers to none there is.
    pub(crate) fn bandit_reference(&self) -> Option<Arc<BanditDefinition>> {
        let id = self.truthy(Field::ContextualBanditRef)?.as_str()?;
        self.links.bandits?.get(id).cloned()
    }

    /// An entry of `contextualBandits`.
    pub(crate) fn bandit(&mut self) -> BanditDefinition {
        let contexts = self.get(Field::Contexts).and_then(View::as_array).unwrap_or_default();
        BanditDefinition {
            version: self.get(Field::BanditVersion).and_then(whole),
            leaves: contexts.boxed(|context| self.leaf(context)),
        }
    }

    fn leaf(&mut self, context: View<'_>) -> Leaf {
        let field = |name: &str| context.as_object().and_then(|object| object.get(name));
        let weights = field("weights").and_then(View::as_array);
        let leaf = Leaf {
            condition: self.given_condition(field("condition")),
            id: field("leafId").and_then(whole),
            weights: weights.and_then(numbers),
        };
        if leaf.id.is_none() || leaf.weights.is_none() {
            self.warn(Field::Contexts, "a list of objects with leafId and weights");
        }
        leaf
    }

    /// Prerequisites. One that makes no sense is never met; where nobody can tell whether it was
    /// a gate, it is taken for one.
    pub(crate) fn parents(&mut self) -> Box<[ParentCondition]> {
        match self.list(Field::ParentConditions) {
            Ok(parents) => parents.unwrap_or_default().boxed(|parent| self.parent(parent)),
            Err(kind) => {
                self.warnings.push(kind);
                [ParentCondition::unreadable(true)].into()
            }
        }
    }

    fn parent(&mut self, parent: View<'_>) -> ParentCondition {
        let Some(object) = parent.as_object() else {
            self.warn(Field::ParentConditions, "a list of objects");
            return ParentCondition::unreadable(true);
        };
        let feature = match object.get("id").and_then(View::as_str) {
            Some(id) => {
                let mut feature = ParentFeature::Named(id.into());
                if let Some(features) = self.links.features {
                    feature.link(features);
                }
                feature
            }
            None => {
                self.warn(Field::ParentConditions, "a list of objects with an id");
                ParentFeature::Unknown
            }
        };
        ParentCondition {
            feature,
            value: self.given_condition(object.get("condition")).into(),
            gate: object.get("gate").is_some_and(View::is_truthy),
        }
    }
}

/// A forced variation's index: null is none, and what is no whole number is no variation.
pub(crate) fn forced_variation(json: View<'_>) -> Option<i64> {
    match json {
        View::Null => None,
        json => Some(whole(json).unwrap_or(-1)),
    }
}

fn whole(json: View<'_>) -> Option<i64> {
    let number = json.as_f64()?;
    // The cast saturates; what it changes was no whole number in range.
    let whole = number as i64;
    (whole as f64 == number).then_some(whole)
}

/// Text that is not empty; a number's text for a number.
pub(crate) fn text_of(json: View<'_>) -> Option<Cow<'_, str>> {
    match json {
        View::String(text) if !text.is_empty() => Some(text.into()),
        View::Number(number) => {
            Some(js_number_string(number.as_f64(), |text| text.to_string().into()))
        }
        _ => None,
    }
}

/// `None` for what is no URL pattern.
fn url_target(json: View<'_>) -> Option<UrlTarget> {
    let object = json.as_object()?;
    let pattern = object.get("pattern").and_then(View::as_str);
    let kind = match (object.get("type").and_then(View::as_str), pattern) {
        (Some("simple"), Some(_)) => UrlTargetType::Simple,
        (Some("regex"), Some(_)) => UrlTargetType::Regex,
        _ => UrlTargetType::Unknown,
    };
    let pattern = pattern.unwrap_or_default().into();
    let include = !matches!(object.get("include"), Some(View::Bool(false)));
    Some(UrlTarget { kind, pattern, include })
}
