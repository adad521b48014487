//! The division of users among experiments: by namespace or filters.

use alloc::boxed::Box;

use super::filter::Filter;
use crate::bucket::Namespace;

/// The division of users among experiments. Filters replace the namespace.
#[derive(Clone)]
pub(crate) enum Division {
    Namespace(Option<Box<Namespace>>),
    Filters(Box<[Filter]>),
    /// The rule of the experiment has filters. They are checked before the experiment runs.
    RuleFilters,
}

impl Division {
    pub(crate) const NONE: Self = Division::Namespace(None);

    pub(super) fn set_namespace(&mut self, namespace: Namespace) {
        if let Division::Namespace(place) = self {
            *place = Some(Box::new(namespace));
        }
    }
}
