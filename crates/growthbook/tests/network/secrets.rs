//! Keys, passwords and attribute values never appear in errors, in `Debug` output or in the log.

use std::fmt::{Debug, Display};
use std::sync::Mutex;
use std::time::Duration;

use growthbook::cache::{FileCache, PayloadCache, PayloadKey};
use growthbook::fetch::ConnectionOptions;
use growthbook::{Client, ClientBuilder, Connected, Refresh, UserContext};
use serde_json::json;
use test_server::{FeaturesServer, ProxyServer, Reply};

use crate::failures::{Elsewhere, quiet_server};
use crate::logs;
use crate::support::{
    OFTEN, PATIENCE, eventually, failure, for_each, is_streaming, may_poll_often, memory, payload,
};

const CLIENT_KEY: &str = "sdk-k3yThatNobodyReads";
const API_HEADER: &str = "api-h3aderThatNobodyReads";
const STREAMING_HEADER: &str = "streaming-h3aderThatNobodyReads";
const PROXY_USER: &str = "us3rThatNobodyReads";
const PROXY_PASSWORD: &str = "passw0rdThatNobodyReads";
/// The user and the password as the client sends them.
const PROXY_CREDENTIALS: &str = "dXMzclRoYXROb2JvZHlSZWFkczpwYXNzdzByZFRoYXROb2JvZHlSZWFkcw==";
const DECRYPTION_KEY: &str = "bm9ib2R5IHJlYWRzIG1lIQ==";
const ATTRIBUTE: &str = "attr1buteThatNobodyReads";

const SECRETS: [&str; 8] = [
    CLIENT_KEY,
    API_HEADER,
    STREAMING_HEADER,
    PROXY_USER,
    PROXY_PASSWORD,
    PROXY_CREDENTIALS,
    DECRYPTION_KEY,
    ATTRIBUTE,
];

/// The texts that an application can see.
#[derive(Default)]
struct Output(Mutex<Vec<String>>);

impl Output {
    fn shown(&self, shown: &(impl Debug + Display)) {
        self.debugged(shown);
        self.0.lock().unwrap().push(shown.to_string());
    }

    fn debugged(&self, debugged: &impl Debug) {
        self.0.lock().unwrap().extend([format!("{debugged:?}"), format!("{debugged:#?}")]);
    }

    /// Adds an error and its sources.
    fn error(&self, error: &(impl std::error::Error + 'static)) {
        let mut next: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = next {
            self.shown(&error);
            next = error.source();
        }
    }

    /// Adds the output of a client after evaluations.
    fn client(&self, client: &Client) {
        let user = UserContext::new(ATTRIBUTE).attribute("email", ATTRIBUTE);
        let user = user.attribute("plan", ATTRIBUTE).url("https://example.com/");
        self.debugged(&user);
        let scope = client.for_user(user);
        for key in ["flag", "rule", "experiment", "unknown"] {
            scope.is_on(key);
            // The value has another type.
            scope.feature_value(key, "text");
        }
        self.debugged(&scope);
        self.debugged(client);
        self.debugged(&client.status());
        if let Some(last) = client.status().last_error {
            self.error(&last.error);
        }
        if let Some(error) = client.status().cache_error {
            self.error(&*error);
        }
        for warning in client.warnings() {
            self.shown(&warning);
        }
    }

    fn assert_no_secrets(&self) {
        let output = self.0.lock().unwrap();
        assert!(!output.is_empty());
        for text in &*output {
            let secret = SECRETS.iter().find(|secret| text.contains(**secret));
            assert!(secret.is_none(), "{secret:?} in {text}");
        }
    }
}

/// A client with a secret of each kind.
fn builder(server: &FeaturesServer, output: &Output) -> ClientBuilder<Connected> {
    let builder = may_poll_often(Client::builder(CLIENT_KEY))
        .api_host(server.url())
        .cache(memory())
        .fetch_options(|options| {
            options
                .api_header("x-api", API_HEADER)
                .streaming_header("x-streaming", STREAMING_HEADER)
        })
        .attributes(json!({"tenant": ATTRIBUTE}))
        .fallback(document());
    #[cfg(feature = "encryption")]
    let builder = builder.decryption_key(DECRYPTION_KEY.parse().unwrap());
    output.debugged(&builder);
    builder
}

/// A payload with rules that use attributes. Some of the rules are invalid.
fn document() -> String {
    json!({"features": {
        "flag": {"defaultValue": 1},
        "rule": {"defaultValue": 1, "rules": [
            {"condition": {"email": {"$regex": "("}}, "force": 2},
            {"condition": {"plan": {"$in": "no list"}}, "force": 3},
            {"condition": {"email": "somebody@example.com"}, "force": 4},
        ]},
        "experiment": {"defaultValue": 1, "rules": [{"variations": [1, 2], "hashAttribute": "email"}]},
    }})
    .to_string()
}

#[test]
fn secrets_are_never_shown() {
    let watching = logs::watch_for(&[&SECRETS[..], &["control-s3cret", "sec0nd-control"]].concat());
    log::trace!(target: "anything", "control-s3cret");
    // A hex dump in rows of 16 bytes. A secret may be split between rows.
    log::trace!(target: "anything", "6162 6364 6566 6768 7365 6330 6e64 2d63  abcdefghsec0nd-c");
    log::trace!(target: "anything", "6f6e 7472 6f6c ---- ---- ---- ---- ----  ontrol..........");
    let output = Output::default();

    let elsewhere = Elsewhere::new();
    for_each(
        &elsewhere.failures(),
        |row| row.name,
        |row| {
            for how in [Refresh::Manual, OFTEN] {
                let server = quiet_server();
                server.always_features(row.reply.clone());
                let client = row.limits(builder(&server, &output)).refresh(how).start().unwrap();
                output.error(&client.refresh().unwrap_err());
                eventually("the failure", || failure(&client).is_some());
                output.client(&client);
                server.always_features(None);
                server.set_payload_quietly(&document());
                // A fetch that began before may still fail.
                eventually("the server's payload", || client.refresh().is_ok());
                output.client(&client);
            }
        },
    );
    streams(&output);
    proxies(&output);
    remotely(&output, &elsewhere);
    failing_starts(&output);
    #[cfg(all(feature = "redis-cache", feature = "sticky-redis"))]
    in_redis(&output);

    output.assert_no_secrets();
    let (records, leaks) = watching.found();
    assert!(records > 1000, "{records}");
    let [first, second] = <[String; 2]>::try_from(leaks).unwrap();
    assert!(first.ends_with("control-s3cret") && second.contains("sec0nd-control"));
}

fn streams(output: &Output) {
    let html = Reply::status(200).header("content-type", "text/html").body("<html>");
    for reply in [Reply::status(500), html, Reply::close(), Reply::status(204)] {
        let server = FeaturesServer::start(&document());
        server.always_stream(reply);
        let client = builder(&server, output).start().unwrap();
        assert!(server.wait_until(PATIENCE, |counts| counts.streams > 0));
        output.client(&client);
    }
    let server = FeaturesServer::start_tls(&document());
    let trusting = builder(&server, output).fetch_options(|options| {
        options
            .connection(ConnectionOptions::new().root_certificates(server.root_certificate_pem()))
    });
    let client = trusting.start().unwrap();
    eventually("a stream", || is_streaming(&client));
    server.push(b"event: features\ndata: <html>\n\n");
    eventually("the failure", || client.status().counters.failures > 0);
    output.client(&client);
    server.set_payload(&payload(2));
    eventually("the change", || client.features().len() == 1);
    server.hang_up();
    eventually("the loss", || !is_streaming(&client));
    output.client(&client);
}

fn remotely(output: &Output, elsewhere: &Elsewhere) {
    for_each(
        &elsewhere.failures(),
        |row| row.name,
        |row| {
            let server = FeaturesServer::start(&document());
            let builder = Client::remote_builder(CLIENT_KEY)
                .api_host(server.url())
                .fetch_options(|options| row.limit(options).api_header("x-api", API_HEADER))
                .remote_options(|options| options.hard_ttl(Duration::ZERO))
                .attributes(json!({"tenant": ATTRIBUTE}));
            output.debugged(&builder);
            let remote = builder.start().unwrap();
            let ask = |id: &str| {
                let user = UserContext::new(id).attribute("email", ATTRIBUTE).url(ATTRIBUTE);
                let future = remote.user(user.clone());
                output.debugged(&future);
                let user = remote.wait_for_user(user, PATIENCE);
                user.scope.is_on("flag");
                output.debugged(&user);
                output.debugged(&remote);
                output.debugged(&remote.status());
                user.error
            };
            assert!(ask(ATTRIBUTE).is_none());
            server.always_evals(row.reply.clone());
            output.error(&ask(ATTRIBUTE).unwrap());
            output.error(&ask("other").unwrap());
        },
    );
}

fn proxies(output: &Output) {
    let server = quiet_server();
    let (working, refusing) = (ProxyServer::start(), FeaturesServer::start(""));
    let gone = "http://127.0.0.1:1".to_owned();
    let unknown = "http://nonexistent.invalid".to_owned();
    for url in [working.url(), refusing.url(), gone, unknown] {
        let url = url.replace("//", &format!("//{PROXY_USER}:{PROXY_PASSWORD}@"));
        for how in [Refresh::Manual, OFTEN] {
            let client = builder(&server, output)
                .fetch_options(|options| options.connection(ConnectionOptions::new().proxy(&url)))
                .refresh(how)
                .start()
                .unwrap();
            if let Err(error) = client.refresh() {
                output.error(&error);
            }
            output.client(&client);
        }
    }
    let sent = working.requests().pop().unwrap();
    let expected = format!("Basic {PROXY_CREDENTIALS}");
    assert_eq!(sent.header("proxy-authorization"), Some(expected.as_str()));
}

/// Failures before the first request.
fn failing_starts(output: &Output) {
    let server = quiet_server();
    let ok = || builder(&server, output);
    let wrong = [
        ok().api_host(format!("ws://{CLIENT_KEY}")),
        ok().fetch_options(|options| options.streaming_host(format!("http://{CLIENT_KEY}?a=b"))),
        ok().fetch_options(|options| options.api_header("x-token\n", API_HEADER)),
        ok().fetch_options(|options| options.api_header("x-token", format!("{API_HEADER}\n"))),
        ok().fetch_options(|options| {
            options.connection(
                ConnectionOptions::new()
                    .proxy(format!("socks5://{PROXY_USER}:{PROXY_PASSWORD}@localhost")),
            )
        }),
        ok().fetch_options(|options| {
            options.connection(
                ConnectionOptions::new().proxy(format!("http://{PROXY_USER}:{PROXY_PASSWORD}@")),
            )
        }),
        ok().api_host(format!("http://{PROXY_USER}:{PROXY_PASSWORD}@localhost")),
        ok().fetch_options(|options| {
            options.streaming_host(format!("http://{PROXY_USER}:{PROXY_PASSWORD}@localhost"))
        }),
        ok().fetch_options(|options| {
            options.connection(ConnectionOptions::new().root_certificates(PROXY_PASSWORD))
        }),
        ok().fallback(format!("{{\"{ATTRIBUTE}")),
        ok().fallback(json!({"features": {}, "encryptedFeatures": DECRYPTION_KEY}).to_string()),
    ];
    for (nth, builder) in wrong.into_iter().enumerate() {
        match builder.start() {
            Ok(_) => panic!("row {nth} works"),
            Err(error) => output.error(&error),
        }
    }
    // A cache that fails.
    let file = tempfile::NamedTempFile::new().unwrap();
    let cache = FileCache::new(file.path());
    output.error(&cache.get(&PayloadKey::new(server.url(), CLIENT_KEY)).unwrap_err());
    let client = ok().cache(cache).refresh(Refresh::Manual).start().unwrap();
    client.refresh().unwrap();
    assert!(client.status().counters.cache_errors > 0);
    output.client(&client);
    output.debugged(&PayloadKey::new(server.url(), CLIENT_KEY));
}

/// Payloads and sticky buckets in Redis. The keys in Redis contain the client key and attribute
/// values, and its address contains a password.
#[cfg(all(feature = "redis-cache", feature = "sticky-redis"))]
fn in_redis(output: &Output) {
    use growthbook::redis;
    use growthbook::sticky::{
        RedisStickyBucketOptions, RedisStickyBucketStore, StickyBucketKey, StickyBucketStore,
        WriteBehind,
    };
    use test_server::redis::RedisServer;

    let document_key =
        StickyBucketKey { attribute_name: "email".into(), attribute_value: ATTRIBUTE.into() };
    let rubbish = |server: &RedisServer, api: &FeaturesServer| {
        let payload = format!("gb:{}::{CLIENT_KEY}", api.url());
        let own = format!("growthbook:payload:{{{payload}}}");
        for key in [document_key.to_string(), own, payload] {
            server.command(&["DEL", &key]);
            server.command(&["RPUSH", &key, "rubbish"]);
        }
    };
    type Trouble<'a> = &'a dyn Fn(&mut RedisServer, &FeaturesServer);
    let troubles: [(&str, Trouble<'_>); 5] = [
        ("none", &|_, _| ()),
        ("rubbish", &|redis, api| rubbish(redis, api)),
        ("read-only", &|redis, _| redis.be_replica(true)),
        ("paused", &|redis, _| redis.pause()),
        ("gone", &|redis, _| redis.stop()),
    ];
    for (name, trouble) in troubles {
        for credentials in ["", &format!("{PROXY_USER}:{PROXY_PASSWORD}@")] {
            let (api, mut redis) = (FeaturesServer::start(&document()), RedisServer::start());
            let url = redis.url().replace("//", &format!("//{credentials}"));
            let open = || redis::Client::open(url.as_str()).unwrap();
            let cache = growthbook::cache::RedisCache::new(open());
            let options = RedisStickyBucketOptions::new().merge(true);
            let store = RedisStickyBucketStore::with_options(open(), options);
            output.debugged(&cache);
            output.debugged(&store);
            let behind = WriteBehind::new(RedisStickyBucketStore::new(open()));
            output.debugged(&behind);
            let direct = builder(&api, output).cache(cache.clone()).sticky_bucket_store(store);
            let direct = direct.refresh(OFTEN).start().unwrap();
            let behind = builder(&api, output).cache(cache.clone()).sticky_bucket_store(behind);
            let behind = behind.refresh(Refresh::Manual).start().unwrap();
            output.client(&direct);
            let is_there =
                |key: &str| redis.command(&["GET", key]).as_str().is_some_and(|it| !it.is_empty());
            if credentials.is_empty() {
                eventually("a document in Redis", || {
                    output.client(&direct);
                    is_there(&document_key.to_string())
                });
            }
            trouble(&mut redis, &api);
            for client in [&direct, &behind] {
                client.refresh().unwrap();
                output.client(client);
            }
            let store = RedisStickyBucketStore::new(open());
            if let Err(error) = store.get_all(std::slice::from_ref(&document_key)) {
                output.error(&error);
            } else {
                assert!(matches!(name, "none" | "rubbish" | "read-only"), "{name}");
            }
            if let Err(error) = cache.get(&PayloadKey::new(api.url(), CLIENT_KEY)) {
                output.error(&error);
            }
        }
    }
}
