//! The scenarios of OpenFeature's specification of evaluations, as tables.
//!
//! They differ in two points. GrowthBook has no variants without a rule, so each flag gets its value
//! from a rule whose id is the variant; the reason is `TARGETING_MATCH` in place of `STATIC`. In
//! OpenFeature for Rust, the application gives its default to the `Result`, not to the evaluation.

use growthbook_openfeature::{Json, struct_to_json};
use open_feature::{
    Client as Flags, EvaluationContext, EvaluationDetails, EvaluationErrorCode as Code,
    EvaluationResult, StructValue,
};
use serde_json::{Value, json};

use crate::support::{flags_of, provider, reason};

/// The flags of the specification: name, variant, value.
fn features() -> Value {
    let template =
        json!({"showImages": true, "title": "Check out these pics!", "imagesPerPage": 100});
    let flags = [
        ("boolean-flag", "on", json!(true)),
        ("string-flag", "greeting", json!("hi")),
        ("integer-flag", "ten", json!(10)),
        ("float-flag", "half", json!(0.5)),
        ("object-flag", "template", template.clone()),
        ("boolean-zero-flag", "zero", json!(false)),
        ("string-zero-flag", "zero", json!("")),
        ("integer-zero-flag", "zero", json!(0)),
        ("float-zero-flag", "zero", json!(0.0)),
        ("object-zero-flag", "zero", json!({})),
        ("wrong-flag", "one", json!("uno")),
    ];
    let mut features = json!({});
    for (name, variant, value) in flags {
        features[name] = json!({"rules": [{"id": variant, "force": value}]});
    }
    let targeted = [
        ("boolean-targeted-zero-flag", json!(false)),
        ("string-targeted-zero-flag", json!("")),
        ("integer-targeted-zero-flag", json!(0)),
        ("float-targeted-zero-flag", json!(0.0)),
        ("object-targeted-zero-flag", json!({})),
    ];
    for (name, value) in targeted {
        let condition = json!({"email": "ballmer@macrosoft.com"});
        let rules = json!([{"id": "zero", "condition": condition, "force": value}]);
        features[name] = json!({"defaultValue": value, "rules": rules});
    }
    let insiders = json!({
        "fn": "Sulisław", "ln": "Świętopełk", "age": {"$gte": 29}, "customer": false,
    });
    features["context-aware"] = json!({"defaultValue": "EXTERNAL", "rules": [
        {"id": "internal", "condition": insiders, "force": "INTERNAL"},
    ]});
    features["null-default-flag"] = json!({"defaultValue": null});
    features
}

/// A type in the scenarios.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Boolean,
    String,
    Integer,
    Float,
    Object,
}

const KINDS: [Kind; 5] = [Kind::Boolean, Kind::String, Kind::Integer, Kind::Float, Kind::Object];

/// Evaluates with details. The value is JSON, so that a table can have all types.
async fn evaluate(
    flags: &Flags,
    kind: Kind,
    key: &str,
    context: Option<&EvaluationContext>,
) -> EvaluationResult<EvaluationDetails<Value>> {
    fn json<T>(
        details: EvaluationDetails<T>,
        value: impl FnOnce(T) -> Value,
    ) -> EvaluationDetails<Value> {
        let EvaluationDetails { flag_key, value: it, reason, variant, flag_metadata } = details;
        EvaluationDetails { flag_key, value: value(it), reason, variant, flag_metadata }
    }
    Ok(match kind {
        Kind::Boolean => json(flags.get_bool_details(key, context, None).await?, Into::into),
        Kind::String => json(flags.get_string_details(key, context, None).await?, Into::into),
        Kind::Integer => json(flags.get_int_details(key, context, None).await?, Into::into),
        Kind::Float => json(flags.get_float_details(key, context, None).await?, Into::into),
        Kind::Object => {
            let details = flags.get_struct_details::<StructValue>(key, context, None).await?;
            json(details, |value| struct_to_json(&value))
        }
    })
}

#[tokio::test]
async fn values_and_details_are_resolved() {
    let flags = flags_of(provider(features())).await;
    let template =
        json!({"showImages": true, "title": "Check out these pics!", "imagesPerPage": 100});
    for (kind, key, value, variant) in [
        (Kind::Boolean, "boolean-flag", json!(true), "on"),
        (Kind::String, "string-flag", json!("hi"), "greeting"),
        (Kind::Integer, "integer-flag", json!(10), "ten"),
        (Kind::Float, "float-flag", json!(0.5), "half"),
        (Kind::Object, "object-flag", template, "template"),
        (Kind::Boolean, "boolean-zero-flag", json!(false), "zero"),
        (Kind::String, "string-zero-flag", json!(""), "zero"),
        (Kind::Integer, "integer-zero-flag", json!(0), "zero"),
        (Kind::Float, "float-zero-flag", json!(0.0), "zero"),
        (Kind::Object, "object-zero-flag", json!({}), "zero"),
    ] {
        let details = evaluate(&flags, kind, key, None).await.unwrap();
        assert_eq!((details.flag_key.as_str(), &details.value), (key, &value));
        assert_eq!(reason(&details), ("TARGETING_MATCH".into(), Some(variant)), "{key}");
    }
    assert!(flags.get_bool_value("boolean-flag", None, None).await.unwrap());
    assert_eq!(flags.get_string_value("string-flag", None, None).await.unwrap(), "hi");
    assert_eq!(flags.get_int_value("integer-flag", None, None).await.unwrap(), 10);
    assert_eq!(flags.get_float_value("float-flag", None, None).await.unwrap(), 0.5);
    let Json(object) =
        flags.get_struct_value::<Json<Value>>("object-flag", None, None).await.unwrap();
    assert_eq!(object["imagesPerPage"], 100);
}

#[tokio::test]
async fn zero_value_is_resolved_with_targeting() {
    let flags = flags_of(provider(features())).await;
    let email = |email: &str| EvaluationContext::default().with_custom_field("email", email);
    for (kind, key, value) in [
        (Kind::Boolean, "boolean-targeted-zero-flag", json!(false)),
        (Kind::String, "string-targeted-zero-flag", json!("")),
        (Kind::Integer, "integer-targeted-zero-flag", json!(0)),
        (Kind::Float, "float-targeted-zero-flag", json!(0.0)),
        (Kind::Object, "object-targeted-zero-flag", json!({})),
    ] {
        for (context, expected) in [
            (Some(email("ballmer@macrosoft.com")), ("TARGETING_MATCH".into(), Some("zero"))),
            (Some(email("ballmer@none.com")), ("DEFAULT".into(), None)),
            (None, ("DEFAULT".into(), None)),
        ] {
            let details = evaluate(&flags, kind, key, context.as_ref()).await.unwrap();
            assert_eq!(details.value, value, "{key}");
            assert_eq!(reason(&details), expected, "{key}");
        }
    }
}

#[tokio::test]
async fn context_decides() {
    let flags = flags_of(provider(features())).await;
    let insider = EvaluationContext::default()
        .with_custom_field("fn", "Sulisław")
        .with_custom_field("ln", "Świętopełk")
        .with_custom_field("age", 29)
        .with_custom_field("customer", false);
    let value = flags.get_string_value("context-aware", Some(&insider), None).await;
    assert_eq!(value.unwrap(), "INTERNAL");
    let value = flags.get_string_value("context-aware", None, None).await;
    assert_eq!(value.unwrap(), "EXTERNAL");
}

#[tokio::test]
async fn missing_flag_is_not_found() {
    let flags = flags_of(provider(features())).await;
    for kind in KINDS {
        let error = evaluate(&flags, kind, "missing-flag", None).await.unwrap_err();
        assert_eq!(error.code, Code::FlagNotFound);
        assert!(error.message.unwrap().contains("missing-flag"));
    }
    let value = flags.get_string_value("missing-flag", None, None).await;
    assert_eq!(value.unwrap_or_else(|_| "uh-oh".into()), "uh-oh");
}

#[tokio::test]
async fn other_type_is_a_mismatch() {
    let flags = flags_of(provider(features())).await;
    let value = flags.get_int_value("wrong-flag", None, None).await;
    assert_eq!(value.unwrap_or(13), 13);
    let flag_kinds = [
        ("boolean-flag", Kind::Boolean),
        ("string-flag", Kind::String),
        ("integer-flag", Kind::Integer),
        ("float-flag", Kind::Float),
        ("object-flag", Kind::Object),
        ("null-default-flag", Kind::Object),
    ];
    for (key, own) in flag_kinds {
        for kind in KINDS {
            let result = evaluate(&flags, kind, key, None).await;
            // An integer is a float, too. Null is of no type.
            let is_own = own as u8 == kind as u8 && key != "null-default-flag";
            if is_own || (key, kind as u8) == ("integer-flag", Kind::Float as u8) {
                assert!(result.is_ok(), "{key} as {kind:?}");
            } else {
                let error = result.unwrap_err();
                assert_eq!(error.code, Code::TypeMismatch, "{key} as {kind:?}");
                assert!(error.message.unwrap().contains(key));
            }
        }
    }
}
