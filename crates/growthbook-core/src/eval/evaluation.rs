//! One evaluation in progress: its observer, its sticky bucket documents and its budgets.

use serde_json::Value;

use super::answer::{Answer, Last};
use super::evaluator::Evaluator;
use crate::budget::{Budget, SHORT_TEXT};
use crate::condition::{self, Clauses, Fields};
use crate::experiment::{Experiment, ExperimentDefinition};
use crate::feature_index::FeatureIndex;
use crate::feature_key::FeatureKey;
use crate::hash_value::HashValue;
use crate::limits::MAX_PREREQUISITE_DEPTH;
use crate::observe::{Exposure, Observer};
use crate::result::{Assignment, ExperimentResult, FeatureResult};
use crate::sticky::StickyBuckets;

/// One evaluation in progress.
pub(super) struct Evaluation<'a, 'o, O> {
    pub(super) evaluator: &'o Evaluator<'a>,
    pub(super) observer: &'o mut O,
    /// The user's documents. `None` without sticky bucketing.
    pub(super) sticky: Option<&'o mut StickyBuckets>,
    pub(super) feature_evaluations: u32,
    pub(super) budget: Budget,
    /// The budget of describing conditions that failed, for observers that trace.
    pub(super) descriptions: Budget,
    pub(super) last: Last<'a>,
}

/// A feature under evaluation, with those that it is a prerequisite of. A cycle is found by
/// looking for a feature among them.
pub(super) struct Frame<'f> {
    pub(super) feature: FeatureIndex,
    outer: Option<&'f Frame<'f>>,
    depth: u32,
}

impl<'f> Frame<'f> {
    /// Returns the frame of a feature; `None` in a cycle, or beyond the depth limit.
    pub(super) fn enter(feature: FeatureIndex, outer: Option<&'f Frame<'f>>) -> Option<Self> {
        let depth = outer.map_or(0, |frame| frame.depth + 1);
        let mut frame = outer;
        while let Some(entered) = frame {
            if entered.feature == feature {
                return None;
            }
            frame = entered.outer;
        }
        (depth <= MAX_PREREQUISITE_DEPTH).then_some(Frame { feature, outer, depth })
    }
}

impl<'a, 'o, O: Observer> Evaluation<'a, 'o, O> {
    #[inline]
    pub(super) fn new(
        evaluator: &'o Evaluator<'a>,
        observer: &'o mut O,
        sticky: Option<&'o mut StickyBuckets>,
    ) -> Self {
        Evaluation {
            evaluator,
            observer,
            sticky,
            feature_evaluations: 0,
            budget: Budget::default(),
            descriptions: Budget::default(),
            last: Last::default(),
        }
    }

    /// Evaluates a feature and returns its value and source.
    #[inline]
    pub(super) fn answer(&mut self, key: &str, handle: Option<&FeatureKey>) -> Answer<'a> {
        self.feature_by_key(key, handle, None)
    }

    /// Evaluates a feature and returns the whole result.
    #[inline]
    pub(super) fn result(&mut self, key: &str, handle: Option<&FeatureKey>) -> FeatureResult<'a> {
        let answer = self.answer(key, handle);
        self.last.result(answer)
    }

    /// Runs an inline experiment.
    pub(super) fn inline<T>(&mut self, experiment: &'a Experiment<T>) -> ExperimentResult<'a, T> {
        let definition = experiment.definition();
        let assignment = self.assign(definition, None, None).assignment();
        let value = experiment.value(assignment.variation_id);
        self.report(definition, &assignment, None);
        ExperimentResult { value, assignment }
    }

    /// Notifies the observer of a result, and of an exposure when hashing assigned the user.
    pub(super) fn report(
        &mut self,
        experiment: &ExperimentDefinition,
        result: &Assignment<'_>,
        value: Option<&Value>,
    ) {
        let exposure = Exposure { experiment, result, value };
        if self.observer.wants_results() {
            self.observer.experiment_ran(&exposure);
        }
        if exposure.is_by_hash() {
            self.observer.experiment_viewed(&exposure);
        }
    }

    /// Restores the limits, for the next of several evaluations.
    pub(super) fn reset_limits(&mut self) {
        self.feature_evaluations = 0;
        self.budget = Budget::default();
    }

    /// Whether the user passes a condition.
    pub(super) fn passes(&self, clauses: &Clauses) -> bool {
        self.passes_with(clauses, &Fields::Attributes(&self.evaluator.attributes))
    }

    /// Whether these fields pass a condition.
    pub(super) fn passes_with(&self, clauses: &Clauses, fields: &Fields<'_>) -> bool {
        let groups = &self.evaluator.snapshot.saved_groups;
        condition::passes(clauses, fields, groups, &self.budget)
    }

    /// Whether the budget allows hashing the value once more. A usual value is free.
    #[inline]
    pub(super) fn can_hash(&self, value: &HashValue<'_>) -> bool {
        match value {
            HashValue::String(text) if text.len() > SHORT_TEXT => self.budget.take_text(text.len()),
            _ => true,
        }
    }
}
