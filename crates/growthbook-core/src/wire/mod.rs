//! The JSON that GrowthBook sends: every part that evaluation reads, member by member.
//!
//! A shape names the members of an object and finds them. A [`Member`] is read as a type, or gives a
//! warning. `compile` and `experiment` decide what the values mean. `reduce` also reads the member
//! `metadata` of features and rules, which is not listed here.
//!
//! ```json
//! {
//!   "status": 200,
//!   "features": {"<key>": FeatureWire},
//!   "experiments": [ExperimentWire],
//!   "savedGroups": {"<id>": SavedGroupWire},
//!   "contextualBandits": {"<id>": BanditWire},
//!   "dateUpdated": "2026-11-22T09:00:00.000Z"
//! }
//! ```
//!
//! An encrypted section is text, and has another name: see [`SectionName`].

mod member;

pub(crate) use member::{Member, NAMESPACE, Read, bucket_range, numbers, text, whole_number};

use crate::json::{Json, Object};

/// The member of a payload that says when the definitions last changed (ISO 8601).
pub(crate) const DATE_UPDATED: &str = "dateUpdated";

/// The sections of a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SectionName {
    /// An object of [`FeatureWire`] by key. Every payload has it, encrypted or not.
    Features,
    /// A list of [`ExperimentWire`]: auto experiments.
    Experiments,
    /// An object of [`SavedGroupWire`] by id.
    SavedGroups,
    /// An object of [`BanditWire`] by id.
    ContextualBandits,
}

impl SectionName {
    pub(crate) const ALL: [Self; 4] = [
        SectionName::Features,
        SectionName::Experiments,
        SectionName::SavedGroups,
        SectionName::ContextualBandits,
    ];

    pub(crate) fn plain(self) -> &'static str {
        match self {
            SectionName::Features => "features",
            SectionName::Experiments => "experiments",
            SectionName::SavedGroups => "savedGroups",
            SectionName::ContextualBandits => "contextualBandits",
        }
    }

    pub(crate) fn encrypted(self) -> &'static str {
        match self {
            SectionName::Features => "encryptedFeatures",
            SectionName::Experiments => "encryptedExperiments",
            SectionName::SavedGroups => "encryptedSavedGroups",
            SectionName::ContextualBandits => "encryptedContextualBandits",
        }
    }

    /// Returns the section that a member of a payload has, encrypted or not.
    pub(crate) fn of_member(name: &str) -> Option<Self> {
        SectionName::ALL
            .into_iter()
            .find(|section| name == section.plain() || name == section.encrypted())
    }
}

/// Defines the shape of an object: a struct with a [`Member`] for each name, found in one pass.
/// A shape may include another one, whose members are in the same object.
macro_rules! shape {
    (
        $(#[$doc:meta])*
        $shape:ident $(includes $included:ident: $inner:ident)? {
            $($(#[$member_doc:meta])* $member:ident: $name:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $shape<'t> {
            $(pub(crate) $included: $inner<'t>,)?
            $($(#[$member_doc])* pub(crate) $member: Member<'t>,)*
        }

        impl<'t> $shape<'t> {
            /// Makes a shape without members.
            pub(crate) fn empty() -> Self {
                $shape {
                    $($included: $inner::empty(),)?
                    $($member: Member::missing($name),)*
                }
            }

            /// Sets the member of this name, if the shape has it.
            #[inline]
            fn set(&mut self, name: &str, value: &'t Json<'t>) {
                match name {
                    $($name => self.$member = self.$member.with(value),)*
                    _ => {
                        $(self.$included.set(name, value);)?
                    }
                }
            }

            /// Finds the members of an object.
            pub(crate) fn of(object: &'t Object<'t>) -> Self {
                let mut shape = $shape::empty();
                for (name, value) in object.iter() {
                    shape.set(name, value);
                }
                shape
            }

            /// Finds the members of a value. Another value than an object does not have any.
            #[allow(dead_code, reason = "not every shape is read from a value of any type")]
            pub(crate) fn of_value(value: &'t Json<'t>) -> Self {
                value.as_object().map_or_else($shape::empty, $shape::of)
            }
        }
    };
}

shape! {
    /// A feature: `features.<key>`.
    FeatureWire {
        /// Any value. It is the feature's value if no rule applies.
        default_value: "defaultValue",
        /// A list of [`RuleWire`]. The first one that applies decides.
        rules: "rules",
    }
}

shape! {
    /// A rule of a feature. It forces a value (`force`), for all users or for a share of them
    /// (`coverage`, `range`), or it runs an experiment (`variations`). Any other rule only has
    /// prerequisites.
    RuleWire {
        /// Text. It is reported as `ruleId`.
        id: "id",
        /// A list of [`ParentConditionWire`]. All of them are checked before the rest of the rule.
        parent_conditions: "parentConditions",
        /// A list of [`FilterWire`]. The user must pass all of them. They replace `namespace`.
        filters: "filters",
        /// A condition on the user's attributes.
        condition: "condition",
        /// Any value: the value of the feature. In an experiment of its own: the index of the
        /// variation for all users.
        force: "force",

        /// Number from 0 to 1: the share of users who are included. Default: 1.
        coverage: "coverage",
        /// `[start, end]`: the buckets that are included, in place of `coverage`.
        range: "range",
        /// Text that is hashed with the hash attribute. Default: the experiment's key; for a
        /// forced value the feature's key.
        seed: "seed",
        /// 1 or 2. Default: 1.
        hash_version: "hashVersion",
        /// The name of the attribute that is hashed. Default: `id`.
        hash_attribute: "hashAttribute",
        /// The name of the attribute that is hashed if the user does not have the first one. Only
        /// sticky bucketing uses it.
        fallback_attribute: "fallbackAttribute",
        /// Boolean.
        disable_sticky_bucketing: "disableStickyBucketing",

        /// A list of any values: the variations.
        variations: "variations",
        /// The same for a bandit. SDKs that do not know bandits skip the rule.
        contextual_variations: "contextualVariations",
        /// Text: the experiment's key. Default: the feature's key.
        key: "key",
        /// Text: the experiment's name.
        name: "name",
        /// Text: the experiment's phase.
        phase: "phase",
        /// A list of numbers: the share of each variation. Default: equal shares.
        weights: "weights",
        /// A list of `[start, end]`: the buckets of each variation, in place of `weights` and
        /// `coverage`.
        ranges: "ranges",
        /// A list of [`VariationMetaWire`].
        meta: "meta",
        /// `[id, start, end]`: the part of a namespace that the experiment takes.
        namespace: "namespace",
        /// Number: the version of sticky assignments. Default: 0.
        bucket_version: "bucketVersion",
        /// Number: users with an older assignment are left out. Default: 0.
        min_bucket_version: "minBucketVersion",
        /// Text: the id of a [`BanditWire`].
        contextual_bandit_ref: "contextualBanditRef",

        /// A list of [`TrackWire`]: the exposures to report when the rule forces its value.
        tracks: "tracks",
    }
}

shape! {
    /// An exposure that the server decided: an item of `tracks`.
    TrackWire {
        /// An [`ExperimentWire`]. Its key is required.
        experiment: "experiment",
        /// An [`ExperimentResultWire`].
        result: "result",
    }
}

shape! {
    /// The result of an experiment, as SDKs and the server for remote evaluation write it.
    ExperimentResultWire {
        /// Any value: that of the variation.
        value: "value",
        /// Text: the variation's key. Default: its index.
        key: "key",
        /// Text: the variation's name.
        name: "name",
        /// Text: the feature's key.
        feature_id: "featureId",
        /// Boolean.
        in_experiment: "inExperiment",
        /// Boolean.
        hash_used: "hashUsed",
        /// Number: the variation's index.
        variation_id: "variationId",
        /// Text: the name of the attribute that was hashed.
        hash_attribute: "hashAttribute",
        /// Text or number: the value that was hashed.
        hash_value: "hashValue",
        /// Number: the user's bucket.
        bucket: "bucket",
        /// Boolean.
        passthrough: "passthrough",
        /// Boolean.
        sticky_bucket_used: "stickyBucketUsed",
        /// Number: the leaf of a bandit.
        leaf_id: "leafId",
        /// A list of numbers: the weights of the leaf.
        variation_weights: "variationWeights",
        /// Number: the version of the bandit.
        bandit_version: "banditVersion",
    }
}

shape! {
    /// An experiment of its own: an auto experiment, or one given as JSON. It has the members of a
    /// rule's experiment and these.
    ExperimentWire includes rule: RuleWire {
        /// Boolean. Default: true.
        active: "active",
        /// `draft`, `running` or `stopped`. Default: `running`.
        status: "status",
        /// A list of text: groups of users. Legacy.
        groups: "groups",
        /// Text: a regular expression for the page's URL. Legacy.
        url: "url",
        /// A list of [`UrlPatternWire`]: the URLs on which it runs.
        url_patterns: "urlPatterns",
        /// Text: the id of the visual or redirect change.
        change_id: "changeId",
        /// Boolean: it runs only when the application triggers it.
        manual: "manual",
        /// Boolean: a redirect keeps the query string.
        persist_query_string: "persistQueryString",
    }
}

shape! {
    /// A prerequisite: an item of `parentConditions`.
    ParentConditionWire {
        /// Text: a feature's key.
        id: "id",
        /// A condition on that feature's value, as the attribute `value`.
        condition: "condition",
        /// Boolean: a failure leaves the feature without a value, instead of skipping the rule.
        gate: "gate",
    }
}

shape! {
    /// A filter: an item of `filters`.
    FilterWire {
        /// Text that is hashed with the attribute.
        seed: "seed",
        /// A list of `[start, end]`: the buckets that pass.
        ranges: "ranges",
        /// The name of the attribute that is hashed. Default: `id`.
        attribute: "attribute",
        /// 1 or 2. Default: 2.
        hash_version: "hashVersion",
    }
}

shape! {
    /// The description of a variation: an item of `meta`.
    VariationMetaWire {
        /// Text: the key for tracking. Default: its index.
        key: "key",
        /// Text: its name.
        name: "name",
        /// Boolean: the feature's next rules decide.
        passthrough: "passthrough",
    }
}

shape! {
    /// A URL pattern: an item of `urlPatterns`.
    UrlPatternWire {
        /// `simple` or `regex`.
        kind: "type",
        /// Text: the pattern.
        pattern: "pattern",
        /// Boolean: false excludes the URLs that match. Default: true.
        include: "include",
    }
}

shape! {
    /// A saved group: `savedGroups.<id>`. In older payloads it is a bare list of values.
    SavedGroupWire {
        /// `list`, `condition` or `remote`.
        kind: "type",
        /// The name of the attribute that is looked up.
        attribute_key: "attributeKey",
        /// With `list`: a list of values.
        values: "values",
        /// With `condition`: a condition on the user's attributes.
        condition: "condition",
    }
}

shape! {
    /// A condition's reference to a saved group: the operand of `$savedGroup`.
    GroupReferenceWire {
        /// Text: the group's id.
        id: "id",
        /// The name of the attribute that is looked up instead of the group's own.
        attribute_key: "attributeKey",
    }
}

shape! {
    /// A contextual bandit: `contextualBandits.<id>`.
    BanditWire {
        /// Number: the version of its model.
        bandit_version: "banditVersion",
        /// A list of [`LeafWire`]. The first one that matches decides.
        contexts: "contexts",
    }
}

shape! {
    /// A leaf of a contextual bandit: an item of `contexts`.
    LeafWire {
        /// Number: the leaf's id.
        leaf_id: "leafId",
        /// A list of numbers: the share of each variation.
        weights: "weights",
        /// A condition on the user's attributes.
        condition: "condition",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name() {
        let json = Json::parse(r#"{"id":"r","other":1,"coverage":0.5,"active":false}"#).unwrap();
        let experiment = ExperimentWire::of_value(&json);
        assert_eq!(experiment.rule.id.text().unwrap().as_deref(), Some("r"));
        assert_eq!(experiment.rule.coverage.number(), Ok(Some(0.5)));
        assert!(matches!(experiment.active.get(), Some(Json::Bool(false))));
        assert!(experiment.rule.weights.get().is_none());
    }

    #[test]
    fn value_of_another_type_has_no_members() {
        let json = Json::parse("[1]").unwrap();
        assert!(FeatureWire::of_value(&json).rules.get().is_none());
    }
}
