//! Collects the warnings about a payload, up to a limit.

use alloc::{sync::Arc, vec::Vec};

use crate::limits::MAX_WARNINGS;
use crate::warning::{Location, Warning, WarningKind};

/// The warnings so far. Those beyond [`MAX_WARNINGS`] are only counted.
#[derive(Default)]
pub(super) struct Warnings {
    list: Vec<Warning>,
    left_out: usize,
}

impl Warnings {
    pub(super) fn add(&mut self, location: Location, kind: WarningKind) {
        if self.list.len() < MAX_WARNINGS {
            self.list.push(Warning { location, kind });
        } else {
            self.left_out += 1;
        }
    }

    /// Adds the warnings about a definition.
    pub(super) fn extend(&mut self, warnings: &[Warning]) {
        let (added, rest) = warnings.split_at(warnings.len().min(MAX_WARNINGS - self.list.len()));
        self.list.extend_from_slice(added);
        self.left_out += rest.len();
    }

    /// Reports entries whose key is not valid text, since no caller can name them.
    pub(super) fn add_unnamed<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k str>,
        location: impl Fn(Arc<str>) -> Location,
    ) {
        for key in keys {
            self.add(location(key.into()), WarningKind::InvalidJson);
        }
    }

    /// Returns the warnings. The last one says how many were left out.
    pub(super) fn into_list(mut self) -> Vec<Warning> {
        if self.left_out > 0 {
            let kind = WarningKind::MoreWarnings(self.left_out);
            self.list.push(Warning { location: Location::Payload, kind });
        }
        self.list
    }
}
