//! Parses any bytes as a payload, and evaluates every payload. Neither may panic.

#![no_main]

use growthbook_core::auto::AutoExperimentOptions;
use growthbook_core::{Payload, UserContext};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(payload) = Payload::from_json(bytes) else {
        return;
    };
    let snapshot = payload.compile();
    for warning in snapshot.warnings() {
        assert!(!warning.to_string().is_empty());
    }
    let user = UserContext::new("u")
        .attribute("company", "acme")
        .attribute("version", "1.2.3")
        .attribute("age", 30)
        .attribute("premium", true);
    let gb = snapshot.for_user(&user);
    for key in snapshot.feature_keys() {
        let result = gb.eval_feature(key);
        assert_ne!(result.on, result.off);
        assert_eq!(gb.explain(key).feature, key);
    }
    let _ = gb.run_auto_experiments(&AutoExperimentOptions::new());
});
