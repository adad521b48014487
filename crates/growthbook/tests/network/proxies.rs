//! Requests through a proxy.

use std::env;
use std::error::Error;
use std::process::Command;

use growthbook::Refresh;
use growthbook::fetch::{ConnectionOptions, FetchErrorKind as Kind};
use test_server::{BlackHole, FeaturesServer, ProxyServer};

use crate::failures::{URL_VARIABLE, quiet_server};
use crate::support::{SHORT, at, builder, failure, flag, for_each, payload, ready};

#[test]
fn proxy_is_used() {
    let plain = quiet_server();
    let tls = FeaturesServer::start_tls(&payload(1));
    for server in [&plain, &tls] {
        let proxy = ProxyServer::start();
        let with_user = proxy.url().replace("//", "//user:password@");
        let mut connection = ConnectionOptions::new().proxy(with_user);
        if server.url().starts_with("https") {
            connection = connection.root_certificates(server.root_certificate_pem());
        }
        let builder = builder(server).fetch_options(|options| options.connection(connection));
        let client = ready(builder.refresh(Refresh::Manual));
        assert_eq!(flag(&client), 1);
        let asked = proxy.requests();
        assert_eq!(asked[0].header("proxy-authorization"), Some("Basic dXNlcjpwYXNzd29yZA=="));
        assert_eq!((asked.len(), server.counts().features), (1, 1));
        assert_eq!(server.requests()[0].header("proxy-authorization"), None);
    }
}

#[test]
fn unusable_proxy_is_reported() {
    let server = quiet_server();
    let refusing = FeaturesServer::start("");
    let gone = "http://127.0.0.1:1".to_owned();
    let unknown = "http://nonexistent.invalid".to_owned();
    let black_hole = BlackHole::open();
    let dripping = ProxyServer::start();
    dripping.drip(&server.url());
    let cases = [
        (refusing.url(), "it answered with status 404"),
        (gone, "Connection refused"),
        (unknown, "failed to lookup address"),
        (black_hole.url(), "it took too long"),
        (dripping.url(), "it took too long"),
    ];
    for_each(
        &cases,
        |(url, _)| url,
        |(url, cause)| {
            let with_user = url.replace("//", "//user:password@");
            let builder = builder(&server)
                .fetch_options(|options| {
                    options
                        .connection(ConnectionOptions::new().proxy(with_user))
                        .connect_timeout(SHORT)
                })
                .fallback(payload(7));
            let client = builder.refresh(Refresh::Manual).start().unwrap();
            let error = client.refresh().unwrap_err();
            assert_eq!(error.kind(), Kind::Proxy);
            let text = error.source().unwrap().to_string();
            let host = url.trim_start_matches("http://");
            let is_named = text.starts_with(&format!("proxy {host}")) && text.contains(cause);
            assert!(is_named && !text.contains('@'), "{text}");
            assert_eq!((flag(&client), failure(&client)), (7, Some(Kind::Proxy)));
        },
    );
    assert_eq!(server.counts().connections, 0);
}

#[test]
fn proxies_of_the_environment_are_used() {
    let server = quiet_server();
    let proxy = ProxyServer::start();
    let cases: [(&[(&str, &str)], bool); 4] = [
        (&[("http_proxy", &proxy.url())], true),
        (&[("all_proxy", "http://127.0.0.1:1"), ("HTTP_PROXY", &proxy.url())], true),
        (&[("https_proxy", &proxy.url())], false),
        (&[("http_proxy", &proxy.url()), ("NO_PROXY", "localhost, 127.0.0.0/8")], false),
    ];
    for (variables, is_used) in cases {
        let before = proxy.requests().len();
        // The environment of a process must not be changed while it runs.
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "proxies::client_with_the_environments_proxies", "--ignored"])
            .env_clear()
            .envs(variables.iter().copied())
            .env(URL_VARIABLE, server.url())
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && output.contains("1 passed"), "{variables:?}: {output}");
        assert_eq!(proxy.requests().len() > before, is_used, "{variables:?}");
    }
}

#[test]
#[ignore = "it runs in a process that the test above starts"]
fn client_with_the_environments_proxies() {
    // Without this variable, all ignored tests were started by hand.
    let Ok(url) = env::var(URL_VARIABLE) else { return };
    let builder = at(&url).refresh(Refresh::Manual);
    let client = builder
        .fetch_options(|options| {
            options.connection(ConnectionOptions::new().proxy_from_environment())
        })
        .start()
        .unwrap();
    client.refresh().unwrap();
    assert_eq!(flag(&client), 1);
}
