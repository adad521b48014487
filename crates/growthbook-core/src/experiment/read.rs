//! Rules and experiments from JSON. A member of the wrong type makes the part it stands in apply
//! to nobody; which one is told in the error. Weights that are none are replaced by equal ones, as
//! unusable weights are everywhere.

use alloc::{
    borrow::Cow,
    boxed::Box,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use hashbrown::HashMap;

use super::definition::{
    DEFAULT_HASH_ATTRIBUTE, ExperimentDefinition, ExperimentStatus, VariationMeta,
};
use super::filter::Filter;
use super::legacy::LegacyUrl;
use super::prerequisite::{ParentCondition, ParentFeature};
use crate::bandit::{BanditDefinition, Leaf};
use crate::bucket::{BucketHasher, BucketRange, Namespace};
use crate::condition::{Clauses, ConditionParser, GroupIndex, PatternCompiler};
use crate::json::{Json, Object, js_number_string};
use crate::snapshot::{FeatureIndex, Rollout};
use crate::url::{UrlTarget, UrlTargetType, UrlTargets};
use crate::warning::WarningKind;

/// What names in a payload link to; nothing outside of one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Links<'p> {
    pub(crate) features: Option<&'p HashMap<Box<str>, FeatureIndex>>,
    pub(crate) groups: Option<&'p HashMap<Box<str>, GroupIndex>>,
    pub(crate) bandits: Option<&'p HashMap<Box<str>, Arc<BanditDefinition>>>,
}

/// Reads the members of one rule or experiment.
pub(crate) struct Reader<'p> {
    object: &'p Object<'p>,
    links: Links<'p>,
    patterns: &'p PatternCompiler,
    warnings: &'p mut Vec<WarningKind>,
}

type Read<T> = Result<T, WarningKind>;

fn wrong_type<T>(field: &'static str, expected: &'static str) -> Read<T> {
    Err(WarningKind::WrongType { field, expected })
}

impl<'p> Reader<'p> {
    pub(crate) fn new(
        object: &'p Object<'p>,
        links: Links<'p>,
        patterns: &'p PatternCompiler,
        warnings: &'p mut Vec<WarningKind>,
    ) -> Self {
        Reader { object, links, patterns, warnings }
    }

    /// A member, whatever it is.
    pub(crate) fn get(&self, field: &str) -> Option<&'p Json<'p>> {
        self.object.get(field)
    }

    /// The variations of a rule; `None` when it is no experiment. Bandit rules have theirs under
    /// another name, so that SDKs that do not know bandits skip them.
    pub(crate) fn variations(&self) -> Read<Option<&'p [Json<'p>]>> {
        match self.object.get("contextualVariations") {
            None | Some(Json::Null) => self.list("variations"),
            Some(Json::Array(variations)) => Ok(Some(variations)),
            Some(_) => wrong_type("contextualVariations", "a list"),
        }
    }

    /// A member, unless it is missing or falsy: then GrowthBook treats it as not set.
    pub(crate) fn truthy(&self, field: &str) -> Option<&'p Json<'p>> {
        self.object.get(field).filter(|value| value.is_truthy())
    }

    /// Text; a number counts as its text, as JavaScript would have it.
    pub(crate) fn text(&self, field: &'static str) -> Read<Option<Box<str>>> {
        match self.truthy(field) {
            None => Ok(None),
            Some(value) => match text_of(value) {
                Some(text) => Ok(Some(text)),
                None => wrong_type(field, "a string"),
            },
        }
    }

    fn number(&self, field: &'static str) -> Read<Option<f64>> {
        match self.object.get(field) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Number(number)) => Ok(Some(number.as_f64())),
            Some(_) => wrong_type(field, "a number"),
        }
    }

    /// A bucket version, 0 when there is none; digits count as their number.
    fn version(&self, field: &'static str) -> Read<f64> {
        match self.object.get(field) {
            Some(Json::String(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(digits.parse().unwrap_or(0.0))
            }
            _ => Ok(self.number(field)?.unwrap_or(0.0)),
        }
    }

    fn list(&self, field: &'static str) -> Read<Option<&'p [Json<'p>]>> {
        match self.truthy(field) {
            None => Ok(None),
            Some(Json::Array(items)) => Ok(Some(items)),
            Some(_) => wrong_type(field, "a list"),
        }
    }

    pub(crate) fn condition(&mut self) -> Option<Clauses> {
        self.given_condition(self.object.get("condition"))
    }

    /// A condition, unless it is falsy, or an empty list, which asks for nothing as well.
    fn given_condition(&mut self, condition: Option<&Json<'_>>) -> Option<Clauses> {
        let condition = condition.filter(|condition| condition.is_truthy())?;
        if condition.as_array().is_some_and(<[_]>::is_empty) {
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
    ) -> Read<ExperimentDefinition> {
        let key = self.text("key")?.unwrap_or_else(|| default_key.into());
        let mut definition = ExperimentDefinition::underived(key, variations);
        definition.name = self.text("name")?;
        definition.phase = self.text("phase")?;
        definition.seed = self.text("seed")?;
        definition.hash_version = self.hash_version(1);
        definition.hash_attribute = self.hash_attribute("hashAttribute")?;
        definition.fallback_attribute = self.text("fallbackAttribute")?;
        definition.disable_sticky_bucketing = self.truthy("disableStickyBucketing").is_some();
        definition.bucket_version = self.version("bucketVersion")?;
        definition.min_bucket_version = self.version("minBucketVersion")?;
        definition.coverage = self.number("coverage")?;
        definition.weights = self.weights();
        definition.explicit_ranges =
            self.list("ranges")?.map(|ranges| self.ranges("ranges", ranges));
        definition.meta = self.meta()?;
        definition.namespace = self.namespace();
        definition.filters = self.filters()?;
        definition.condition = self.condition();
        definition.derive();
        if definition.hasher.is_none() {
            self.warnings.push(WarningKind::UnknownHashVersion);
        }
        Ok(definition)
    }

    /// The members only an experiment of its own has, not one in a rule.
    pub(crate) fn inline_settings(&mut self, definition: &mut ExperimentDefinition) -> Read<()> {
        definition.parents = self.parents();
        definition.active = !matches!(self.object.get("active"), Some(Json::Bool(false)));
        definition.status = match self.object.get("status").and_then(Json::as_str) {
            Some("draft") => ExperimentStatus::Draft,
            Some("stopped") => ExperimentStatus::Stopped,
            _ => ExperimentStatus::Running,
        };
        if let Some(groups) = self.list("groups")? {
            let names = groups.iter().filter_map(Json::as_str).map(Box::from);
            definition.groups = Some(names.collect());
        }
        if let Some(url) = self.text("url")? {
            definition.legacy_url = LegacyUrl::new(&url, self.patterns, self.warnings);
        }
        definition.force = self.object.get("force").and_then(forced_variation);
        if let Some(patterns) = self.list("urlPatterns")? {
            let targets: Vec<UrlTarget> = patterns.iter().filter_map(url_target).collect();
            let complete = targets.len() == patterns.len();
            let compiled = UrlTargets::new(&targets, self.patterns, |pattern| {
                self.warnings.push(WarningKind::UrlPattern(pattern.into()));
            });
            if !complete {
                return wrong_type("urlPatterns", "a list of objects");
            }
            definition.set_url_patterns(&targets, compiled);
        }
        Ok(())
    }

    /// Falsy means the default; what is no whole number is a version nobody knows.
    fn hash_version(&self, default: i64) -> i64 {
        self.truthy("hashVersion").map_or(default, |version| whole(version).unwrap_or(0))
    }

    /// The name of an attribute to hash; the default one, which most are, is never copied.
    fn hash_attribute(&self, field: &'static str) -> Read<Cow<'static, str>> {
        if let Some(DEFAULT_HASH_ATTRIBUTE) = self.object.get(field).and_then(Json::as_str) {
            return Ok(Cow::Borrowed(DEFAULT_HASH_ATTRIBUTE));
        }
        let name = self.text(field)?;
        Ok(name.map_or(Cow::Borrowed(DEFAULT_HASH_ATTRIBUTE), |name| String::from(name).into()))
    }

    fn weights(&mut self) -> Option<Box<[f64]>> {
        let weights = self.truthy("weights")?;
        let numbers = weights
            .as_array()
            .and_then(|weights| weights.iter().map(Json::as_f64).collect::<Option<_>>());
        if numbers.is_none() {
            let expected = "a list of numbers";
            self.warnings.push(WarningKind::WrongType { field: "weights", expected });
        }
        // No weights at all are of the wrong number, and replaced by equal ones.
        Some(numbers.unwrap_or_default())
    }

    fn ranges(&mut self, field: &'static str, ranges: &[Json<'_>]) -> Box<[BucketRange]> {
        ranges
            .iter()
            .map(|range| match bucket_range(range) {
                Some(range) => range,
                None => {
                    self.warnings
                        .push(WarningKind::WrongType { field, expected: "pairs of numbers" });
                    BucketRange::EMPTY
                }
            })
            .collect()
    }

    fn meta(&self) -> Read<Box<[VariationMeta]>> {
        let Some(meta) = self.list("meta")? else {
            return Ok(Box::default());
        };
        let text = |object: &Object<'_>, field| object.get(field).and_then(text_of);
        Ok(meta
            .iter()
            .map(|item| match item.as_object() {
                Some(object) => VariationMeta {
                    key: text(object, "key"),
                    name: text(object, "name"),
                    passthrough: object.get("passthrough").is_some_and(Json::is_truthy),
                },
                None => VariationMeta::default(),
            })
            .collect())
    }

    /// A namespace that makes no sense has nobody in it.
    fn namespace(&mut self) -> Option<Namespace> {
        let namespace = self.truthy("namespace")?;
        if let Some([Json::String(id), Json::Number(start), Json::Number(end), ..]) =
            namespace.as_array()
        {
            return Some(Namespace::new(id.as_ref(), start.as_f64(), end.as_f64()));
        }
        let expected = "a list of an id and two numbers";
        self.warnings.push(WarningKind::WrongType { field: "namespace", expected });
        Some(Namespace::new("", 0.0, 0.0))
    }

    /// A filter that makes no sense lets nobody pass.
    pub(crate) fn filters(&mut self) -> Read<Option<Box<[Filter]>>> {
        let Some(filters) = self.list("filters")? else {
            return Ok(None);
        };
        let filters = filters.iter().map(|filter| {
            self.filter(filter).unwrap_or_else(|kind| {
                self.warnings.push(kind);
                Filter::nobody()
            })
        });
        Ok(Some(filters.collect()))
    }

    fn filter(&mut self, filter: &Json<'_>) -> Read<Filter> {
        let Some(object) = filter.as_object() else {
            return wrong_type("filters", "a list of objects");
        };
        let mut fields = Reader::new(object, self.links, self.patterns, self.warnings);
        let seed = fields.text("seed")?.unwrap_or_default();
        let Some(ranges) = fields.list("ranges")? else {
            return wrong_type("filters", "a list of objects with ranges");
        };
        let ranges = fields.ranges("ranges", ranges);
        let attribute = fields.hash_attribute("attribute")?;
        let mut filter = Filter::new(seed, ranges).named_attribute(attribute);
        if fields.truthy("hashVersion").is_some() {
            filter = filter.hash_version(fields.hash_version(0));
        }
        if !filter.is_known_version() {
            self.warnings.push(WarningKind::UnknownHashVersion);
        }
        Ok(filter)
    }

    /// The share of users a force rule applies to; `None` for everybody.
    pub(crate) fn rollout(&mut self, feature: &str) -> Read<Option<Box<Rollout>>> {
        let range = match (self.truthy("range"), self.number("coverage")) {
            (Some(range), _) => bucket_range(range).unwrap_or_else(|| {
                // An empty list is how GrowthBook may say "nobody".
                if range.as_array().is_none_or(|bounds| !bounds.is_empty()) {
                    let expected = "a pair of numbers";
                    self.warnings.push(WarningKind::WrongType { field: "range", expected });
                }
                BucketRange::EMPTY
            }),
            (None, coverage) => match coverage? {
                // Every bucket is at least 0, so that this is `bucket < coverage`.
                Some(coverage) => BucketRange { start: 0.0, end: coverage },
                None => return Ok(None),
            },
        };
        let seed = self.text("seed")?;
        let hasher = BucketHasher::new(seed.as_deref().unwrap_or(feature), self.hash_version(1));
        if hasher.is_none() {
            self.warnings.push(WarningKind::UnknownHashVersion);
        }
        let fallback_attribute = match self.truthy("disableStickyBucketing") {
            Some(_) => None,
            None => self.text("fallbackAttribute")?,
        };
        let hash_attribute = self.hash_attribute("hashAttribute")?;
        Ok(Some(Box::new(Rollout { hash_attribute, fallback_attribute, hasher, range })))
    }

    /// The bandit a rule refers to; `None` when it refers to none there is.
    pub(crate) fn bandit_reference(&self) -> Option<Arc<BanditDefinition>> {
        let id = self.truthy("contextualBanditRef")?.as_str()?;
        self.links.bandits?.get(id).cloned()
    }

    /// An entry of `contextualBandits`.
    pub(crate) fn bandit(&mut self) -> BanditDefinition {
        let contexts = self.get("contexts").and_then(Json::as_array).unwrap_or_default();
        BanditDefinition {
            version: self.get("banditVersion").and_then(whole),
            leaves: contexts.iter().map(|context| self.leaf(context)).collect(),
        }
    }

    fn leaf(&mut self, context: &Json<'_>) -> Leaf {
        let field = |name| context.as_object().and_then(|object| object.get(name));
        let weights = field("weights").and_then(Json::as_array);
        let leaf = Leaf {
            condition: self.given_condition(field("condition")),
            id: field("leafId").and_then(whole),
            weights: weights.and_then(|weights| weights.iter().map(Json::as_f64).collect()),
        };
        if leaf.id.is_none() || leaf.weights.is_none() {
            let expected = "a list of objects with leafId and weights";
            self.warnings.push(WarningKind::WrongType { field: "contexts", expected });
        }
        leaf
    }

    /// Prerequisites. One that makes no sense is never met; where nobody can tell whether it was
    /// a gate, it is taken for one.
    pub(crate) fn parents(&mut self) -> Box<[ParentCondition]> {
        match self.list("parentConditions") {
            Ok(parents) => {
                let parents = parents.unwrap_or_default();
                parents.iter().map(|parent| self.parent(parent)).collect()
            }
            Err(kind) => {
                self.warnings.push(kind);
                [ParentCondition::unreadable(true)].into()
            }
        }
    }

    fn parent(&mut self, parent: &Json<'_>) -> ParentCondition {
        let field = "parentConditions";
        let Some(object) = parent.as_object() else {
            self.warnings.push(WarningKind::WrongType { field, expected: "a list of objects" });
            return ParentCondition::unreadable(true);
        };
        let feature = match object.get("id").and_then(Json::as_str) {
            Some(id) => {
                let mut feature = ParentFeature::Named(id.into());
                if let Some(features) = self.links.features {
                    feature.link(features);
                }
                feature
            }
            None => {
                let expected = "a list of objects with an id";
                self.warnings.push(WarningKind::WrongType { field, expected });
                ParentFeature::Unknown
            }
        };
        ParentCondition {
            feature,
            condition: self.given_condition(object.get("condition")),
            gate: object.get("gate").is_some_and(Json::is_truthy),
        }
    }
}

/// A forced variation's index: null is none, and what is no whole number is no variation.
pub(crate) fn forced_variation(json: &Json<'_>) -> Option<i64> {
    match json {
        Json::Null => None,
        json => Some(whole(json).unwrap_or(-1)),
    }
}

fn whole(json: &Json<'_>) -> Option<i64> {
    let number = json.as_f64()?;
    // The cast saturates; what it changes was no whole number in range.
    let whole = number as i64;
    (whole as f64 == number).then_some(whole)
}

/// Text that is not empty; a number's text for a number.
pub(crate) fn text_of(json: &Json<'_>) -> Option<Box<str>> {
    match json {
        Json::String(text) if !text.is_empty() => Some((&**text).into()),
        Json::Number(number) => {
            Some(js_number_string(number.as_f64(), |text| text.to_string().into()))
        }
        _ => None,
    }
}

fn bucket_range(json: &Json<'_>) -> Option<BucketRange> {
    match json.as_array()? {
        [Json::Number(start), Json::Number(end), ..] => {
            Some(BucketRange { start: start.as_f64(), end: end.as_f64() })
        }
        _ => None,
    }
}

/// `None` for what is no URL pattern.
fn url_target(json: &Json<'_>) -> Option<UrlTarget> {
    let object = json.as_object()?;
    let pattern = object.get("pattern").and_then(Json::as_str);
    let kind = match (object.get("type").and_then(Json::as_str), pattern) {
        (Some("simple"), Some(_)) => UrlTargetType::Simple,
        (Some("regex"), Some(_)) => UrlTargetType::Regex,
        _ => UrlTargetType::Unknown,
    };
    let pattern = pattern.unwrap_or_default().into();
    let include = !matches!(object.get("include"), Some(Json::Bool(false)));
    Some(UrlTarget { kind, pattern, include })
}
