//! Warnings about settings of an experiment that are outside their range.

use alloc::vec::Vec;

use super::allocation::Allocation;
use super::definition::ExperimentDefinition;
use super::division::Division;
use crate::warning::WarningKind;

/// The sums of weights that count as 1.
const SUMS: core::ops::RangeInclusive<f64> = 0.99..=1.01;

/// Returns the warnings about weights, coverage, hash version and namespace.
pub(super) fn warnings_of(definition: &ExperimentDefinition) -> Vec<WarningKind> {
    let mut warnings = Vec::new();
    let mut check = |is_valid: bool, field, expected| {
        if !is_valid {
            warnings.push(WarningKind::OutOfRange { field, expected });
        }
    };
    if let Allocation::Shares { weights, coverage } = &definition.allocation {
        // No weights means equal ones.
        let are_usable = weights.is_empty()
            || weights.len() == definition.variation_count()
                && SUMS.contains(&weights.iter().sum::<f64>())
                && weights.iter().all(|weight| *weight >= 0.0);
        check(are_usable, "weights", "one share for each variation, with the sum 1");
        check((0.0..=1.0).contains(coverage), "coverage", "from 0 to 1");
    }
    if let Division::Namespace(Some(namespace)) = &definition.division {
        let range = namespace.range();
        let is_valid = 0.0 <= range.start && range.start < range.end && range.end <= 1.0;
        check(is_valid, "namespace", "a range from 0 to 1 that is not empty");
    }
    check(definition.has_known_hash_version(), "hashVersion", "1 or 2");
    warnings
}

/// Adds the warnings about an experiment that was read from JSON, except those that reading has
/// found.
pub(super) fn complete(warnings: &mut Vec<WarningKind>, definition: &ExperimentDefinition) {
    let is_malformed = |name| {
        let is_it = |warning: &WarningKind| matches!(warning, WarningKind::WrongType { field, .. } if *field == name);
        warnings.iter().any(is_it)
    };
    let is_known = [is_malformed("namespace"), warnings.contains(&WarningKind::UnknownHashVersion)];
    let [knows_namespace, knows_hash_version] = is_known;
    warnings.extend(warnings_of(definition).into_iter().filter(|warning| match warning {
        WarningKind::OutOfRange { field: "namespace", .. } => !knows_namespace,
        WarningKind::OutOfRange { field: "hashVersion", .. } => !knows_hash_version,
        _ => true,
    }));
}
