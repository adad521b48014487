//! Documents that are shared with the other SDKs.

use std::time::Duration;

use growthbook_core::sticky::StickyBucketStore;
use test_server::redis::{RedisReply, RedisServer};

use crate::support::{calls, document, key, load, ok, patient, store, store_with, stored};

#[test]
fn saved_json_is_that_of_the_javascript_sdk() {
    let server = RedisServer::start();
    let store = store(&server);
    let cases = [
        (
            "id",
            "u1",
            r#"{"attributeName":"id","attributeValue":"u1","assignments":{"exp__0":"1"}}"#,
        ),
        (
            "id",
            "42",
            r#"{"attributeName":"id","attributeValue":"42","assignments":{"exp__0":"1"}}"#,
        ),
        (
            "deviceId",
            "ü 😀||",
            "{\"attributeName\":\"deviceId\",\"attributeValue\":\"ü 😀||\",\"assignments\":{\"exp__0\":\"1\"}}",
        ),
        (
            "id",
            "\"\\/\n",
            r#"{"attributeName":"id","attributeValue":"\"\\/\n","assignments":{"exp__0":"1"}}"#,
        ),
    ];
    for merge in [false, true] {
        let store_merging = store_with(&server, patient().merge(true));
        let store = if merge { &store_merging } else { &store };
        for (name, value, json) in cases {
            store.save(&document(name, value, &[("exp__0", "1")])).unwrap();
            assert_eq!(stored(&server, &format!("{name}||{value}")), json, "merge: {merge}");
        }
        assert_eq!(server.command(&["TTL", "id||u1"]), RedisReply::Integer(-1));
        assert_eq!(server.command(&["FLUSHALL"]), ok());
    }
}

#[test]
fn documents_of_other_sdks_are_read() {
    let server = RedisServer::start();
    let store = store(&server);
    let cases = [
        ("u1", r#"{"attributeName":"id","attributeValue":"u1","assignments":{"exp__0":"1"}}"#),
        ("42", r#"{"attributeName":"id","attributeValue":42,"assignments":{"exp__0":"1"}}"#),
        (
            "1e+21",
            r#"{ "attributeName": "id", "attributeValue": 1e21, "assignments": {"exp__0": "1", "bad": 1} }"#,
        ),
        (
            "ü",
            r#"{"assignments":{"exp__0":"1"},"attributeName":"id","attributeValue":"\u00fc","more":[1]}"#,
        ),
    ];
    for (value, json) in cases {
        assert_eq!(server.command(&["SET", &format!("id||{value}"), json]), ok());
        assert_eq!(load(&store, value), Some(document("id", value, &[("exp__0", "1")])));
    }
}

#[test]
fn one_command_loads_all_documents_of_a_user() {
    let server = RedisServer::start();
    let store = store(&server);
    store.save(&document("id", "1", &[("a__0", "0")])).unwrap();
    store.save(&document("deviceId", "2", &[("b__0", "0")])).unwrap();
    let keys = [key("id", "1"), key("deviceId", "2"), key("company", "3")];
    assert_eq!(store.get_all(&keys).unwrap().iter().len(), 2);
    assert_eq!(calls(&server, "mget"), 1);
    assert_eq!(calls(&server, "get"), 0);
    assert_eq!(store.get_all(&[]).unwrap().iter().len(), 0);
    assert_eq!(calls(&server, "mget"), 1);
}

#[test]
fn prefix_and_ttl_are_used() {
    let server = RedisServer::start();
    for merge in [false, true] {
        const TTL: Duration = Duration::from_secs(100_000);
        let options = patient().prefix("gb:").ttl(TTL).merge(merge);
        let store = store_with(&server, options);
        store.save(&document("id", "1", &[("a__0", "0")])).unwrap();
        assert!(load(&store, "1").is_some());
        assert_eq!(server.command(&["EXISTS", "id||1"]), RedisReply::Integer(0));
        let RedisReply::Integer(left) = server.command(&["PTTL", "gb:id||1"]) else { panic!() };
        assert!((50_000_000..=100_000_000).contains(&left), "{left}");
        server.command(&["FLUSHALL"]);
    }
}

#[test]
fn garbage_is_ignored_and_replaced() {
    let server = RedisServer::start();
    let set_up: [&[&[u8]]; 12] = [
        &[b"SET", b"id||1", b""],
        &[b"SET", b"id||1", b"garbage"],
        &[b"SET", b"id||1", b"\xff\xfe\x00"],
        &[b"SET", b"id||1", b"null"],
        &[b"SET", b"id||1", b"[]"],
        &[b"SET", b"id||1", b"{}"],
        &[
            b"SET",
            b"id||1",
            br#"{"attributeName":"id","attributeValue":"2","assignments":{"x":"y"}}"#,
        ],
        &[b"SET", b"id||1", br#"{"attributeName":"id","attributeValue":"1","assignments":[]}"#],
        &[
            b"SET",
            b"id||1",
            b"{\"attributeName\":\"id\",\"attributeValue\":\"1\",\"assignments\":{\"x\":\"\xff\"}}",
        ],
        &[b"HSET", b"id||1", b"attributeName", b"id"],
        &[b"LPUSH", b"id||1", b"id"],
        &[b"ZADD", b"id||1", b"1", b"id"],
    ];
    for merge in [false, true] {
        let store = store_with(&server, patient().merge(merge));
        for command in set_up {
            server.command(&["DEL", "id||1"]);
            assert!(!matches!(server.command(command), RedisReply::Error(_)));
            assert_eq!(load(&store, "1"), None, "{command:?}");
            let saved = document("id", "1", &[("a__0", "0")]);
            store.save(&saved).unwrap();
            assert_eq!(load(&store, "1"), Some(saved), "{command:?}");
        }
        let deep = "[".repeat(100_000);
        server.command(&["SET", "id||1", &deep]);
        assert_eq!(load(&store, "1"), None);
        store.save(&document("id", "1", &[])).unwrap();
        assert!(load(&store, "1").is_some());
    }
}
