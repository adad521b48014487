//! Several users, evaluated against an embedded payload.

use std::error::Error;
use std::io::Write;
use std::sync::LazyLock;

use growthbook::{Client, Experiment, FeatureResult, UserContext};

/// An experiment declared in code: built once, run for every user.
static CTA: LazyLock<Experiment<&str>> = LazyLock::new(|| {
    Experiment::new("cta-text", ["Buy", "Order now"])
        .weights([0.3, 0.7])
        .coverage(0.8)
        .hash_version(2)
});

#[derive(serde::Deserialize)]
struct RateLimits {
    rps: u32,
    burst: u32,
}

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let client = Client::from_json(include_bytes!("features.json"))?;

    for user in users() {
        let id = user.attributes().get("id").map(|id| id.to_json().to_string()).unwrap_or_default();
        let gb = client.for_user(user);

        writeln!(out, "\nUser {id}")?;
        writeln!(
            out,
            "  {:<24} {:<26} {:<13} {:<21} {:<10} bucket",
            "feature", "value", "source", "rule", "variation"
        )?;
        for feature in client.snapshot().feature_keys() {
            writeln!(out, "  {feature:<24} {}", row(&gb.eval_feature(feature)))?;
        }

        let limits = gb.feature_value("rate-limits", RateLimits { rps: 1, burst: 1 });
        writeln!(
            out,
            "  typed value: {} requests a second, bursts of {}",
            limits.rps, limits.burst
        )?;

        let cta = gb.run(&CTA);
        writeln!(
            out,
            "  inline experiment {:?}: {:?} (in experiment: {}, bucket {})",
            CTA.definition().key(),
            cta.value,
            cta.in_experiment,
            cta.bucket.map_or("-".into(), |bucket| bucket.to_string()),
        )?;
    }
    Ok(())
}

fn users() -> [UserContext; 4] {
    [
        UserContext::new("user-1")
            .attribute("country", "US")
            .attribute("plan", "free")
            .attribute("appVersion", "3.10.1")
            .attribute("tags", ["reader", "new"]),
        UserContext::new("user-2")
            .attribute("country", "DE")
            .attribute("plan", "enterprise")
            .attribute("company", "acme")
            .attribute("appVersion", "3.1.0"),
        UserContext::new("user-3")
            .attribute("country", "CA")
            .attribute("plan", "pro")
            .attribute("email", "Robin@Example.com")
            .attribute("appVersion", "3.2.0"),
        UserContext::new("user-4").attribute("browser", "safari").attribute("browserVersion", 14),
    ]
}

fn row(result: &FeatureResult<'_>) -> String {
    let experiment = result.experiment_result.as_ref();
    let variation = experiment.map_or("-", |experiment| experiment.key);
    let bucket =
        experiment.and_then(|experiment| experiment.bucket).map_or("-".into(), |it| it.to_string());
    let rule = if result.rule_id.is_empty() { "-" } else { result.rule_id };
    format!(
        "{:<26} {:<13} {rule:<21} {variation:<10} {bucket}",
        result.value().to_string(),
        result.source,
    )
}
