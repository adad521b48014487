//! Parts of experiments that older payloads and integrations still have.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use serde_json::Value;

use super::definition::{ExperimentDefinition, ExperimentStatus, OwnSettings};
use super::field::Field;
use super::read::{Links, Reader};
use crate::bucket::Namespace;
use crate::condition::{Clauses, Pattern, PatternCompiler};
use crate::json::{Json, Tape};
use crate::url::PageUrl;
use crate::warning::WarningKind;

/// A regular expression for the address of the page, from before URL patterns.
#[derive(Clone, Debug)]
pub(crate) struct LegacyUrl(Option<Pattern>);

impl LegacyUrl {
    /// `None` for a pattern JavaScript rejects too: such a one is ignored. One that only we
    /// cannot run matches nothing.
    pub(crate) fn new(
        source: &str,
        patterns: &PatternCompiler,
        warnings: &mut Vec<WarningKind>,
    ) -> Option<Self> {
        match patterns.compile(source, false) {
            Ok(pattern) => Some(LegacyUrl(Some(pattern))),
            Err(error) => {
                let reason = alloc::string::ToString::to_string(&error).into();
                warnings.push(WarningKind::Regex { pattern: source.into(), reason });
                (!error.is_syntax()).then_some(LegacyUrl(None))
            }
        }
    }

    /// Tests the whole address, and its path alone.
    pub(crate) fn matches(&self, url: Option<&PageUrl>) -> bool {
        let (Some(pattern), Some(url)) = (&self.0, url) else {
            return false;
        };
        let url = url.as_str();
        let without_scheme =
            url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
        let path = without_scheme.find('/').and_then(|slash| without_scheme.get(slash..));
        pattern.is_match(url) || pattern.is_match(path.unwrap_or(without_scheme))
    }
}

/// Settings laid over an experiment of some key, from before experiments came with the payload.
///
/// Only what is set replaces the experiment's own.
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
    /// `force`, `groups`, `namespace` and `url`. What makes no sense stops the experiment.
    pub(crate) fn from_value(value: &Value) -> Self {
        ExperimentOverride::read(value).unwrap_or_else(|| ExperimentOverride {
            active: Some(false),
            ..ExperimentOverride::default()
        })
    }

    fn read(value: &Value) -> Option<Self> {
        let json = Json::from(value);
        let tape = Tape::of(&json);
        let object = tape.root().as_object()?;
        let (patterns, mut warnings) = (PatternCompiler::default(), Vec::new());
        let mut reader = Reader::new(object, Links::default(), &patterns, &mut warnings);
        let mut settings = reader.experiment("", 0, Reader::filters).ok()?;
        reader.inline_settings(&mut settings).ok()?;
        let has = |field| object.get(field).is_some();
        let own = core::mem::replace(settings.own_mut(), OwnSettings::DEFAULT);
        Some(ExperimentOverride {
            condition: settings.condition,
            weights: reader.weights(),
            coverage: reader.number(Field::Coverage).ok()?,
            active: has("active").then_some(own.active),
            status: has("status").then_some(own.status),
            force: own.force,
            groups: own.groups,
            namespace: reader.namespace(),
            url: own.legacy_url,
        })
    }

    pub(crate) fn apply(&self, experiment: &ExperimentDefinition) -> ExperimentDefinition {
        let mut overridden = experiment.clone();
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
        overridden.condition = condition.or(overridden.condition);
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
        overridden.derive(None);
        overridden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legacy_expression_sees_the_address_and_its_path() {
        let cases = [
            ("^/home$", "https://www.example.com/home", true),
            ("^https:", "https://www.example.com/home", true),
            (r"example\.com\/home", "http://example.com/home", true),
            ("^/home", "/home?x", true),
            ("^/other", "https://www.example.com/home", false),
            ("(?=x)", "https://www.example.com/x", false),
        ];
        for (pattern, url, expected) in cases {
            let legacy =
                LegacyUrl::new(pattern, &PatternCompiler::default(), &mut Vec::new()).unwrap();
            assert_eq!(legacy.matches(Some(&PageUrl::new(url))), expected, "{pattern} on {url}");
            assert!(!legacy.matches(None));
        }
        assert!(LegacyUrl::new("(", &PatternCompiler::default(), &mut Vec::new()).is_none());
    }
}
