//! No input makes this crate panic, overflow its stack, or run forever: no payload, user or
//! argument. All tests run on a stack of one megabyte, also in debug builds.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod backtracking;
mod generate;
mod hostile;
mod work;

use std::fmt;
use std::panic::resume_unwind;
use std::thread;

use generate::{Draw, quoted};
#[cfg(feature = "encryption")]
use growthbook_core::DecryptionKey;
use growthbook_core::auto::AutoExperimentOptions;
use growthbook_core::bucketing::{BucketRange, bucket_ranges, choose_variation, hash};
use growthbook_core::condition::Condition;
#[cfg(feature = "encryption")]
use growthbook_core::encryption::decrypt;
use growthbook_core::experiment::{Filter, VariationMeta};
use growthbook_core::reduce::{Pruned, ReduceOptions, prune_condition, reduce_payload};
use growthbook_core::sticky::{StickyBucketDocument, StickyBuckets};
use growthbook_core::url::{UrlTarget, query_string_override};
use growthbook_core::{
    Attributes, Evaluator, Experiment, ExperimentDefinition, ExperimentResult, FeatureResult,
    FeatureResultSource as Source, GlobalContext, Payload, Snapshot, UserContext,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde::Serialize;
use serde_json::Value;

const SMALL_STACK: usize = 1024 * 1024;

/// Runs on a stack of one megabyte, which unbounded recursion overflows.
fn on_small_stack<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(SMALL_STACK);
        let worker = builder.spawn_scoped(scope, work).unwrap();
        worker.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn evaluate_everything(payload: &Payload, user: &UserContext, globals: &GlobalContext) {
    let snapshot = payload.compile();
    let _ = (payload.features(), format!("{payload:?} {snapshot:?} {user:?} {globals:?}"));
    for warning in snapshot.warnings() {
        assert!(!warning.to_string().is_empty());
    }
    let gb = snapshot.for_user_with(globals, user);
    for (key, result) in gb.evaluate_all().iter() {
        assert_eq!(result.on, gb.is_on(key));
    }
    check_json(&gb.evaluate_all());
    for result in gb.run_auto_experiments(&AutoExperimentOptions::new()) {
        check_json(&result);
        check_assignment(&result.result, result.experiment.definition());
    }
    let assigned = |key| {
        let mut document = StickyBucketDocument::new(key);
        document.assignments.insert("f0__0".into(), "1".into());
        document
    };
    let mut buckets: StickyBuckets = gb.sticky_keys().into_iter().map(assigned).collect();
    for key in snapshot.feature_keys().chain(["no such feature"]) {
        check_feature(&gb.eval_feature(key));
        assert_ne!(gb.is_on(key), gb.is_off(key), "{key:?}");
        check_explanation(&gb, key);
        let _: i64 = gb.feature_value(key, 0);
        let _: &str = gb.feature_value(key, "");
        let _: Option<Vec<f64>> = gb.feature_value(key, None);
        // The second time finds the assignments of the first.
        for _ in 0..2 {
            check_feature(&gb.sticky(&mut buckets).eval_feature(key));
        }
    }
    for document in buckets.take_changed() {
        let text = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<StickyBucketDocument>(&text).unwrap(), document);
    }
}

fn check_feature(result: &FeatureResult<'_>) {
    assert_ne!(result.on, result.off);
    let falsy = match result.value() {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    assert_eq!(result.off, falsy, "{result:?}");
    check_json(result);
    if let Some(assigned) = &result.experiment_result {
        assert_eq!(result.source, Source::Experiment);
        check_assignment(assigned, result.experiment.unwrap().definition);
    }
}

/// Checks that the explanation agrees with the result.
fn check_explanation(gb: &Evaluator<'_>, key: &str) {
    let (result, explanation) = (gb.eval_feature(key), gb.explain(key));
    assert_eq!(explanation.source, result.source, "{explanation}");
    assert_eq!(&explanation.value, result.value(), "{explanation}");
    assert!(serde_json::to_string(&explanation).is_ok());
    // The text escapes control characters of the key.
    assert!(explanation.to_string().contains(" = ") && !format!("{explanation:?}").is_empty());
}

fn check_assignment<T: Serialize + fmt::Debug>(
    result: &ExperimentResult<'_, T>,
    experiment: &ExperimentDefinition,
) {
    assert!(result.variation_id < experiment.variation_count().max(1), "{result:?}");
    assert_eq!(result.hash_used, result.bucket.is_some());
    assert!(result.bucket.is_none_or(|bucket| (0.0..1.0).contains(&bucket)), "{result:?}");
    check_json(result);
    check_json(experiment);
}

/// Checks that the result serializes to a valid JSON object.
fn check_json(result: &(impl Serialize + fmt::Debug)) {
    let text = serde_json::to_string(result).unwrap();
    assert!(serde_json::from_str::<Value>(&text).unwrap().is_object(), "{text}");
    assert!(!format!("{result:?}").is_empty());
}

proptest! {
    // A failure is replayed from proptest's output, not from a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plausible_payloads_evaluate(bytes in vec(any::<u8>(), 0..1_500)) {
        let mut draw = Draw::from(&bytes);
        let (user, text) = (draw.user(), draw.payload());
        let overriding = serde_json::from_str(&draw.experiment()).unwrap_or_default();
        let globals = GlobalContext::new()
            .attributes(draw.attributes())
            .url(&draw.string())
            .groups([draw.string()])
            .experiment_overrides([("f0", overriding)]);
        on_small_stack(|| {
            if let Ok(payload) = Payload::from_json(&text) {
                evaluate_everything(&payload, &user, &globals);
            }
        });
    }

    /// The features of a reduced payload keep value and source, for the user whose attributes were
    /// known in part.
    #[test]
    fn reduced_payloads_evaluate(bytes in vec(any::<u8>(), 0..1_500), known in vec(any::<bool>(), 8)) {
        let mut draw = Draw::from(&bytes);
        let (user, text) = (draw.user(), draw.payload());
        let known = user.attributes().iter().zip(known).filter(|(_, known)| *known);
        let known: Attributes = known.map(|((name, value), _)| (name, value.clone())).collect();
        on_small_stack(|| {
            let Ok(payload) = Payload::from_json(&text) else { return };
            let reduced = reduce_payload(&payload, &ReduceOptions::new().attributes(known));
            let reduced = Payload::from_json(reduced.to_json_string()).unwrap();
            evaluate_everything(&reduced, &user, &GlobalContext::new());
            let (whole, reduced) = (payload.compile(), reduced.compile());
            for key in reduced.feature_keys() {
                let [before, after] = [&whole, &reduced].map(|it| it.for_user(&user).eval_feature(key));
                assert_eq!(after.value(), before.value(), "{key} of {text}");
                assert_eq!(after.source, before.source, "{key} of {text}");
            }
        });
    }

    #[test]
    fn pruned_conditions_evaluate(bytes in vec(any::<u8>(), 0..400), known in vec(any::<bool>(), 8)) {
        let mut draw = Draw::from(&bytes);
        let (user, text) = (draw.user(), draw.condition(4));
        let known = user.attributes().iter().zip(known).filter(|(_, known)| *known);
        let known: Attributes = known.map(|((name, value), _)| (name, value.clone())).collect();
        on_small_stack(|| {
            let Ok(condition) = Condition::from_json(&text) else { return };
            let snapshot = Snapshot::empty();
            let passes = snapshot.for_user(&user).eval_condition(&condition);
            match prune_condition(&known, &condition, &snapshot) {
                Pruned::True => assert!(passes, "{text}"),
                Pruned::False => assert!(!passes, "{text}"),
                Pruned::Condition(rest) => {
                    let rest_passes = snapshot.for_user(&user).eval_condition(&rest);
                    assert_eq!(rest_passes, passes, "{rest:?} of {text}");
                }
            }
        });
    }

    #[test]
    fn any_json_in_any_section_is_handled(bytes in vec(any::<u8>(), 0..300), key: String) {
        let mut draw = Draw::from(&bytes);
        let (feature, groups, user) = (draw.json(5), draw.json(5), draw.user());
        let features = format!("{{{}:{feature}}}", quoted(&key));
        let sections = ["savedGroups", "contextualBandits"]
            .map(|section| format!(r#"{{"features":{features},"{section}":{groups}}}"#));
        on_small_stack(|| {
            for text in [&sections[0], &sections[1], &groups] {
                if let Ok(payload) = Payload::from_json(text) {
                    evaluate_everything(&payload, &user, &GlobalContext::new());
                }
            }
            let parts = (serde_json::from_str(&features), serde_json::from_str(&groups));
            if let (Ok(features), Ok(groups)) = parts {
                let payload = Payload::from_parts(&features, Some(&groups)).unwrap();
                evaluate_everything(&payload, &user, &GlobalContext::new());
            }
        });
    }

    #[test]
    fn damaged_payloads_are_handled(
        bytes in vec(any::<u8>(), 0..600), position: Index, byte: u8, cut: bool,
    ) {
        let mut draw = Draw::from(&bytes);
        let (user, mut document) = (draw.user(), draw.payload().into_bytes());
        let position = position.index(document.len());
        if cut {
            document.truncate(position);
        } else {
            document.splice(position..=position, [byte]);
        }
        on_small_stack(|| {
            match Payload::from_json(&document) {
                Ok(payload) => evaluate_everything(&payload, &user, &GlobalContext::new()),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        });
    }

    #[test]
    fn random_bytes_are_refused(bytes in vec(any::<u8>(), 0..64)) {
        on_small_stack(|| assert!(Payload::from_json(&bytes).is_err()));
    }

    #[test]
    fn conditions_evaluate(bytes in vec(any::<u8>(), 0..400)) {
        let mut draw = Draw::from(&bytes);
        let (user, texts) = (draw.user(), [draw.condition(4), draw.json(5)]);
        on_small_stack(|| {
            let snapshot = Snapshot::empty();
            let gb = snapshot.for_user(&user);
            for condition in texts.iter().flat_map(|text| Condition::from_json(text)) {
                gb.eval_condition(&condition);
                gb.eval_condition(&Condition::from(condition.to_json()));
                check_json(&condition);
            }
        });
    }

    #[test]
    fn inline_experiments_run(bytes in vec(any::<u8>(), 0..1_000)) {
        let mut draw = Draw::from(&bytes);
        let texts = [draw.experiment(), draw.json(5)];
        let (user, payload) = (draw.user(), draw.payload());
        on_small_stack(|| {
            let snapshot =
                Payload::from_json(&payload).map_or_else(|_| Snapshot::empty(), |it| it.compile());
            let gb = snapshot.for_user(&user);
            for experiment in texts.iter().flat_map(|text| Experiment::from_json(text)) {
                check_assignment(&gb.run(&experiment), experiment.definition());
                let mut buckets = StickyBuckets::new();
                for _ in 0..2 {
                    let result = gb.sticky(&mut buckets).run(&experiment);
                    check_assignment(&result, experiment.definition());
                }
                gb.sticky_assignment(experiment.definition(), &buckets);
            }
        });
    }

    #[test]
    fn experiments_built_in_code_run(
        key: String, attribute: String, coverage in prop::num::f64::ANY,
        weights in vec(prop::num::f64::ANY, 0..4), version in prop_oneof![1..=2_i64, any::<i64>()],
        ranges in vec((prop::num::f64::ANY, -0.5..1.5), 0..4), pattern: String, force: i64,
        url: String,
    ) {
        on_small_stack(|| {
            let user = UserContext::new(&*key).attribute(&*attribute, &*url).url(&url);
            let plain = Experiment::new(&*key, [1, 2, 3]).coverage(coverage).hash_version(version);
            let experiments = [
                plain.clone().weights(weights).seed(&*attribute).hash_attribute(&*attribute),
                plain.clone().ranges(ranges.clone()).meta([VariationMeta::new(&*key)]),
                plain.clone().namespace(&*key, coverage, 0.5),
                plain.clone().filters([Filter::new(&*key, ranges).attribute(attribute)]),
                plain.clone().url_patterns([UrlTarget::simple(&*pattern)]),
                plain.clone().url_patterns([UrlTarget::regex(pattern)]),
                plain.clone().url_patterns([UrlTarget::simple(&*url)]),
                plain.force(force),
            ];
            for experiment in experiments {
                let snapshot = Snapshot::empty();
                check_assignment(&snapshot.for_user(&user).run(&experiment), experiment.definition());
            }
        });
    }

    #[test]
    fn any_pattern_and_text_are_handled(
        pattern in prop_oneof![any::<String>(), r"[\^$.|?*+()\[\]{}aZ1\\,<=!:\-é]{0,16}"],
        text in prop_oneof![any::<String>(), "[aZ1é😀-]{0,8}"],
    ) {
        on_small_stack(|| {
            let user = UserContext::new(&*text).attribute(&*pattern, true).url(&text);
            let snapshot = Snapshot::empty();
            let gb = snapshot.for_user(&user);
            check_feature(&gb.eval_feature(&pattern));
            let operand = quoted(&pattern);
            let tests = ["$regex", "$regexi", "$notRegex", "$notRegexi", "$vgt", "$lt", "$eq"]
                .map(|operator| format!(r#"{{"id":{{"{operator}":{operand}}}}}"#));
            let list = format!(r#"{{"id":{{"$ini":[{operand}]}},{operand}:true}}"#);
            for text in tests.iter().chain([&list]) {
                gb.eval_condition(&Condition::from_json(text).unwrap());
            }
        });
    }

    #[test]
    fn any_number_and_key_are_handled(
        seed: String, value: String, version: i64, bucket in prop::num::f64::ANY, count in 0..6_usize,
        coverage in prop::num::f64::ANY, weights in vec(prop::num::f64::ANY, 0..6),
        bounds in vec((prop::num::f64::ANY, prop::num::f64::ANY), 0..6), url: String,
    ) {
        for version in [1, 2, version] {
            let bucket = hash(&seed, &value, version);
            assert!(bucket.is_none_or(|bucket| (0.0..1.0).contains(&bucket)));
        }
        let ranges = bucket_ranges(count, coverage, Some(&weights));
        assert_eq!(ranges.len(), count);
        assert!(choose_variation(bucket, &ranges).is_none_or(|index| index < count));
        let ranges: Vec<BucketRange> = bounds.into_iter().map(Into::into).collect();
        assert!(choose_variation(bucket, &ranges).is_none_or(|index| index < ranges.len()));
        let overriding = query_string_override(&seed, &format!("{url}?{seed}=1"), count);
        assert!(overriding.is_none_or(|index| index < count));
    }
}

#[cfg(feature = "encryption")]
proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_keys_are_refused(key: String) {
        assert!(DecryptionKey::from_base64(&key).is_err());
    }

    #[test]
    fn any_encrypted_text_is_handled(
        key in "[A-Za-z0-9+/]{21}[AQgw]==",
        text in prop_oneof![
            any::<String>(),
            r"[A-Za-z0-9+/]{21}[AQgw]==\.([A-Za-z0-9+/]{4}){0,24}([A-Za-z0-9+/]{2}==)?",
            r"[A-Za-z0-9+/]{21}[AQgw]==\.[A-Za-z0-9+/]{42}[A-P]=",
        ],
    ) {
        on_small_stack(|| {
            let key = DecryptionKey::from_base64(&key).unwrap();
            let _ = decrypt(&text, &key);
            for section in ["encryptedFeatures", "encryptedSavedGroups", "encryptedContextualBandits"] {
                let document = format!(r#"{{"features":{{}},"{section}":{}}}"#, quoted(&text));
                if let Ok(payload) = Payload::from_encrypted_json(&document, &key) {
                    evaluate_everything(&payload, &UserContext::new("u"), &GlobalContext::new());
                }
            }
        });
    }
}
