//! Settings that an application lays over experiments by key. Legacy: from before experiments came
//! with the payload.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use serde_json::Value;

use super::definition::{ExperimentDefinition, ExperimentStatus, OwnSettings};
use super::legacy_url::LegacyUrl;
use super::read::DefinitionReader;
use crate::bucket::Namespace;
use crate::condition::Clauses;
use crate::json::Json;
use crate::pattern::PatternCompiler;
use crate::wire::ExperimentWire;

/// Settings for an experiment. Only those that are set replace the experiment's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExperimentOverride {
    condition: Option<Clauses>,
    weights: Option<Arc<[f64]>>,
    coverage: Option<f64>,
    active: Option<bool>,
    status: Option<ExperimentStatus>,
    force: Option<i64>,
    groups: Option<Box<[Box<str>]>>,
    namespace: Option<Namespace>,
    url: Option<LegacyUrl>,
}

impl ExperimentOverride {
    /// Reads an override: an object of `condition`, `weights`, `coverage`, `active`, `status`,
    /// `force`, `groups`, `namespace` and `url`. A malformed one stops the experiment.
    pub(crate) fn from_value(value: &Value) -> Self {
        ExperimentOverride::read(value).unwrap_or_else(|| ExperimentOverride {
            active: Some(false),
            ..ExperimentOverride::default()
        })
    }

    fn read(value: &Value) -> Option<Self> {
        let json = Json::from(value);
        let wire = ExperimentWire::of(json.as_object()?);
        let (patterns, mut warnings) = (PatternCompiler::default(), Vec::new());
        let mut reader = DefinitionReader::new(&patterns, &mut warnings);
        let mut settings = reader.own_experiment(&wire, "", 0).ok()?;
        let own = core::mem::replace(settings.own_mut(), OwnSettings::DEFAULT);
        Some(ExperimentOverride {
            condition: settings.condition,
            weights: reader.weights(&wire.rule),
            coverage: wire.rule.coverage.number().ok()?,
            active: wire.active.get().map(|_| own.active),
            status: wire.status.get().map(|_| own.status),
            force: own.force,
            groups: own.groups,
            namespace: reader.namespace(&wire.rule),
            url: own.legacy_url,
        })
    }

    /// The experiment with the settings laid over it.
    pub(crate) fn apply(&self, experiment: &ExperimentDefinition) -> ExperimentDefinition {
        let ExperimentOverride {
            condition,
            weights,
            coverage,
            active,
            status,
            force,
            groups,
            namespace,
            url,
        } = self.clone();
        let mut overridden = experiment.clone();
        overridden.update(None, |overridden| {
            overridden.condition = condition.or(overridden.condition.take());
            if let Some(weights) = weights {
                overridden.allocation.set_weights(weights);
            }
            if let Some(coverage) = coverage {
                overridden.allocation.set_coverage(coverage);
            }
            if let Some(namespace) = namespace {
                overridden.division.set_namespace(namespace);
            }
            let own = overridden.own_mut();
            own.active = active.unwrap_or(own.active);
            own.status = status.unwrap_or(own.status);
            own.force = force.or(own.force);
            own.groups = groups.or_else(|| own.groups.take());
            own.legacy_url = url.or_else(|| own.legacy_url.take());
        });
        overridden
    }
}
