//! Finds features and saved groups that refer to others beyond what evaluation follows.

use alloc::{boxed::Box, vec, vec::Vec};

use crate::condition::SavedGroups;
use crate::limits::{
    MAX_FEATURE_EVALUATIONS, MAX_PREREQUISITE_DEPTH, MAX_SAVED_GROUP_DEPTH,
    MAX_SAVED_GROUP_EVALUATIONS,
};
use crate::snapshot::Feature;
use crate::warning::{Location, Warning, WarningKind};

/// Warns of every feature whose prerequisites are too many.
pub(super) fn check_features(features: &[Feature], warnings: &mut Vec<Warning>) {
    let reaches = Reach::of_all(features.len(), |feature| {
        let feature = features.get(feature).into_iter();
        feature.flat_map(Feature::prerequisites).filter_map(|it| it.0.try_into().ok()).collect()
    });
    for (feature, reach) in features.iter().zip(reaches) {
        let kind = if reach.depth > MAX_PREREQUISITE_DEPTH {
            WarningKind::PrerequisitesTooDeep
        } else if reach.evaluations > MAX_FEATURE_EVALUATIONS {
            WarningKind::TooManyPrerequisites
        } else {
            continue;
        };
        warnings.push(Warning { location: Location::Feature((*feature.key).into()), kind });
    }
}

/// Warns of every condition group that refers to too many others.
pub(super) fn check_groups(groups: &SavedGroups, warnings: &mut Vec<Warning>) {
    let references: Vec<Vec<usize>> = groups
        .groups
        .iter()
        .map(|group| group.references().iter().filter_map(|it| it.0.try_into().ok()).collect())
        .collect();
    let reaches =
        Reach::of_all(references.len(), |group| references.get(group).cloned().unwrap_or_default());
    let mut ids: Vec<(&Box<str>, u32)> =
        groups.by_id.iter().map(|(id, index)| (id, index.0)).collect();
    ids.sort_unstable_by_key(|(_, index)| *index);
    for ((id, _), reach) in ids.into_iter().zip(reaches) {
        let kind = if reach.depth >= MAX_SAVED_GROUP_DEPTH {
            WarningKind::SavedGroupsTooDeep
        } else if reach.evaluations > MAX_SAVED_GROUP_EVALUATIONS {
            WarningKind::TooManySavedGroups
        } else {
            continue;
        };
        warnings.push(Warning { location: Location::SavedGroup(id.clone()), kind });
    }
}

/// How far the references of something lead.
#[derive(Clone, Copy, Default)]
struct Reach {
    /// How many follow one another.
    depth: u32,
    /// How many evaluations following all of them takes, itself included.
    evaluations: u32,
}

impl Reach {
    /// Depth first, with a stack of its own: a chain may be as long as the payload. A cycle ends
    /// where it closes; evaluation answers cycles by themselves.
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
    fn a_cycle_comes_to_an_end() {
        assert_eq!(reaches(&[&[0]]).len(), 1);
        assert_eq!(reaches(&[&[1], &[0, 2], &[]]).len(), 3);
    }
}
