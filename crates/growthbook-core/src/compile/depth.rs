//! Finds features whose prerequisites are chained deeper than evaluation follows.

use alloc::{vec, vec::Vec};

use crate::MAX_PREREQUISITE_DEPTH;
use crate::snapshot::{Feature, FeatureIndex};
use crate::warning::{Location, Warning, WarningKind};

/// Warns of every feature on top of too long a chain. Cycles are no chains; evaluation answers
/// them by themselves.
pub(super) fn check(features: &[Feature], warnings: &mut Vec<Warning>) {
    let depths = Depths::of(features);
    for (feature, depth) in features.iter().zip(depths.done) {
        if depth.unwrap_or(0) > MAX_PREREQUISITE_DEPTH {
            warnings.push(Warning {
                location: Location::Feature(feature.key.clone()),
                kind: WarningKind::PrerequisitesTooDeep,
            });
        }
    }
}

/// How many prerequisites follow one another below each feature.
struct Depths {
    done: Vec<Option<u32>>,
}

impl Depths {
    /// Depth first, with a stack of its own: a chain may be as long as the payload.
    fn of(features: &[Feature]) -> Self {
        let mut depths = Depths { done: vec![None; features.len()] };
        let mut entered = vec![false; features.len()];
        for start in 0..features.len() {
            let mut stack = vec![(start, false)];
            while let Some((feature, children_done)) = stack.pop() {
                let Some(definition) = features.get(feature) else { continue };
                let children = definition.prerequisites().filter_map(position);
                if children_done {
                    let deepest = children.map(|child| depths.get(child) + 1).max();
                    if let Some(depth) = depths.done.get_mut(feature) {
                        *depth = Some(deepest.unwrap_or(0));
                    }
                } else if let Some(entered @ false) = entered.get_mut(feature) {
                    *entered = true;
                    stack.push((feature, true));
                    stack.extend(children.map(|child| (child, false)));
                }
            }
        }
        depths
    }

    /// 0 while the feature is being entered: a cycle ends there.
    fn get(&self, feature: usize) -> u32 {
        self.done.get(feature).copied().flatten().unwrap_or(0)
    }
}

fn position(index: FeatureIndex) -> Option<usize> {
    usize::try_from(index.0).ok()
}
