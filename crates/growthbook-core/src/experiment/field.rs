//! The members of rules, experiments, filters and bandits that are read, found in one pass.

use crate::json::{ObjectView, View};

macro_rules! fields {
    ($($field:ident: $name:literal),* $(,)?) => {
        /// A member that is read.
        #[derive(Clone, Copy)]
        pub(crate) enum Field {
            $($field),*
        }

        impl Field {
            const COUNT: usize = [$($name),*].len();

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Field::$field),)*
                    _ => None,
                }
            }

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Field::$field => $name),*
                }
            }
        }
    };
}

fields! {
    Active: "active",
    Attribute: "attribute",
    BanditVersion: "banditVersion",
    BucketVersion: "bucketVersion",
    ChangeId: "changeId",
    Condition: "condition",
    Contexts: "contexts",
    ContextualBanditRef: "contextualBanditRef",
    ContextualVariations: "contextualVariations",
    Coverage: "coverage",
    DisableStickyBucketing: "disableStickyBucketing",
    FallbackAttribute: "fallbackAttribute",
    Filters: "filters",
    Force: "force",
    Groups: "groups",
    HashAttribute: "hashAttribute",
    HashVersion: "hashVersion",
    Id: "id",
    Key: "key",
    Manual: "manual",
    Meta: "meta",
    MinBucketVersion: "minBucketVersion",
    Name: "name",
    Namespace: "namespace",
    ParentConditions: "parentConditions",
    PersistQueryString: "persistQueryString",
    Phase: "phase",
    Range: "range",
    Ranges: "ranges",
    Seed: "seed",
    Status: "status",
    Url: "url",
    UrlPatterns: "urlPatterns",
    Variations: "variations",
    Weights: "weights",
}

/// The members of an object by field. Looking a member up by its name each time it is read would
/// take most of the time of compiling a rule.
pub(crate) struct Fields<'t>([Option<View<'t>>; Field::COUNT]);

impl<'t> Fields<'t> {
    pub(crate) fn of(object: ObjectView<'t>) -> Self {
        let mut fields = Fields([None; Field::COUNT]);
        for (name, value) in object.iter() {
            if let Some(field) = Field::named(name) {
                fields.set(field, value);
            }
        }
        fields
    }

    pub(crate) fn only(field: Field, value: View<'t>) -> Self {
        let mut fields = Fields([None; Field::COUNT]);
        fields.set(field, value);
        fields
    }

    pub(crate) fn get(&self, field: Field) -> Option<View<'t>> {
        self.0.get(field as usize).copied().flatten()
    }

    fn set(&mut self, field: Field, value: View<'t>) {
        if let Some(place) = self.0.get_mut(field as usize) {
            *place = Some(value);
        }
    }
}
