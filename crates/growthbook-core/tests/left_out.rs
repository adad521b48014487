//! Builds without a part of the core: an evaluation that needs it fails closed, and a warning names
//! the Cargo feature.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use growthbook_core::auto::AutoExperimentOptions;
use growthbook_core::{Payload, Snapshot, UserContext};

fn compile(features: &str) -> Snapshot {
    Payload::from_json(format!(r#"{{"features": {{{features}}}}}"#)).unwrap().compile()
}

fn warnings(snapshot: &Snapshot) -> Vec<String> {
    snapshot.warnings().iter().map(ToString::to_string).collect()
}

/// Checks that the warnings name the feature exactly when it is off.
#[track_caller]
fn assert_named(snapshot: &Snapshot, feature: &str, is_on: bool) {
    let warnings = warnings(snapshot);
    let named = warnings.iter().filter(|it| it.contains(&format!("the Cargo feature `{feature}`")));
    assert_eq!(named.count() > 0, !is_on, "{warnings:?}");
    assert_eq!(warnings.is_empty(), is_on, "{warnings:?}");
}

#[test]
fn expression_needs_regex() {
    let is_on = cfg!(feature = "regex");
    let snapshot = compile(
        r#""matches": {"rules": [{"condition": {"id": {"$regex": "^user-\\d+$"}}, "force": true}]},
           "negated": {"rules": [
               {"condition": {"id": {"$not": {"$regex": "^admin-\\d+$"}}}, "force": true}]}"#,
    );
    let user = UserContext::new("user-1");
    let gb = snapshot.for_user(&user);
    assert_eq!(gb.is_on("matches"), is_on);
    assert_eq!(gb.is_on("negated"), is_on);
    assert_named(&snapshot, "regex", is_on);
}

#[test]
fn plain_text_needs_no_feature() {
    let snapshot = compile(
        r#""f": {"rules": [{"condition": {"id": {"$regex": "@example"}}, "force": true}]}"#,
    );
    assert!(snapshot.for_user(&UserContext::new("1@example.com")).is_on("f"));
    assert!(!snapshot.for_user(&UserContext::new("1")).is_on("f"));
    assert_eq!(warnings(&snapshot), Vec::<String>::new());
}

/// Compiles an auto experiment with these URL patterns. Its second variation is for all users.
fn on_pages(targets: &str, variation: &str) -> Snapshot {
    let text = format!(
        r#"{{"features": {{}}, "experiments": [{{"key": "e", "weights": [0, 1],
            "urlPatterns": [{targets}], "variations": [{{}}, {variation}]}}]}}"#
    );
    Payload::from_json(text).unwrap().compile()
}

fn takes_part(snapshot: &Snapshot, user: &UserContext) -> bool {
    !snapshot.for_user(user).run_auto_experiments(&AutoExperimentOptions::new()).is_empty()
}

/// The first feature that URL patterns lack.
const OF_PATTERNS: &str = if cfg!(feature = "url") { "regex" } else { "url" };

#[test]
fn url_pattern_needs_url_and_regex() {
    let is_on = cfg!(all(feature = "url", feature = "regex"));
    let included = r#"{"type": "simple", "pattern": "/a/*", "include": true}"#;
    let excluded = r#"{"type": "simple", "pattern": "/b/*", "include": false}"#;
    let user = UserContext::new("1").url("https://example.com/a/b");
    for targets in [included, excluded, &[included, excluded].join(",")] {
        let snapshot = on_pages(targets, r#"{"css": "a"}"#);
        assert_eq!(takes_part(&snapshot, &user), is_on, "{targets}");
        assert_named(&snapshot, OF_PATTERNS, is_on);
        let nowhere = UserContext::new("1");
        assert!(is_on || !takes_part(&snapshot, &nowhere), "{targets}");
    }
}

#[test]
fn redirect_needs_url() {
    let is_on = cfg!(all(feature = "url", feature = "regex"));
    let target = r#"{"type": "simple", "pattern": "/a", "include": true}"#;
    let snapshot = on_pages(target, r#"{"urlRedirect": "https://example.com/b"}"#);
    let user = UserContext::new("1").url("https://example.com/a");
    assert_eq!(takes_part(&snapshot, &user), is_on);
    assert_named(&snapshot, OF_PATTERNS, is_on);
}

#[test]
fn query_string_override_works_without_url() {
    let snapshot = compile(
        r#""f": {"rules": [{"key": "my exp", "variations": [false, true], "weights": [1, 0]}]}"#,
    );
    for url in ["https://example.com/?my%20exp=1", "/path?my+exp=1#top"] {
        let user = UserContext::new("1").url(url);
        assert!(snapshot.for_user(&user).is_on("f"), "{url}");
    }
    assert!(!snapshot.for_user(&UserContext::new("1")).is_on("f"));
    assert_eq!(warnings(&snapshot), Vec::<String>::new());
}

#[cfg(not(feature = "encryption"))]
#[test]
fn encrypted_section_needs_encryption() {
    let error = Payload::from_json(r#"{"encryptedFeatures": "abc"}"#).unwrap_err();
    assert!(error.to_string().contains("the Cargo feature `encryption`"), "{error}");
    let text = r#"{"features": {}, "encryptedSavedGroups": "abc"}"#;
    assert_named(&Payload::from_json(text).unwrap().compile(), "encryption", false);
}
