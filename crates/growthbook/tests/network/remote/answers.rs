//! The answer of a user, and how long it is used.

use std::time::Duration;

use growthbook::fetch::FetchErrorKind as Kind;
use growthbook::remote_eval::RemoteEvalError;
use growthbook::{Attributes, FeatureResultSource, UserContext};
use serde_json::json;
use test_server::{Gate, Reply};

use super::{Evaluating, flag, kind, pro, value};
use crate::support::{PATIENCE, eventually};

#[test]
fn server_evaluates_for_each_user() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    let user = remote.wait_for_user(pro("a"), PATIENCE);
    assert_eq!(value(&user), 1);
    assert!(user.age.is_some() && user.error.is_none());
    assert_eq!(user.scope.user().attributes().len(), 2);
    assert_eq!(flag(&remote, json!({"id": "b", "plan": "free"})), 0);
    for _ in 0..3 {
        assert_eq!(flag(&remote, pro("a")), 1);
    }
    assert_eq!(server.evals(), 2);
    let status = remote.status();
    assert_eq!((status.answers, status.counters.requests, status.counters.failures), (2, 2, 0));
    assert!(status.answer_bytes > 0 && status.waiting == 0 && status.last_error.is_none());
}

#[test]
fn request_is_that_of_the_protocol() {
    let server = Evaluating::start(1);
    let remote = server
        .builder()
        .attributes(json!({"region": "eu", "plan": "free"}))
        .fetch_options(|options| options.api_header("x-token", "t"))
        .start()
        .unwrap();
    let user = UserContext::new("a")
        .attribute("plan", "pro")
        .url("https://example.com/")
        .forced_variation("exp", 1)
        .forced_feature("other", json!([1]));
    let user = remote.wait_for_user(user, PATIENCE);
    assert_eq!(value(&user), 1);
    let [request] = server.server.requests().try_into().unwrap();
    assert_eq!((&*request.method, &*request.path), ("POST", "/api/eval/sdk-secret-client-key"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-token"), Some("t"));
    assert_eq!(
        String::from_utf8(request.body).unwrap(),
        r#"{"attributes":{"id":"a","plan":"pro","region":"eu"},"forcedVariations":{"exp":1},"forcedFeatures":[["other",[1]]],"url":"https://example.com/"}"#
    );
    // The payload lacks the forced feature, so the server cannot answer it.
    let forced = user.scope.eval_feature("other");
    assert_eq!((forced.source, forced.value()), (FeatureResultSource::Override, &json!([1])));
    assert_eq!(user.scope.eval_feature("unknown").source, FeatureResultSource::UnknownFeature);
}

#[test]
fn users_with_the_same_key_attributes_share_an_answer() {
    let server = Evaluating::start(1);
    let options = |options: growthbook::remote::RemoteOptions| options.key_attributes(["plan"]);
    let remote = server.builder().remote_options(options).start().unwrap();
    assert_eq!(flag(&remote, pro("a")), 1);
    assert_eq!(flag(&remote, pro("b")), 1);
    assert_eq!(server.evals(), 1);
    // The URL and forced values belong to the key.
    remote.wait_for_user(UserContext::from(pro("a")).url("/other"), PATIENCE);
    remote.wait_for_user(UserContext::from(pro("a")).forced_feature("x", 1), PATIENCE);
    assert_eq!(server.evals(), 3);
}

#[test]
fn stale_answer_is_used_and_refreshed() {
    let server = Evaluating::start(1);
    let options = |options: growthbook::remote::RemoteOptions| options.soft_ttl(Duration::ZERO);
    let remote = server.builder().remote_options(options).start().unwrap();
    assert_eq!(flag(&remote, pro("a")), 1);
    let gate = Gate::closed();
    server.set(2);
    server.server.always_evals(Reply::held(&gate, Reply::normal()));
    // The server does not answer, so this did not wait for it.
    assert_eq!(flag(&remote, pro("a")), 1);
    assert_eq!(flag(&remote, pro("a")), 1);
    assert!(server.server.wait_until(PATIENCE, |counts| counts.evals == 2));
    gate.open();
    eventually("the next answer", || flag(&remote, pro("a")) == 2);
}

#[test]
fn expired_answer_is_used_only_if_the_server_fails() {
    let server = Evaluating::start(1);
    let options = |options: growthbook::remote::RemoteOptions| options.hard_ttl(Duration::ZERO);
    let remote = server.builder().remote_options(options).start().unwrap();
    assert_eq!(flag(&remote, pro("a")), 1);
    server.set(2);
    assert_eq!(flag(&remote, pro("a")), 2);
    server.server.always_evals(Reply::status(500));
    let user = remote.wait_for_user(pro("a"), PATIENCE);
    assert_eq!(value(&user), 2);
    assert_eq!(kind(&user), Some(Kind::Status { code: 500, unrecoverable: false }));
    assert!(user.age.is_some());
}

#[test]
fn least_recently_used_answer_is_forgotten() {
    let server = Evaluating::start(1);
    let two = std::num::NonZeroUsize::new(2).unwrap();
    let remote = server.builder().remote_options(|options| options.max_answers(two));
    let remote = remote.start().unwrap();
    for id in ["a", "b", "a", "c", "a"] {
        assert_eq!(flag(&remote, pro(id)), 1);
    }
    assert_eq!((server.evals(), remote.status().answers), (3, 2));
    flag(&remote, pro("b"));
    assert_eq!(server.evals(), 4);
}

#[test]
fn many_users_take_bounded_room() {
    let server = Evaluating::start(1);
    let hundred = std::num::NonZeroUsize::new(100).unwrap();
    let remote = server.builder().remote_options(|options| options.max_answers(hundred));
    let remote = remote.start().unwrap();
    flag(&remote, pro(0));
    let of_one = remote.status().answer_bytes;
    for id in 1..2_000 {
        assert_eq!(flag(&remote, pro(id)), 1);
    }
    let status = remote.status();
    assert_eq!((status.answers, status.answer_bytes), (100, 100 * of_one));
    assert_eq!((status.waiting, status.counters.requests), (0, 2_000));
}

#[test]
fn older_answer_is_ignored() {
    let server = Evaluating::start(1);
    let dated = |value: i64, year: u32| {
        json!({"features": {"flag": {"defaultValue": value}},
            "dateUpdated": format!("{year}-01-01T00:00:00Z")})
        .to_string()
    };
    let reply = |value, year| Reply::status(200).body(dated(value, year));
    server.server.script_evals([reply(1, 2026), reply(2, 2025), reply(3, 2026)]);
    let options = |options: growthbook::remote::RemoteOptions| options.soft_ttl(Duration::ZERO);
    let remote = server.builder().remote_options(options).start().unwrap();
    assert_eq!(flag(&remote, pro("a")), 1);
    flag(&remote, pro("a"));
    assert!(server.server.wait_until(PATIENCE, |counts| counts.evals == 2));
    eventually("a newer answer", || flag(&remote, pro("a")) != 1);
    assert_eq!(flag(&remote, pro("a")), 3);
}

#[test]
fn request_over_a_limit_is_not_sent() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    let many: Attributes = (0..1_001).map(|index| (format!("a{index}"), 1)).collect();
    let user = remote.wait_for_user(many, PATIENCE);
    let field = "attributes";
    assert_eq!(kind(&user), Some(Kind::Request(RemoteEvalError::TooManyKeys { field })));
    assert_eq!(
        user.error.unwrap().to_string(),
        "the server has not answered for the user: `attributes` of the request has more than 1000 \
         keys: send fewer"
    );
    assert_eq!((user.scope.feature_value("flag", -1), server.evals()), (-7, 0));
}

#[test]
fn warnings_of_answers_are_logged_once() {
    use std::sync::{Arc, Mutex};

    let server = Evaluating::start(1);
    server.server.always_evals(
        Reply::status(200).body(r#"{"features":{"flag":{"defaultValue":3,"rules":"oops"}}}"#),
    );
    // A failure calls back on the thread that also logs.
    let thread = Arc::new(Mutex::new(None));
    let seen = thread.clone();
    let one = std::num::NonZeroUsize::MIN;
    let remote = server
        .builder()
        .remote_options(|options| options.max_requests(one))
        .on_request_failed(move |_| {
            seen.lock().unwrap().get_or_insert(std::thread::current().id());
        })
        .start()
        .unwrap();
    for id in 0..20 {
        assert_eq!(flag(&remote, pro(id)), 3);
    }
    server.server.script_evals([Reply::status(500)]);
    flag(&remote, pro("fails"));
    eventually("the failure", || thread.lock().unwrap().is_some());
    let logged = crate::logs::of(thread.lock().unwrap().unwrap());
    let warnings = logged.iter().filter(|line| line.contains("\"rules\" must be a list"));
    assert_eq!(warnings.count(), 1, "{logged:#?}");
}
