//! The position of a feature in its snapshot.

/// The position of a feature's key among the keys of a snapshot. A snapshot that is compiled after
/// another one keeps the positions, so that links between features stay valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FeatureIndex(pub(crate) u32);
