//! Overrides: settings with which an application replaces those of an experiment, by its key. This
//! is legacy. It is older than experiments in the payload.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use serde_json::Value;

use super::definition::{ExperimentStatus, OwnSettings};
use super::legacy_url::LegacyUrl;
use super::read::DefinitionReader;
use crate::bucket::Namespace;
use crate::condition::Clauses;
use crate::json::Json;
use crate::pattern::PatternCompiler;
use crate::wire::ExperimentWire;

/// Settings that replace those of an experiment. A missing setting does not replace anything.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExperimentOverride {
    pub(super) condition: Option<Clauses>,
    pub(super) weights: Option<Arc<[f64]>>,
    pub(super) coverage: Option<f64>,
    pub(super) active: Option<bool>,
    pub(super) status: Option<ExperimentStatus>,
    pub(super) force: Option<i64>,
    pub(super) groups: Option<Box<[Box<str>]>>,
    pub(super) namespace: Option<Namespace>,
    pub(super) url: Option<LegacyUrl>,
}

impl ExperimentOverride {
    /// Reads an override: an object with `condition`, `weights`, `coverage`, `active`, `status`,
    /// `force`, `groups`, `namespace` and `url`. A malformed override stops the experiment.
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
}
