//! The attribute source of a scope, and attributes that are set on top of it.

use std::sync::Arc;

use growthbook_core::{AttributeRef, AttributeSource, Attributes};

/// The place where a scope looks for attributes first, before the user's own.
#[derive(Clone, Default)]
pub(crate) enum ScopeSource<'s> {
    #[default]
    None,
    Plain(&'s dyn AttributeSource),
    Covered(Arc<Covered<'s>>),
}

impl<'s> ScopeSource<'s> {
    #[inline]
    pub(crate) fn get(&self) -> Option<&dyn AttributeSource> {
        match self {
            ScopeSource::None => None,
            ScopeSource::Plain(source) => Some(*source),
            ScopeSource::Covered(covered) => Some(&**covered),
        }
    }

    /// Returns the source with these attributes on top.
    pub(crate) fn covered_by(&self, attributes: &Attributes) -> Self {
        let (source, mut top) = match self {
            ScopeSource::None => return ScopeSource::None,
            ScopeSource::Plain(source) => (*source, Attributes::new()),
            ScopeSource::Covered(covered) => (covered.source, covered.top.clone()),
        };
        top.extend(attributes.iter());
        ScopeSource::Covered(Arc::new(Covered { source, top }))
    }
}

impl<'s> From<Option<&'s dyn AttributeSource>> for ScopeSource<'s> {
    fn from(source: Option<&'s dyn AttributeSource>) -> Self {
        source.map_or(ScopeSource::None, ScopeSource::Plain)
    }
}

/// A source with attributes on top.
pub(crate) struct Covered<'s> {
    source: &'s dyn AttributeSource,
    top: Attributes,
}

impl AttributeSource for Covered<'_> {
    fn attribute(&self, name: &str) -> Option<AttributeRef<'_>> {
        match self.top.get(name) {
            Some(value) => Some(AttributeRef::Value(value)),
            None => self.source.attribute(name),
        }
    }

    fn visit(&self, visitor: &mut dyn FnMut(&str, AttributeRef<'_>)) {
        self.source.visit(&mut |name, value| {
            if self.top.get(name).is_none() {
                visitor(name, value);
            }
        });
        self.top.visit(visitor);
    }
}
