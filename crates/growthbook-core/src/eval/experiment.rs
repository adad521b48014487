//! Experiments: decides whether a user takes part, and in which variation. The numbers are the
//! steps of `runExperiment` in the JavaScript SDK.

use super::evaluation::Evaluation;
use super::feature::Prerequisites;
use super::sticky::Kept;
use crate::bandit::Choice;
use crate::bucket::Ranges;
use crate::exclusion::Exclusion;
use crate::experiment::{Division, ExperimentDefinition, ExperimentStatus, Overridden, Settings};
use crate::hash_value::HashValue;
use crate::observe::Observer;
use crate::result::Assignment;
use crate::url::PageUrl;
use crate::user::Overrides;

/// An attribute that is hashed, with the user's value.
#[derive(Clone, Copy)]
pub(super) struct HashedAttribute<'a> {
    pub(super) name: &'a str,
    pub(super) value: HashValue<'a>,
}

/// The decision of an experiment for a user.
#[derive(Clone, Copy)]
pub(super) struct Assigned<'a> {
    pub(super) experiment: &'a ExperimentDefinition,
    feature_id: Option<&'a str>,
    pub(super) variation: usize,
    pub(super) exclusion: Option<Exclusion>,
    bucket: Option<f64>,
    sticky_bucket_used: bool,
    hash_attribute: HashedAttribute<'a>,
}

impl<'a> Assigned<'a> {
    #[inline]
    pub(super) fn is_in_experiment(&self) -> bool {
        self.exclusion.is_none()
    }

    /// Whether the user takes part because of their hash.
    #[inline]
    pub(super) fn is_exposure(&self) -> bool {
        self.is_in_experiment() && self.bucket.is_some()
    }

    /// Whether the variation lets the feature's next rules decide.
    #[inline]
    pub(super) fn is_passthrough(&self) -> bool {
        let meta = self.experiment.meta.get(self.variation);
        meta.is_some_and(|meta| meta.passthrough)
    }

    /// Returns the public form.
    pub(super) fn assignment(&self) -> Assignment<'a> {
        let meta = self.experiment.meta.get(self.variation);
        Assignment {
            key: self.experiment.variation_key(self.variation),
            name: meta.and_then(|meta| meta.name.as_deref()),
            feature_id: self.feature_id,
            in_experiment: self.is_in_experiment(),
            exclusion: self.exclusion,
            hash_used: self.bucket.is_some(),
            variation_id: self.variation,
            hash_attribute: self.hash_attribute.name,
            hash_value: self.hash_attribute.value,
            bucket: self.bucket,
            passthrough: self.is_passthrough(),
            sticky_bucket_used: self.sticky_bucket_used,
            contextual_bandit: None,
        }
    }
}

/// How a user's variation is decided.
enum Decision {
    /// The user does not take part.
    Excluded(Exclusion),
    /// By a query string, a forced variation, or the experiment's own `force`. A user does not take
    /// part when the experiment has no such index.
    Forced(i64),
    /// By the user's hash, now or when the user was first assigned.
    Hashed { variation: usize, bucket: f64, sticky: bool },
}

impl<'a, O: Observer> Evaluation<'a, '_, O> {
    /// Assigns the user a variation, with the ranges that a bandit chose in place of the
    /// experiment's.
    pub(super) fn assign(
        &mut self,
        experiment: &'a ExperimentDefinition,
        choice: Option<Choice<'a>>,
        feature_id: Option<&'a str>,
    ) -> &Assigned<'a> {
        // Two variables, since a struct would be copied once more here. That is measurable.
        let mut name = &*experiment.hash_attribute;
        let mut value = self.evaluator.hash_value_of(&experiment.hash_attribute);
        if let (HashValue::Missing, Some(fallback)) =
            (&value, &experiment.sticky().fallback_attribute)
            && self.is_sticky(experiment)
            && let Some(found) = self.evaluator.hash_fallback(fallback)
        {
            (name, value) = found;
        }

        let decision = match self.evaluator.overridden(experiment) {
            Some(overridden) => self.decide_overridden(&overridden, &value),
            None => {
                let listed = Ranges::Listed(experiment.ranges());
                let chosen = choice.as_ref().and_then(|choice| choice.ranges.as_ref());
                self.decide(experiment, chosen.unwrap_or(&listed), &value)
            }
        };

        let mut sticky_bucket_used = false;
        let (variation, bucket, exclusion) = match decision {
            Decision::Excluded(exclusion) => {
                sticky_bucket_used = exclusion == Exclusion::BlockedBucketVersion;
                (0, None, Some(exclusion))
            }
            Decision::Forced(index) => match usize::try_from(index) {
                Ok(index) if index < experiment.variations => (index, None, None),
                _ => (0, None, Some(Exclusion::NoSuchVariation)),
            },
            Decision::Hashed { variation, bucket, sticky } => {
                sticky_bucket_used = sticky;
                if variation < experiment.variations {
                    (variation, Some(bucket), None)
                } else {
                    // There can be more ranges or names than variations.
                    (0, Some(bucket), Some(Exclusion::NoSuchVariation))
                }
            }
        };
        if exclusion.is_none() && bucket.is_some() && self.is_sticky(experiment) {
            let key = experiment.variation_key(variation);
            self.keep_assignment(experiment, HashedAttribute { name, value }, key);
        }
        let assigned = Assigned {
            experiment,
            feature_id,
            variation,
            exclusion,
            bucket,
            sticky_bucket_used,
            hash_attribute: HashedAttribute { name, value },
        };
        self.last.ran(assigned, choice)
    }

    /// Decides with an override. This is out of line, since it is rare.
    #[inline(never)]
    fn decide_overridden(
        &mut self,
        experiment: &Overridden<'_>,
        hash_value: &HashValue<'a>,
    ) -> Decision {
        self.decide(experiment, &Ranges::Listed(&experiment.ranges()), hash_value)
    }

    #[inline]
    fn decide(
        &mut self,
        settings: &impl Settings,
        ranges: &Ranges<'_>,
        hash_value: &HashValue<'a>,
    ) -> Decision {
        let evaluator = self.evaluator;
        let experiment = settings.definition();
        let excluded = Decision::Excluded;
        // 1. Fewer than two variations
        if experiment.variations < 2 {
            return excluded(Exclusion::TooFewVariations);
        }
        // 2. Disabled
        if evaluator.is_set(|overrides| !overrides.enabled) {
            return excluded(Exclusion::Disabled);
        }
        // 2.6 URL targeting
        let url = evaluator.setting(|overrides| overrides.url.as_ref());
        let url_patterns = experiment.own().url_patterns.as_ref();
        if url_patterns.is_some_and(|patterns| !patterns.matches(url, &self.budget)) {
            return excluded(Exclusion::Url);
        }
        // 3. and 4. Forced by the query string, or in code
        if let Some(index) = self.forced_variation(experiment, url) {
            return Decision::Forced(index);
        }
        // 5. A draft, or inactive
        if settings.status() == ExperimentStatus::Draft || !settings.is_active() {
            return excluded(Exclusion::Inactive);
        }
        // 6. Nothing to hash
        if matches!(hash_value, HashValue::Missing) {
            return excluded(Exclusion::MissingHashAttribute);
        }
        if !self.can_hash(hash_value) {
            return excluded(Exclusion::TooManySteps);
        }
        // 7. and 8. Not targeted. A sticky assignment is kept nevertheless
        let kept = self.kept_assignment(experiment);
        let is_kept = matches!(kept, Kept::Variation(_));
        if !is_kept && let Err(exclusion) = self.is_targeted(settings, hash_value) {
            return excluded(exclusion);
        }
        // 8.2 The legacy expression for the URL
        if settings.legacy_url().is_some_and(|legacy| !legacy.matches(url, &self.budget)) {
            return excluded(Exclusion::Url);
        }
        // 9. The bucket. An unknown hash version has none
        let Some(bucket) = experiment.bucket(hash_value) else {
            return excluded(Exclusion::UnknownHashVersion);
        };
        // 9.5 and 10. Blocked by an old assignment, or in a bucket without a variation
        let variation = match kept {
            Kept::Variation(variation) => variation,
            Kept::Blocked => return excluded(Exclusion::BlockedBucketVersion),
            Kept::Nothing => match ranges.choose(bucket) {
                Some(variation) => variation,
                None => return excluded(Exclusion::NotCovered),
            },
        };
        // 11. Forced by the experiment itself
        if let Some(index) = settings.force() {
            return Decision::Forced(index);
        }
        // 12. QA mode, and users who skip experiments
        if evaluator.is_set(|overrides| overrides.qa_mode || overrides.skip_all_experiments) {
            return excluded(Exclusion::QaMode);
        }
        // 12.5 Stopped
        if settings.status() == ExperimentStatus::Stopped {
            return excluded(Exclusion::Inactive);
        }
        Decision::Hashed { variation, bucket, sticky: is_kept }
    }

    fn forced_variation(
        &self,
        experiment: &ExperimentDefinition,
        url: Option<&PageUrl>,
    ) -> Option<i64> {
        let in_query = |url: &PageUrl| url.query_override(experiment.key(), experiment.variations);
        if let Some(index) = url.and_then(in_query) {
            return i64::try_from(index).ok();
        }
        let forced = |overrides: &'a Overrides| overrides.forced_variations.get(experiment.key());
        self.evaluator.setting(forced).copied()
    }

    /// 7. Filters, else the namespace; 8. the condition; 8.05 prerequisites; 8.1 legacy groups
    #[inline(always)]
    fn is_targeted(
        &mut self,
        settings: &impl Settings,
        hash_value: &HashValue<'a>,
    ) -> Result<(), Exclusion> {
        match &settings.definition().division {
            Division::Filters(filters) if !self.passes_filters(filters) => {
                return Err(Exclusion::FilteredOut);
            }
            Division::Namespace(_)
                if settings.namespace().is_some_and(|it| !it.contains(hash_value)) =>
            {
                return Err(Exclusion::NotInNamespace);
            }
            _ => {}
        }
        if settings.condition().is_some_and(|it| !self.passes(it)) {
            return Err(Exclusion::ConditionFailed);
        }
        let parents = &settings.definition().own().parents;
        if !parents.is_empty() && !matches!(self.prerequisites(parents, None), Prerequisites::Met) {
            return Err(Exclusion::PrerequisiteFailed);
        }
        match settings.groups() {
            Some(groups) if !self.evaluator.is_in_some_group(groups) => Err(Exclusion::NotInGroup),
            _ => Ok(()),
        }
    }
}
