//! The text of every public error. `texts.txt` has them, one in a line, to be read as a whole: each
//! says what is wrong, where, and what to do.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod sources;

use std::fmt::Display;
use std::io;
use std::sync::Arc;

use growthbook::cache::{PayloadCacheError, RedisCacheError};
use growthbook::condition::ConditionError;
use growthbook::encryption::DecryptError;
use growthbook::experiment::{ExperimentError, NoVariations};
use growthbook::fetch::{
    CloseTimedOut, ConfigError, ConnectionConfigError, DateProblem, FetchErrorKind,
};
use growthbook::ingestor::TrackingConfigError;
use growthbook::remote_eval::RemoteEvalError;
use growthbook::sticky::{CookieError, FlushTimedOut, StickyBucketStoreError};
use growthbook::webhook::WebhookError;
use growthbook::{Client, FetchError, PayloadError, StartError, ValueError, redis};
use serde_json::json;

const TEXTS: &str = include_str!("texts.txt");

#[test]
fn texts_are_those_of_the_file() {
    let actual = texts();
    let expected: Vec<&str> = TEXTS.lines().collect();
    for (actual, expected) in actual.iter().zip(&expected) {
        assert_eq!(actual, expected);
    }
    assert_eq!(actual.len(), expected.len(), "\n{}", actual.join("\n"));
}

/// Each variant of a public error type in the sources is in the file.
#[test]
fn every_variant_is_in_the_file() {
    let variants = sources::variants();
    assert!(variants.len() > 80, "{variants:?}");
    let is_listed = |variant: &&String| {
        TEXTS.lines().any(|line| line.split_once(": ").is_some_and(|(label, _)| label == **variant))
    };
    let missing: Vec<&String> = variants.iter().filter(|variant| !is_listed(variant)).collect();
    assert!(missing.is_empty(), "texts.txt lacks {missing:?}");
}

/// A text without advice is a fact only.
#[test]
fn every_text_says_what_to_do() {
    for line in TEXTS.lines() {
        let (_, text) = line.split_once(": ").unwrap();
        let (_, advice) = text.split_once([':', ';', ',']).unwrap_or_else(|| panic!("{text}"));
        assert!(advice.split_whitespace().count() >= 2, "{text}");
    }
}

fn texts() -> Vec<String> {
    let mut texts = Vec::new();
    let mut add = |label: &str, error: &dyn Display| texts.push(format!("{label}: {error}"));
    let (line, column) = (2, 7);
    let thread = || io::Error::other("no thread");

    add("PayloadError::NotUtf8", &PayloadError::NotUtf8);
    add("PayloadError::Syntax", &PayloadError::Syntax { line, column });
    add("PayloadError::NotAnObject", &PayloadError::NotAnObject);
    add("PayloadError::MissingFeatures", &PayloadError::MissingFeatures);
    add("PayloadError::FeaturesNotAnObject", &PayloadError::FeaturesNotAnObject);
    add("PayloadError::MissingDecryptionKey", &PayloadError::MissingDecryptionKey);
    add("PayloadError::EncryptedFeaturesInvalid", &PayloadError::EncryptedFeaturesInvalid);
    add("PayloadError::Decrypt", &PayloadError::Decrypt(DecryptError::WrongKey));
    add("DecryptError::InvalidKey", &DecryptError::InvalidKey);
    add("DecryptError::Malformed", &DecryptError::Malformed);
    add("DecryptError::WrongKey", &DecryptError::WrongKey);

    add("ValueError::UnknownFeature", &ValueError::UnknownFeature);
    add("ValueError::NoValue", &ValueError::NoValue);
    add("ValueError::WrongType", &ValueError::WrongType(&json!([1])));
    add("ConditionError::Syntax", &ConditionError::Syntax { line, column });
    add("ConditionError::NotAnObject", &ConditionError::NotAnObject);
    add("ExperimentError::Syntax", &ExperimentError::Syntax { line, column });
    add("ExperimentError::NotAnObject", &ExperimentError::NotAnObject);
    add("ExperimentError::MissingKey", &ExperimentError::MissingKey);
    add("ExperimentError::MissingVariations", &ExperimentError::MissingVariations);
    add("NoVariations", &NoVariations);

    let field = "attributes";
    add("RemoteEvalError::TooLarge", &RemoteEvalError::TooLarge);
    add("RemoteEvalError::NotUtf8", &RemoteEvalError::NotUtf8);
    add("RemoteEvalError::Syntax", &RemoteEvalError::Syntax { line, column });
    add("RemoteEvalError::NotAnObject", &RemoteEvalError::NotAnObject);
    let wrong_type = RemoteEvalError::WrongType { field, expected: "an object" };
    add("RemoteEvalError::WrongType", &wrong_type);
    add("RemoteEvalError::TooManyKeys", &RemoteEvalError::TooManyKeys { field });
    add("RemoteEvalError::Unreadable", &RemoteEvalError::Unreadable { field });

    let name = "webhook-signature";
    add("WebhookError::EmptySecret", &WebhookError::EmptySecret);
    add("WebhookError::MissingHeader", &WebhookError::MissingHeader { name });
    add("WebhookError::InvalidHeader", &WebhookError::InvalidHeader { name });
    add("WebhookError::WrongSignature", &WebhookError::WrongSignature);
    add("WebhookError::TooOld", &WebhookError::TooOld { seconds: 400 });
    add("WebhookError::InTheFuture", &WebhookError::InTheFuture { seconds: 400 });
    add("WebhookError::UnknownBody", &WebhookError::UnknownBody);

    let start = |error: &StartError| error.to_string();
    let refused = |host: &str| Client::builder("sdk-1").api_host(host).start().unwrap_err();
    add("StartError::Config", &start(&refused("cdn.growthbook.io")));
    add("StartError::Fallback", &start(&StartError::Fallback(PayloadError::MissingFeatures)));
    add("StartError::Thread", &start(&StartError::Thread(thread())));
    add("StartError::Thread", &growthbook_fetch::StartError::Thread(thread()));
    add("StartError::DecryptionKey", &StartError::DecryptionKey);
    add("StartError::StickyBucketStore", &StartError::StickyBucketStore);
    for (label, error) in config_errors() {
        add(label, &error);
    }
    for (label, kind) in fetch_errors() {
        add(label, &FetchError::from(kind));
    }
    add("CloseTimedOut", &CloseTimedOut);
    add("DateProblem::InUseFromFuture", &DateProblem::InUseFromFuture);
    add("DateProblem::OlderRepeated", &DateProblem::OlderRepeated);

    let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
    let advised = "the disk is full: remove old files";
    add("PayloadCacheError", &PayloadCacheError::new(advised));
    add("StickyBucketStoreError", &StickyBucketStoreError::new(advised));
    add("RedisCacheError::Timeout", &RedisCacheError::Timeout);
    let paused = RedisCacheError::Paused { cause: Arc::new(RedisCacheError::Timeout) };
    add("RedisCacheError::Paused", &paused);
    add("RedisCacheError::Redis", &RedisCacheError::Redis(redis::RedisError::from(broken())));
    add("RedisCacheError::TooLarge", &RedisCacheError::TooLarge);
    add("RedisCacheError::Panicked", &RedisCacheError::Panicked);
    add("RedisCacheError::Thread", &RedisCacheError::Thread(Arc::new(thread())));
    add("CookieError::TooLong", &CookieError::TooLong);
    add("CookieError::Domain", &CookieError::Domain);
    add("FlushTimedOut", &FlushTimedOut { queued: 3 });

    add("TrackingConfigError::Host", &TrackingConfigError::Host);
    let error = TrackingConfigError::Connection(ConnectionConfigError::Proxy);
    add("TrackingConfigError::Connection", &error);
    add("TrackingConfigError::ZeroTimeout", &TrackingConfigError::ZeroTimeout);
    texts
}

fn config_errors() -> Vec<(&'static str, ConfigError)> {
    let of = |set: fn(growthbook::FetchOptions) -> growthbook::FetchOptions| {
        let started = Client::builder("sdk-1").fetch_options(set).start();
        match started.unwrap_err() {
            StartError::Config(error) => error,
            other => panic!("{other}"),
        }
    };
    let certificates = |certificate| {
        let text = 1;
        ConnectionConfigError::RootCertificates { text, certificate }
    };
    vec![
        ("ConfigError::EmptyClientKey", ConfigError::EmptyClientKey),
        ("ConfigError::ClientKey", ConfigError::ClientKey),
        ("ConfigError::SecretKey", ConfigError::SecretKey),
        ("ConfigError::ClientKeyIsAddress", ConfigError::ClientKeyIsAddress),
        ("ConfigError::ApiHost", of(|it| it.api_host("cdn.growthbook.io"))),
        ("ConfigError::ApiHost", of(|it| it.api_host("https://host/?key=s3cret"))),
        ("ConfigError::ApiHost", of(|it| it.api_host("user:s3cret@host"))),
        ("ConfigError::StreamingHost", of(|it| it.streaming_host("https://"))),
        ("ConfigError::UserInfo", ConfigError::UserInfo),
        ("ConfigError::Header", ConfigError::Header),
        ("ConfigError::Connection", ConnectionConfigError::Proxy.into()),
        ("ConfigError::Connection", certificates(0).into()),
        ("ConfigError::Connection", certificates(2).into()),
        ("ConfigError::Connection", ConnectionConfigError::SystemCertificates.into()),
        ("ConfigError::Connection", ConnectionConfigError::ClientCertificate.into()),
        ("ConfigError::Connection", ConnectionConfigError::ClientKey.into()),
        ("ConfigError::Connection", ConnectionConfigError::ClientKeyMismatch.into()),
        ("ConfigError::CloudHost", ConfigError::CloudHost),
        ("ConfigError::ZeroInterval", ConfigError::ZeroInterval),
        ("ConfigError::ZeroLimit", ConfigError::ZeroLimit),
    ]
}

fn fetch_errors() -> Vec<(&'static str, FetchErrorKind)> {
    let status = |code| {
        let unrecoverable = false;
        ("FetchErrorKind::Status", FetchErrorKind::Status { code, unrecoverable })
    };
    let payload = FetchErrorKind::Payload(PayloadError::MissingFeatures);
    vec![
        ("FetchErrorKind::Dns", FetchErrorKind::Dns),
        ("FetchErrorKind::Connect", FetchErrorKind::Connect),
        ("FetchErrorKind::Proxy", FetchErrorKind::Proxy),
        ("FetchErrorKind::Certificate", FetchErrorKind::Certificate),
        ("FetchErrorKind::Tls", FetchErrorKind::Tls),
        ("FetchErrorKind::System", FetchErrorKind::System),
        ("FetchErrorKind::Headers", FetchErrorKind::Headers),
        ("FetchErrorKind::Timeout", FetchErrorKind::Timeout),
        ("FetchErrorKind::Interrupted", FetchErrorKind::Interrupted),
        ("FetchErrorKind::Protocol", FetchErrorKind::Protocol),
        ("FetchErrorKind::Redirect", FetchErrorKind::Redirect),
        status(206),
        status(400),
        status(401),
        status(404),
        status(503),
        ("FetchErrorKind::NotAStream", FetchErrorKind::NotAStream),
        ("FetchErrorKind::BriefStream", FetchErrorKind::BriefStream),
        ("FetchErrorKind::Decompress", FetchErrorKind::Decompress),
        ("FetchErrorKind::TooLarge", FetchErrorKind::TooLarge { limit: 100 }),
        ("FetchErrorKind::NothingToConfirm", FetchErrorKind::NothingToConfirm),
        ("FetchErrorKind::Payload", payload),
        ("FetchErrorKind::Request", FetchErrorKind::Request(RemoteEvalError::TooLarge)),
        ("FetchErrorKind::Busy", FetchErrorKind::Busy),
        ("FetchErrorKind::Panicked", FetchErrorKind::Panicked),
        ("FetchErrorKind::Paused", FetchErrorKind::Paused),
        ("FetchErrorKind::Closed", FetchErrorKind::Closed),
        ("FetchErrorKind::NoServer", FetchErrorKind::NoServer),
    ]
}
