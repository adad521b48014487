//! Whether an answer depends on a missing targeting key.

use growthbook::explain::{BucketTrace, Explanation, RuleVerdict};
use growthbook::sticky::StickyBuckets;
use growthbook::{AttributeValue, Client, Exclusion, UserScope};

/// A targeting key in place of the missing one.
const STAND_IN: &str = "growthbook-openfeature";

/// Whether the flag's answer could be another one if the user had a targeting key: a rule was
/// skipped because there was nothing to hash, and a user with a key reaches its hashing. Rules of
/// prerequisites count, too. No callback is notified.
///
/// A condition on the attribute does not count: it has an answer for a user without the attribute.
pub(crate) fn is_missed(client: &Client, scope: &UserScope<'_>, flag: &str, name: &str) -> bool {
    let given = scope.user().attributes().get(name);
    if !given.is_none_or(is_empty) || !has_verdict(&scope.explain(flag), &skipped_without(name)) {
        return false;
    }
    // GrowthBook looks for the attribute before it tests the condition. A user with a stand-in shows
    // whether the condition fails anyway.
    let user = scope.user().clone().attribute(name, STAND_IN);
    let with_key = client.for_user_with_sticky(user, StickyBuckets::new());
    has_verdict(&with_key.explain(flag), &decided_by(name))
}

fn is_empty(value: &AttributeValue) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// Whether a rule of the feature or of a prerequisite has such a verdict.
fn has_verdict(explanation: &Explanation, is_wanted: &dyn Fn(&RuleVerdict) -> bool) -> bool {
    explanation.rules.iter().any(|rule| {
        let mut parents = rule.prerequisites.iter();
        is_wanted(&rule.verdict) || parents.any(|parent| has_verdict(parent, is_wanted))
    })
}

/// Recognizes rules that were skipped, because the user has no value of this attribute.
fn skipped_without(name: &str) -> impl Fn(&RuleVerdict) -> bool {
    let is_empty = move |bucket: &BucketTrace| bucket.attribute == name && bucket.value == "";
    move |verdict| match verdict {
        RuleVerdict::NotInExperiment {
            exclusion: Exclusion::MissingHashAttribute, bucket, ..
        } => is_empty(bucket),
        RuleVerdict::NotInRollout(Some(bucket)) | RuleVerdict::FilteredOut(Some(bucket)) => {
            is_empty(bucket)
        }
        _ => false,
    }
}

/// Recognizes rules whose effect depends on the bucket of this attribute.
fn decided_by(name: &str) -> impl Fn(&RuleVerdict) -> bool {
    move |verdict| match verdict {
        RuleVerdict::Assigned(assignment) | RuleVerdict::PassedThrough(assignment) => {
            assignment.hash_used && assignment.hash_attribute == name
        }
        RuleVerdict::NotInExperiment { exclusion, bucket, .. } => {
            let by_bucket =
                [Exclusion::NotCovered, Exclusion::NotInNamespace, Exclusion::FilteredOut];
            by_bucket.contains(exclusion) && bucket.attribute == name
        }
        RuleVerdict::Forced { rollout: Some(bucket) }
        | RuleVerdict::NotInRollout(Some(bucket))
        | RuleVerdict::FilteredOut(Some(bucket)) => bucket.attribute == name,
        _ => false,
    }
}
