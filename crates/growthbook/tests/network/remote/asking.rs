//! How the server is asked: waiting, sharing, and bounds.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use growthbook::fetch::FetchErrorKind as Kind;
use growthbook::remote::MAX_WAITING_REQUESTS;
use growthbook::{Client, ClientBuilder, Remote, StartError};
use test_server::{Gate, Reply};

use super::{Evaluating, at, flag, kind, pro, value};
use crate::support::{PATIENCE, SHORT, block_on, eventually, spawn_blocked};

fn with_workers(server: &Evaluating, count: usize) -> ClientBuilder<Remote> {
    let count = NonZeroUsize::new(count).unwrap();
    server.builder().remote_options(|options| options.max_requests(count))
}

fn held(server: &Evaluating) -> Gate {
    let gate = Gate::closed();
    server.server.always_evals(Reply::held(&gate, Reply::normal()));
    gate
}

#[test]
fn callers_with_one_key_share_a_request() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    let gate = held(&server);
    thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..8).map(|_| spawn_blocked(scope, || flag(&remote, pro("a")))).collect();
        gate.open();
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap() == 1));
    });
    assert_eq!(server.evals(), 1);
}

#[test]
fn requests_at_a_time_are_bounded() {
    let server = Evaluating::start(1);
    let remote = with_workers(&server, 3).start().unwrap();
    let gate = held(&server);
    let futures: Vec<_> = (0..50).map(|id| remote.user(pro(id))).collect();
    assert!(server.server.wait_until(PATIENCE, |counts| counts.evals == 3));
    assert_eq!(remote.status().waiting, 47);
    gate.open();
    assert!(futures.into_iter().all(|future| value(&block_on(future)) == 1));
    assert_eq!((server.evals(), server.server.counts().connections), (50, 3));
}

#[test]
fn waiting_requests_are_bounded() {
    let server = Evaluating::start(1);
    let remote = with_workers(&server, 1).start().unwrap();
    let gate = held(&server);
    let first = remote.user(pro("first"));
    assert!(server.server.wait_until(PATIENCE, |counts| counts.evals == 1));
    let waiting: Vec<_> = (0..MAX_WAITING_REQUESTS).map(|id| remote.user(pro(id))).collect();
    let refused = remote.user_now(pro("refused"));
    assert_eq!((kind(&refused), value(&refused)), (Some(Kind::Busy), -7));
    // A caller with the same key takes no room.
    let joined = remote.user(pro("first"));
    drop(waiting);
    gate.open();
    assert_eq!((value(&block_on(first)), value(&block_on(joined))), (1, 1));
    eventually("an empty queue", || remote.status().waiting == 0);
    assert_eq!(flag(&remote, pro("refused")), 1);
}

#[test]
fn waiting_ends_at_the_timeout() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    let gate = held(&server);
    let user = remote.wait_for_user(pro("a"), SHORT / 10);
    let error = user.error.as_ref().unwrap();
    assert!(error.timed_out && error.cause.is_none());
    assert_eq!(error.to_string(), "the server has not answered for the user in time");
    assert_eq!((value(&user), user.age), (-7, None));
    gate.open();
    // The request went on, and its answer is kept.
    eventually("the answer", || value(&remote.user_now(pro("a"))) == 1);
    assert_eq!(server.evals(), 1);
}

#[test]
fn future_works_on_any_executor() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    let gate = held(&server);
    let future = remote.user(pro("a"));
    let early = future.now();
    assert_eq!((value(&early), early.age), (-7, None));
    assert!(early.error.is_some_and(|error| error.cause.is_none() && !error.timed_out));
    // A future that is dropped does not end the request of the others.
    drop(remote.user(pro("a")));
    let task = thread::spawn(move || {
        let user = block_on(future);
        (value(&user), user.error.is_none())
    });
    assert!(server.server.wait_until(PATIENCE, |counts| counts.evals == 1));
    gate.open();
    assert_eq!(task.join().unwrap(), (1, true));
    assert_eq!(value(&block_on(remote.user(pro("a")))), 1);
    assert_eq!(server.evals(), 1);

    fn is_portable<T: Send + Sync + 'static>(_: &T) {}
    is_portable(&remote);
    is_portable(&remote.user(pro("a")));
}

#[test]
fn panic_of_a_callback_is_contained() {
    let server = Evaluating::start(1);
    let remote = with_workers(&server, 1)
        .on_request_failed(|_| panic!("a broken callback"))
        .start()
        .unwrap();
    server.server.script_evals([Reply::status(500)]);
    assert_eq!(flag(&remote, pro("a")), -7);
    eventually("the answer", || flag(&remote, pro("a")) == 1);
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let url = "http://localhost:1";
    let message = |builder: ClientBuilder<Remote>| builder.start().unwrap_err().to_string();
    #[cfg(feature = "encryption")]
    {
        let builder = || at(url).decryption_key("bm9ib2R5IHJlYWRzIG1lIQ==".parse().unwrap());
        assert!(matches!(builder().start(), Err(StartError::DecryptionKey)));
        assert!(message(builder()).contains("sends no encrypted answers: remove the key"));
    }
    #[cfg(feature = "sticky")]
    {
        use growthbook::sticky::MemoryStickyBucketStore;
        let builder = || at(url).sticky_bucket_store(MemoryStickyBucketStore::default());
        assert!(matches!(builder().start(), Err(StartError::StickyBucketStore)));
        assert!(message(builder()).contains("remove the store, and give one to the server"));
    }
    use growthbook::fetch::ConfigError;
    let on_cloud = [Client::remote_builder("sdk-1"), at("https://API.growthbook.io/x")];
    for builder in on_cloud {
        let error = builder.start().unwrap_err();
        assert!(matches!(error, StartError::Config(ConfigError::CloudHost)), "{error}");
        assert!(error.to_string().contains("does not evaluate for clients"), "{error}");
    }
    assert!(matches!(at("localhost").start(), Err(StartError::Config(ConfigError::ApiHost(_)))));
    assert!(matches!(at(url).fallback("{}").start(), Err(StartError::Fallback(_))));
    assert!(at(url).start().is_ok());
}

#[test]
fn local_settings_hold_for_remote_users() {
    let server = Evaluating::start(1);
    let remote = server.builder().start().unwrap();
    remote.local().set_attributes(serde_json::json!({"plan": "pro"}));
    let user = remote.wait_for_user("a", Duration::from_secs(40));
    assert_eq!(value(&user), 1);
    let fallback = remote.local().for_user("a");
    assert_eq!(fallback.feature_value("flag", -1), -7);
}
