//! The settings of an experiment in effect: its own, or with an override in their place. Evaluation is
//! compiled for both, so that experiments without an override do not look for one.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use super::allocation::Allocation;
use super::definition::{ExperimentDefinition, ExperimentStatus};
use super::division::Division;
use super::legacy_url::LegacyUrl;
use super::overrides::ExperimentOverride;
use crate::bucket::{BucketRange, Namespace, effective_weights, share_ranges};
use crate::condition::Clauses;

/// The settings that an override may replace.
pub(crate) trait Settings {
    /// Returns the definition, for all other settings.
    fn definition(&self) -> &ExperimentDefinition;
    fn condition(&self) -> Option<&Clauses>;
    fn namespace(&self) -> Option<&Namespace>;
    fn legacy_url(&self) -> Option<&LegacyUrl>;
    fn groups(&self) -> Option<&[Box<str>]>;
    fn force(&self) -> Option<i64>;
    fn status(&self) -> ExperimentStatus;
    fn is_active(&self) -> bool;
}

impl Settings for ExperimentDefinition {
    #[inline(always)]
    fn definition(&self) -> &ExperimentDefinition {
        self
    }

    #[inline(always)]
    fn condition(&self) -> Option<&Clauses> {
        self.condition.as_ref()
    }

    #[inline(always)]
    fn namespace(&self) -> Option<&Namespace> {
        match &self.division {
            Division::Namespace(namespace) => namespace.as_deref(),
            Division::Filters(_) | Division::RuleFilters => None,
        }
    }

    #[inline(always)]
    fn legacy_url(&self) -> Option<&LegacyUrl> {
        self.own().legacy_url.as_ref()
    }

    #[inline(always)]
    fn groups(&self) -> Option<&[Box<str>]> {
        self.own().groups.as_deref()
    }

    #[inline(always)]
    fn force(&self) -> Option<i64> {
        self.own().force
    }

    #[inline(always)]
    fn status(&self) -> ExperimentStatus {
        self.own().status
    }

    #[inline(always)]
    fn is_active(&self) -> bool {
        self.own().active
    }
}

/// An experiment with its override.
pub(crate) struct Overridden<'e> {
    pub(crate) definition: &'e ExperimentDefinition,
    pub(crate) by: &'e ExperimentOverride,
}

impl Overridden<'_> {
    /// Returns the ranges. Weights and coverage of the override do not replace explicit ranges.
    pub(crate) fn ranges(&self) -> Cow<'_, [BucketRange]> {
        let ExperimentOverride { weights: new_weights, coverage: new_coverage, .. } = self.by;
        match &self.definition.allocation {
            Allocation::Shares { weights, coverage }
                if new_weights.is_some() || new_coverage.is_some() =>
            {
                let weights = new_weights.as_ref().unwrap_or(weights);
                let weights = effective_weights(self.definition.variations, Some(weights));
                share_ranges(&weights, new_coverage.unwrap_or(*coverage)).collect()
            }
            _ => Cow::Borrowed(self.definition.ranges()),
        }
    }
}

impl Settings for Overridden<'_> {
    fn definition(&self) -> &ExperimentDefinition {
        self.definition
    }

    fn condition(&self) -> Option<&Clauses> {
        self.by.condition.as_ref().or(self.definition.condition())
    }

    fn namespace(&self) -> Option<&Namespace> {
        // Filters replace the namespace, also one of the override.
        let by = self.by.namespace.as_ref();
        by.filter(|_| matches!(self.definition.division, Division::Namespace(_)))
            .or(self.definition.namespace())
    }

    fn legacy_url(&self) -> Option<&LegacyUrl> {
        self.by.url.as_ref().or(self.definition.legacy_url())
    }

    fn groups(&self) -> Option<&[Box<str>]> {
        self.by.groups.as_deref().or(self.definition.groups())
    }

    fn force(&self) -> Option<i64> {
        self.by.force.or(self.definition.force())
    }

    fn status(&self) -> ExperimentStatus {
        self.by.status.unwrap_or(self.definition.status())
    }

    fn is_active(&self) -> bool {
        self.by.active.unwrap_or(self.definition.is_active())
    }
}
