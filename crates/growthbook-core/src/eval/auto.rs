//! Auto experiments for one user on one page.

use alloc::vec::Vec;

use serde_json::Value;

use super::evaluation::Evaluation;
use super::evaluator::Evaluator;
use crate::auto::{
    AutoExperiment, AutoExperimentChange, AutoExperimentOptions, AutoExperimentResult, ChangeType,
    redirect_of,
};
use crate::budget::Budget;
use crate::observe::Observer;
use crate::result::ExperimentResult;
use crate::url::{PageUrl, may_redirect, merge_query_strings};

impl<'a> Evaluator<'a> {
    /// Runs the payload's auto experiments on the user's URL, in their order. Returns those the
    /// user takes part in, up to and including the first that redirects.
    pub fn run_auto_experiments(
        &self,
        options: &AutoExperimentOptions,
    ) -> Vec<AutoExperimentResult<'a>> {
        Evaluation::new(self, &mut (), None).auto_experiments(options)
    }

    fn page_url(&self) -> Option<&'a PageUrl> {
        self.setting(|overrides| overrides.url.as_ref())
    }
}

impl<'a, O: Observer> Evaluation<'a, '_, O> {
    pub(super) fn auto_experiments(
        &mut self,
        options: &AutoExperimentOptions,
    ) -> Vec<AutoExperimentResult<'a>> {
        let page = self.evaluator.page_url();
        let url = page.map_or("", PageUrl::as_str);
        let mut results = Vec::new();
        for experiment in self.evaluator.snapshot.auto_experiments() {
            if !options.allow(experiment, url) {
                continue;
            }
            self.reset_limits();
            let Some(result) = self.auto_experiment(experiment) else {
                continue;
            };
            let change = change(experiment, result.value, url);
            results.push(AutoExperimentResult { experiment, result, change });
            // The user may leave the page now.
            if experiment.change_type == ChangeType::Redirect {
                break;
            }
        }
        results
    }

    /// Runs each experiment, also manual ones, ones of an unknown kind, and ones after a redirect.
    pub(super) fn each_auto_experiment(&mut self) -> Vec<(&'a AutoExperiment, usize)> {
        let assigned = self.evaluator.snapshot.auto_experiments().iter().filter_map(|experiment| {
            self.reset_limits();
            Some((experiment, self.auto_experiment(experiment)?.variation_id))
        });
        assigned.collect()
    }

    /// Runs one auto experiment. Returns `None` when the user does not take part.
    fn auto_experiment(
        &mut self,
        experiment: &'a AutoExperiment,
    ) -> Option<ExperimentResult<'a, Value>> {
        let definition = &experiment.definition;
        let assigned = self.assign(definition, None, None);
        let value = experiment.variations.get(assigned.variation)?.value();
        let assignment = assigned.assignment();
        self.report(definition, &assignment, Some(value));
        assignment.in_experiment.then_some(ExperimentResult { value, assignment })
    }
}

impl AutoExperimentOptions {
    fn allow(&self, experiment: &AutoExperiment, url: &str) -> bool {
        if experiment.manual && !self.triggered.contains(experiment.definition.key()) {
            return false;
        }
        if experiment.change_id().is_some_and(|id| self.blocked_change_ids.contains(id)) {
            return false;
        }
        match experiment.change_type {
            ChangeType::Unknown => false,
            ChangeType::Visual => {
                !(self.disable_visual || self.disable_js_injection && experiment.injects_js())
            }
            ChangeType::Redirect => {
                !self.disable_redirects
                    && may_redirect(
                        url,
                        experiment.redirects(),
                        self.disable_cross_origin_redirects,
                    )
            }
        }
    }
}

fn change<'a>(
    experiment: &'a AutoExperiment,
    variation: &'a Value,
    url: &str,
) -> AutoExperimentChange<'a> {
    match experiment.change_type {
        ChangeType::Redirect => {
            let Some(url_redirect) = redirect_of(variation) else {
                return AutoExperimentChange::None;
            };
            let url_with_params = if experiment.persist_query_string {
                merge_query_strings(url, url_redirect)
            } else {
                url_redirect.into()
            };
            // The experiment would run again on such a target, and redirect forever.
            let target = PageUrl::new(&url_with_params);
            let patterns = experiment.definition.own().url_patterns.as_ref();
            if patterns.is_some_and(|patterns| patterns.matches(Some(&target), &Budget::default()))
            {
                return AutoExperimentChange::None;
            }
            AutoExperimentChange::Redirect { url_redirect, url_with_params }
        }
        ChangeType::Visual => AutoExperimentChange::Visual(variation),
        ChangeType::Unknown => AutoExperimentChange::None,
    }
}
