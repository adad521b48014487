//! Certificates of clients, certificates of the system, and headers that change.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use growthbook::fetch::{ConnectionOptions, FetchErrorKind as Kind};
use growthbook::{Client, Refresh};
use test_server::FeaturesServer;

use crate::support::{builder, eventually, flag, is_streaming, manual, payload, refresh_anew};

fn trusting(server: &FeaturesServer) -> ConnectionOptions {
    ConnectionOptions::new().root_certificates(server.root_certificate_pem())
}

fn start(server: &FeaturesServer, refresh: Refresh, connection: ConnectionOptions) -> Client {
    let builder = builder(server).refresh(refresh);
    builder.fetch_options(|options| options.connection(connection)).start().unwrap()
}

#[test]
fn client_certificate_opens_fetches_and_streams() {
    let server = FeaturesServer::start_mutual_tls(&payload(1));
    let (certificate, key) = server.client_pem();
    let with_certificate = trusting(&server).client_certificate(certificate, key);
    let client = start(&server, Refresh::Stream, with_certificate);
    eventually("a stream", || is_streaming(&client));
    assert_eq!(flag(&client), 1);

    let without = start(&server, Refresh::Manual, trusting(&server));
    let kind = refresh_anew(&without).unwrap_err().kind();
    assert!(matches!(kind, Kind::Tls | Kind::Interrupted), "{kind:?}");
    let other = FeaturesServer::start_mutual_tls("{}");
    let (certificate, key) = other.client_pem();
    let with_other = trusting(&server).client_certificate(certificate, key);
    let with_other = start(&server, Refresh::Manual, with_other);
    let kind = refresh_anew(&with_other).unwrap_err().kind();
    assert!(matches!(kind, Kind::Tls | Kind::Interrupted), "{kind:?}");
}

#[cfg(feature = "system-certificates")]
#[test]
fn system_does_not_trust_a_certificate_of_its_own() {
    let server = FeaturesServer::start_tls(&payload(1));
    let connection = ConnectionOptions::new().system_certificates();
    let client = start(&server, Refresh::Manual, connection.clone());
    assert_eq!(refresh_anew(&client).unwrap_err().kind(), Kind::Certificate);
    let added = connection.root_certificates(server.root_certificate_pem());
    let client = start(&server, Refresh::Manual, added);
    refresh_anew(&client).unwrap();
    assert_eq!(flag(&client), 1);
}

#[test]
fn headers_are_asked_for_before_each_request() {
    let server = FeaturesServer::start(&payload(1));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let client = builder(&server)
        .refresh(Refresh::Manual)
        .fetch_options(|options| {
            options.api_header("authorization", "old").api_header("x-fixed", "a").api_headers_from(
                move || {
                    let call = counted.fetch_add(1, Ordering::SeqCst);
                    vec![("Authorization".into(), format!("token {call}"))]
                },
            )
        })
        .start()
        .unwrap();
    for _ in 0..3 {
        refresh_anew(&client).unwrap();
    }
    let requests = server.requests();
    assert!(requests.len() >= 3 && requests.len() == calls.load(Ordering::SeqCst));
    for (number, request) in requests.iter().enumerate() {
        assert_eq!(request.header("authorization"), Some(&*format!("token {number}")));
        assert_eq!(request.header("x-fixed"), Some("a"));
    }
    assert_eq!(flag(&manual(&server)), 1);
    assert_eq!(server.requests().last().unwrap().header("authorization"), None);
}

#[test]
fn panic_of_the_function_for_headers_fails_the_request() {
    let server = FeaturesServer::start(&payload(1));
    let client = builder(&server)
        .refresh(Refresh::Manual)
        .fetch_options(|options| {
            options.api_headers_from(|| std::panic::panic_any("of the application"))
        })
        .start()
        .unwrap();
    assert_eq!(refresh_anew(&client).unwrap_err().kind(), Kind::Headers);
    assert_eq!(server.requests().len(), 0);
}
