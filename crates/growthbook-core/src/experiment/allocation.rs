//! The allocation of users to the variations of an experiment.

use alloc::sync::Arc;

/// The origin of the ranges of the variations.
#[derive(Clone)]
pub(crate) enum Allocation {
    /// The definition sets the ranges.
    Ranges,
    /// The ranges follow from weights and coverage. Unusable weights count as equal weights.
    Shares { weights: Arc<[f64]>, coverage: f64 },
}

impl Default for Allocation {
    fn default() -> Self {
        Allocation::Shares { weights: Arc::default(), coverage: 1.0 }
    }
}

impl Allocation {
    pub(super) fn set_weights(&mut self, new: Arc<[f64]>) {
        if let Allocation::Shares { weights, .. } = self {
            *weights = new;
        }
    }

    pub(super) fn set_coverage(&mut self, new: f64) {
        if let Allocation::Shares { coverage, .. } = self {
            *coverage = new;
        }
    }
}
