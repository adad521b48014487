//! The texts of failures name the server that was asked, and say what to do.

use growthbook::fetch::StreamState;
use growthbook::{Refresh, StartError};
use test_server::{FeaturesServer, Reply};

use crate::failures::quiet_server;
use crate::support::{PATIENCE, at, builder, eventually, payload};

#[test]
fn refused_client_key_is_asked_about() {
    let server = quiet_server();
    server.always_features(Reply::status(400));
    let client = builder(&server).refresh(Refresh::Manual).start().unwrap();
    let expected = format!(
        "{}: the server answered with status 400: is the client key right? Take it from the SDK \
         connection, such as sdk-abc123",
        server.url()
    );
    assert_eq!(client.refresh().unwrap_err().to_string(), expected);
    let not_ready = client.wait_ready(PATIENCE).unwrap_err();
    assert_eq!(not_ready.to_string(), format!("there is no payload yet: {expected}"));
}

#[test]
fn server_without_a_listener_is_named() {
    let client = at("http://127.0.0.1:1/path/").refresh(Refresh::Manual).start().unwrap();
    let text = client.refresh().unwrap_err().to_string();
    let begin = "http://127.0.0.1:1: no connection to the server (Connection refused";
    let end = "): check that it runs, and that no firewall is in the way";
    assert!(text.starts_with(begin) && text.ends_with(end), "{text}");
}

#[test]
fn server_of_a_redirect_is_named() {
    let server = quiet_server();
    server.script_features([Reply::redirect(302, "http://127.0.0.1:1/secret?token=secret")]);
    let client = builder(&server).refresh(Refresh::Manual).start().unwrap();
    let text = client.refresh().unwrap_err().to_string();
    let begin = format!("http://127.0.0.1:1 (redirected from {}): no connection", server.url());
    assert!(text.starts_with(&begin) && !text.contains("secret"), "{text}");
}

#[test]
fn server_of_a_lost_stream_is_named() {
    let server = FeaturesServer::start(&payload(1));
    server.always_stream(Reply::status(500));
    let client = builder(&server).start().unwrap();
    let text = || match client.status().stream {
        StreamState::Lost { error } => error.to_string(),
        _ => String::new(),
    };
    eventually("a lost stream", || !text().is_empty());
    assert_eq!(
        text(),
        format!(
            "{}: the server answered with status 500: it may pass; otherwise check the server",
            server.url()
        )
    );
}

#[test]
fn user_of_a_host_is_not_shown() {
    let error = at("https://user:s3cret@localhost").start().unwrap_err();
    assert!(matches!(error, StartError::Config(_)));
    assert!(!error.to_string().contains("s3cret") && !format!("{error:?}").contains("s3cret"));
}
