//! The reader of definitions. It reads experiments and their parts from JSON.
//!
//! A member of the wrong type disables the part that it belongs to, and the error names the member.
//! Unusable weights become equal weights.

use alloc::{borrow::Cow, boxed::Box, sync::Arc, vec::Vec};

use smol_str::SmolStr;

use super::allocation::Allocation;
use super::definition::{ExperimentDefinition, ExperimentStatus, VariationMeta};
use super::division::Division;
use super::filter::Filter;
use super::hash_attribute::HashAttribute;
use super::interner::{Interner, shared};
use super::legacy_url::LegacyUrl;
use super::prerequisite::{ParentCondition, ParentFeature};
use super::sticky::StickySettings;
use crate::bucket::{BucketRange, Namespace};
use crate::condition::{Clauses, ConditionParser, GroupLinker};
use crate::feature_index::FeatureIndex;
use crate::json::Json;
use crate::pattern::PatternCompiler;
use crate::url::{UrlTarget, UrlTargetType, UrlTargets};
use crate::value::FeatureValue;
use crate::warning::WarningKind;
use crate::wire::{
    ExperimentWire, FilterWire, Member, NAMESPACE, ParentConditionWire, Read, RuleWire,
    UrlPatternWire, VariationMetaWire, bucket_range, numbers, text, whole_number,
};

/// Reads definitions. In a payload it links them to features and groups, and shares lists.
pub(crate) struct DefinitionReader<'c> {
    /// Links features by key. Without it, evaluation looks them up by key.
    pub(crate) link_feature: Option<&'c dyn Fn(&str) -> FeatureIndex>,
    /// Links saved groups by id, in the same way.
    pub(crate) link_group: Option<GroupLinker<'c>>,
    pub(crate) interner: Option<&'c Interner>,
    pub(crate) patterns: &'c PatternCompiler,
    pub(crate) warnings: &'c mut Vec<WarningKind>,
}

impl<'c> DefinitionReader<'c> {
    /// Makes a reader of definitions outside of a payload.
    pub(crate) fn new(patterns: &'c PatternCompiler, warnings: &'c mut Vec<WarningKind>) -> Self {
        DefinitionReader {
            link_feature: None,
            link_group: None,
            interner: None,
            patterns,
            warnings,
        }
    }

    pub(crate) fn warn(&mut self, member: Member<'_>, expected: &'static str) {
        self.warnings.push(member.wrong_type(expected));
    }

    /// Reads the experiment of a rule. Evaluation checks the rule's filters before the experiment.
    pub(crate) fn rule_experiment(
        &mut self,
        rule: &RuleWire<'_>,
        default_key: &str,
        variations: usize,
        has_filters: bool,
    ) -> Read<ExperimentDefinition> {
        self.experiment(rule, default_key, variations, |_, namespace| {
            Ok(if has_filters { Division::RuleFilters } else { Division::Namespace(namespace) })
        })
    }

    /// Reads an experiment of its own.
    pub(crate) fn own_experiment(
        &mut self,
        wire: &ExperimentWire<'_>,
        default_key: &str,
        variations: usize,
    ) -> Read<ExperimentDefinition> {
        let rule = &wire.rule;
        let mut definition =
            self.experiment(rule, default_key, variations, |reader, namespace| {
                Ok(match reader.filters(rule.filters)? {
                    Some(filters) => Division::Filters(filters),
                    None => Division::Namespace(namespace),
                })
            })?;
        self.own_settings(wire, &mut definition)?;
        Ok(definition)
    }

    fn experiment(
        &mut self,
        wire: &RuleWire<'_>,
        default_key: &str,
        variations: usize,
        division: impl FnOnce(&mut Self, Option<Box<Namespace>>) -> Read<Division>,
    ) -> Read<ExperimentDefinition> {
        let key = wire.key.text()?;
        let name = wire.name.text()?.map(SmolStr::from);
        let phase = wire.phase.text()?.map(SmolStr::from);
        let seed = wire.seed.text()?.map(SmolStr::from);
        let hash_attribute = self.hash_attribute(wire.hash_attribute)?;
        let fallback_attribute = wire.fallback_attribute.text()?.map(Box::from);
        let bucket_version = wire.bucket_version.version()?;
        let sticky = StickySettings {
            fallback_attribute,
            disabled: wire.disable_sticky_bucketing.is_truthy(),
            bucket_version,
            min_bucket_version: wire.min_bucket_version.version()?,
        };
        let coverage = wire.coverage.number()?.unwrap_or(1.0);
        let weights = self.weights(wire).unwrap_or_default();
        let ranges = wire.ranges.list()?.map(|ranges| self.shared_ranges(wire.ranges, ranges));
        let meta = self.meta(wire)?;
        let namespace = self.namespace(wire).map(Box::new);
        let division = division(self, namespace)?;
        let condition = self.condition(wire.condition);

        let key = key.as_deref().unwrap_or(default_key);
        let definition = ExperimentDefinition::build(key, variations, self.interner, |it| {
            it.name = name;
            it.phase = phase;
            it.seed = seed;
            it.hash_version = hash_version(wire.hash_version, 1);
            it.hash_attribute = hash_attribute;
            it.set_sticky(sticky);
            it.allocation = Allocation::Shares { weights, coverage };
            if let Some(ranges) = ranges {
                it.set_ranges(ranges);
            }
            it.meta = meta;
            it.division = division;
            it.condition = condition;
        });
        if !definition.has_known_hash_version() {
            self.warnings.push(WarningKind::UnknownHashVersion);
        }
        Ok(definition)
    }

    /// Reads the members that only an experiment of its own has.
    fn own_settings(
        &mut self,
        wire: &ExperimentWire<'_>,
        definition: &mut ExperimentDefinition,
    ) -> Read<()> {
        let own = definition.own_mut();
        own.parents = self.parents(wire.rule.parent_conditions).into();
        own.active = !matches!(wire.active.get(), Some(Json::Bool(false)));
        own.status = match wire.status.as_str() {
            Some("draft") => ExperimentStatus::Draft,
            Some("stopped") => ExperimentStatus::Stopped,
            _ => ExperimentStatus::Running,
        };
        if let Some(groups) = wire.groups.list()? {
            own.groups = Some(groups.iter().filter_map(Json::as_str).map(Box::from).collect());
        }
        if let Some(url) = wire.url.text()? {
            own.legacy_url = LegacyUrl::new(&url, self.patterns, self.warnings);
        }
        own.force = wire.rule.force.get().and_then(forced_variation);
        if let Some(patterns) = wire.url_patterns.list()? {
            let targets: Vec<UrlTarget> = patterns.iter().filter_map(url_target).collect();
            let compiled = UrlTargets::new(&targets, self.patterns, |warning| {
                self.warnings.push(warning);
            });
            if targets.len() != patterns.len() {
                return Err(wire.url_patterns.wrong_type("a list of objects"));
            }
            definition.set_url_patterns(&targets, compiled);
        }
        Ok(())
    }

    /// Reads the name of a hash attribute. Returns the default one if it is missing.
    pub(crate) fn hash_attribute(&self, member: Member<'_>) -> Read<HashAttribute> {
        Ok(member.text()?.as_deref().map(HashAttribute::from).unwrap_or_default())
    }

    /// Reads the weights. Malformed weights become an empty list, which is unusable.
    pub(super) fn weights(&mut self, wire: &RuleWire<'_>) -> Option<Arc<[f64]>> {
        let weights = wire.weights.truthy()?.as_array().and_then(numbers);
        if weights.is_none() {
            self.warn(wire.weights, "a list of numbers");
        }
        let pool = self.interner.map(|interner| &interner.weights);
        Some(shared(pool, weights.unwrap_or_default().into()))
    }

    fn ranges(&mut self, member: Member<'_>, ranges: &[Json<'_>]) -> Vec<BucketRange> {
        let read = |range| {
            bucket_range(range).unwrap_or_else(|| {
                self.warn(member, "pairs of numbers");
                BucketRange::EMPTY
            })
        };
        ranges.iter().map(read).collect()
    }

    fn shared_ranges(&mut self, member: Member<'_>, ranges: &[Json<'_>]) -> Arc<[BucketRange]> {
        let ranges = self.ranges(member, ranges);
        shared(self.interner.map(|interner| &interner.ranges), ranges)
    }

    fn meta(&self, wire: &RuleWire<'_>) -> Read<Arc<[VariationMeta]>> {
        let Some(items) = wire.meta.list()? else {
            return Ok(Arc::default());
        };
        let metas = items.iter().map(variation_meta).collect();
        Ok(shared(self.interner.map(|interner| &interner.metas), metas))
    }

    /// Reads the values of variations. Lists of null, true and false are shared.
    pub(crate) fn values(&self, variations: &[Json<'_>]) -> Arc<[FeatureValue]> {
        let values: Vec<FeatureValue> = variations.iter().map(FeatureValue::from).collect();
        let are_constant = values.iter().all(FeatureValue::is_constant);
        let interner = self.interner.filter(|_| are_constant);
        shared(interner.map(|interner| &interner.constants), values)
    }

    /// Reads the namespace. A malformed namespace does not include any user.
    pub(super) fn namespace(&mut self, wire: &RuleWire<'_>) -> Option<Namespace> {
        let namespace = wire.namespace.truthy()?;
        if let Some(parts) = namespace.as_array() {
            let mut parts = parts.iter();
            if let (Some(Json::String(id)), Some(Json::Number(start)), Some(Json::Number(end))) =
                (parts.next(), parts.next(), parts.next())
            {
                return Some(Namespace::new(&**id, start.as_f64(), end.as_f64()));
            }
        }
        self.warn(wire.namespace, NAMESPACE);
        Some(Namespace::new("", 0.0, 0.0))
    }

    /// Reads the filters. No user passes a malformed filter.
    pub(crate) fn filters(&mut self, member: Member<'_>) -> Read<Option<Box<[Filter]>>> {
        let Some(filters) = member.list()? else {
            return Ok(None);
        };
        let read = |filter| {
            self.filter(member, filter).unwrap_or_else(|kind| {
                self.warnings.push(kind);
                Filter::unreadable()
            })
        };
        Ok(Some(filters.iter().map(read).collect()))
    }

    fn filter(&mut self, filters: Member<'_>, filter: &Json<'_>) -> Read<Filter> {
        let Some(object) = filter.as_object() else {
            return Err(filters.wrong_type("a list of objects"));
        };
        let wire = FilterWire::of(object);
        let seed = wire.seed.text()?.unwrap_or_default();
        let Some(ranges) = wire.ranges.list()? else {
            return Err(filters.wrong_type("a list of objects with ranges"));
        };
        let ranges = self.ranges(wire.ranges, ranges);
        let attribute = self.hash_attribute(wire.attribute)?;
        let mut filter = Filter::new(seed, ranges).named_attribute(attribute);
        if wire.hash_version.is_truthy() {
            filter = filter.hash_version(hash_version(wire.hash_version, 0));
        }
        if !filter.is_known_version() {
            self.warnings.push(WarningKind::UnknownHashVersion);
        }
        Ok(filter)
    }

    /// Reads a condition. A falsy value and an empty list mean that there is no condition.
    pub(crate) fn condition(&mut self, member: Member<'_>) -> Option<Clauses> {
        let condition = member.truthy()?;
        if condition.as_array().is_some_and(<[_]>::is_empty) {
            return None;
        }
        let mut parser = ConditionParser::new(self.link_group, self.patterns, self.warnings);
        Some(parser.condition(condition))
    }

    /// Reads prerequisites. A malformed one is never met. It counts as a gate, unless its `gate`
    /// member can be read.
    pub(crate) fn parents(&mut self, member: Member<'_>) -> Box<[ParentCondition]> {
        match member.list() {
            Ok(parents) => {
                let parents = parents.unwrap_or_default().iter();
                parents.map(|parent| self.parent(member, parent)).collect()
            }
            Err(kind) => {
                self.warnings.push(kind);
                [ParentCondition::unreadable(true)].into()
            }
        }
    }

    fn parent(&mut self, parents: Member<'_>, parent: &Json<'_>) -> ParentCondition {
        let Some(object) = parent.as_object() else {
            self.warn(parents, "a list of objects");
            return ParentCondition::unreadable(true);
        };
        let wire = ParentConditionWire::of(object);
        let feature = match wire.id.as_str() {
            Some(id) => match self.link_feature {
                Some(link) => ParentFeature::Linked(link(id)),
                None => ParentFeature::Named(id.into()),
            },
            None => {
                self.warn(parents, "a list of objects with an id");
                ParentFeature::Unknown
            }
        };
        ParentCondition {
            feature,
            value: self.condition(wire.condition).into(),
            gate: wire.gate.is_truthy(),
        }
    }
}

/// Reads the version of a hash. A falsy value means the default. A value that is not a whole number
/// is an unknown version.
pub(crate) fn hash_version(member: Member<'_>, default: i64) -> i64 {
    member.truthy().map_or(default, |version| whole_number(version).unwrap_or(0))
}

/// Reads the index of a forced variation. A value that is not a whole number becomes -1, which is
/// not a variation.
fn forced_variation(value: &Json<'_>) -> Option<i64> {
    match value {
        Json::Null => None,
        value => Some(whole_number(value).unwrap_or(-1)),
    }
}

fn variation_meta(meta: &Json<'_>) -> VariationMeta {
    let wire = VariationMetaWire::of_value(meta);
    let own =
        |member: Member<'_>| member.get().and_then(text).map(|text: Cow<'_, str>| text.into());
    VariationMeta {
        key: own(wire.key),
        name: own(wire.name),
        passthrough: wire.passthrough.is_truthy(),
    }
}

/// Reads a URL pattern. `None` for a value that is not an object.
fn url_target(target: &Json<'_>) -> Option<UrlTarget> {
    let wire = UrlPatternWire::of(target.as_object()?);
    let pattern = wire.pattern.as_str();
    let kind = match (wire.kind.as_str(), pattern) {
        (Some("simple"), Some(_)) => UrlTargetType::Simple,
        (Some("regex"), Some(_)) => UrlTargetType::Regex,
        _ => UrlTargetType::Unknown,
    };
    let include = !matches!(wire.include.get(), Some(Json::Bool(false)));
    Some(UrlTarget { kind, pattern: pattern.unwrap_or_default().into(), include })
}
