//! How users are divided among experiments.

use alloc::boxed::Box;

use super::filter::Filter;
use crate::bucket::Namespace;

/// What divides users among experiments. Filters, where there are any, replace the namespace.
#[derive(Clone)]
pub(crate) enum Division {
    Namespace(Option<Box<Namespace>>),
    Filters(Box<[Filter]>),
}

impl Division {
    pub(crate) const NONE: Self = Division::Namespace(None);

    pub(super) fn set_namespace(&mut self, namespace: Namespace) {
        if let Division::Namespace(place) = self {
            *place = Some(Box::new(namespace));
        }
    }
}
