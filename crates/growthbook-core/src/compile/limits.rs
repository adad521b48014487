//! Warns about features and saved groups whose references exceed the limits of evaluation.

use alloc::{vec, vec::Vec};

use super::warnings::Warnings;
use crate::condition::{GroupIndex, SavedGroup, SavedGroups};
use crate::feature_index::FeatureIndex;
use crate::limits::{
    MAX_FEATURE_EVALUATIONS, MAX_PREREQUISITE_DEPTH, MAX_SAVED_GROUP_DEPTH,
    MAX_SAVED_GROUP_EVALUATIONS,
};
use crate::snapshot::FeatureTable;
use crate::warning::{Location, WarningKind};

/// Warns about each feature whose prerequisites exceed a limit.
pub(super) fn check_features(features: &FeatureTable, warnings: &mut Warnings) {
    let reaches = Reach::of_all(features.positions(), |position| {
        let feature = u32::try_from(position).ok().and_then(|at| features.get(FeatureIndex(at)));
        let prerequisites = feature.into_iter().flat_map(|(_, feature)| feature.prerequisites());
        let defined = prerequisites.filter(|index| features.get(*index).is_some());
        defined.filter_map(|index| index.0.try_into().ok()).collect()
    });
    for index in features.order() {
        let reach = reaches.get(index.0 as usize).copied().unwrap_or_default();
        let kind = if reach.depth > MAX_PREREQUISITE_DEPTH {
            WarningKind::PrerequisitesTooDeep
        } else if reach.evaluations > MAX_FEATURE_EVALUATIONS {
            WarningKind::TooManyPrerequisites
        } else {
            continue;
        };
        warnings.add(Location::Feature(features.key(*index).into()), kind);
    }
}

/// Warns about each condition group whose references exceed a limit. `order` has the groups in the
/// payload's order.
pub(super) fn check_groups(groups: &SavedGroups, order: &[GroupIndex], warnings: &mut Warnings) {
    let references = |position: usize| -> Vec<usize> {
        let group = u32::try_from(position).ok().and_then(|at| groups.get(GroupIndex(at)));
        let references = group.map(|group| SavedGroup::references(&group.definition));
        let defined = references.into_iter().flatten().filter(|it| groups.get(*it).is_some());
        defined.filter_map(|index| index.0.try_into().ok()).collect()
    };
    let reaches = Reach::of_all(groups.positions(), references);
    for index in order {
        let reach = reaches.get(index.0 as usize).copied().unwrap_or_default();
        let kind = if reach.depth >= MAX_SAVED_GROUP_DEPTH {
            WarningKind::SavedGroupsTooDeep
        } else if reach.evaluations > MAX_SAVED_GROUP_EVALUATIONS {
            WarningKind::TooManySavedGroups
        } else {
            continue;
        };
        warnings.add(Location::SavedGroup(groups.id(*index).into()), kind);
    }
}

/// How far the references of a feature or group lead.
#[derive(Clone, Copy, Default)]
struct Reach {
    /// The length of the longest chain of references.
    depth: u32,
    /// The number of evaluations when all references are followed, including its own.
    evaluations: u32,
}

impl Reach {
    /// Computes the reach of each node, depth first. It does not recurse, since a chain may be as
    /// long as the payload. It stops where a cycle closes, since evaluation handles cycles.
    fn of_all(count: usize, references: impl Fn(usize) -> Vec<usize>) -> Vec<Reach> {
        let mut reaches = vec![Reach::default(); count];
        let mut entered = vec![false; count];
        let mut stack = Vec::new();
        for start in 0..count {
            stack.push((start, false));
            while let Some((node, references_done)) = stack.pop() {
                if references_done {
                    let reach =
                        Reach::over(references(node).iter().filter_map(|it| reaches.get(*it)));
                    if let Some(place) = reaches.get_mut(node) {
                        *place = reach;
                    }
                } else if let Some(entered @ false) = entered.get_mut(node) {
                    *entered = true;
                    stack.push((node, true));
                    stack.extend(references(node).into_iter().map(|reference| (reference, false)));
                }
            }
        }
        reaches
    }

    fn over<'r>(references: impl Iterator<Item = &'r Reach>) -> Self {
        references.fold(Reach { depth: 0, evaluations: 1 }, |sum, reference| Reach {
            depth: sum.depth.max(reference.depth + 1),
            evaluations: sum.evaluations.saturating_add(reference.evaluations),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches(graph: &[&[usize]]) -> Vec<(u32, u32)> {
        let reaches = Reach::of_all(graph.len(), |node| graph[node].to_vec());
        reaches.iter().map(|reach| (reach.depth, reach.evaluations)).collect()
    }

    #[test]
    fn chains_and_diamonds_are_measured() {
        assert_eq!(reaches(&[&[1], &[2], &[]]), [(2, 3), (1, 2), (0, 1)]);
        assert_eq!(reaches(&[&[1, 1], &[2, 2], &[]]), [(2, 7), (1, 3), (0, 1)]);
        assert_eq!(reaches(&[]), []);
    }

    #[test]
    fn cycles_end() {
        assert_eq!(reaches(&[&[0]]).len(), 1);
        assert_eq!(reaches(&[&[1], &[0, 2], &[]]).len(), 3);
    }
}
