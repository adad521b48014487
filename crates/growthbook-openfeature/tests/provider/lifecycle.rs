//! The start of a provider, its status, and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use growthbook::cache::{DEFAULT_MEMORY_CACHE_ENTRIES, MemoryCache};
use growthbook::tracking::Plugin;
use growthbook::{Client, ClientBuilder, Connected, Refresh};
use growthbook_openfeature::{GrowthBookProvider, PROVIDER_NAME};
use open_feature::provider::{FeatureProvider, ProviderStatus};
use open_feature::{EvaluationContext, EvaluationErrorCode as Code, OpenFeature};
use serde_json::json;
use test_server::{BlackHole, FeaturesServer, Reply};

use crate::support::{code, flags_of, provider};

/// No test waits this long, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(45);

/// A wait that a test lets run out.
const SHORT: Duration = Duration::from_millis(50);

fn builder(url: &str) -> ClientBuilder<Connected> {
    // An own cache, so that the tests do not share payloads.
    Client::builder("sdk-test")
        .api_host(url)
        .cache(MemoryCache::new(DEFAULT_MEMORY_CACHE_ENTRIES))
        .refresh(Refresh::Manual)
}

fn payload() -> String {
    json!({"features": {"flag": {"defaultValue": 1}}}).to_string()
}

async fn initialize(provider: &mut GrowthBookProvider) {
    provider.initialize(&EvaluationContext::default()).await;
}

#[tokio::test]
async fn initialization_waits_for_the_payload() {
    let server = FeaturesServer::start(&payload());
    let client = builder(&server.url()).start().unwrap();
    let mut provider = GrowthBookProvider::new(client).ready_timeout(PATIENCE);
    assert_eq!(provider.status(), ProviderStatus::NotReady);
    initialize(&mut provider).await;
    assert_eq!(provider.status(), ProviderStatus::Ready);
    assert_eq!(provider.metadata().name, PROVIDER_NAME);
    let flags = flags_of(provider).await;
    assert_eq!(flags.get_int_value("flag", None, None).await.unwrap(), 1);
}

#[tokio::test]
async fn initialization_ends_at_its_deadline() {
    // The server accepts connections, and never answers.
    let server = BlackHole::open();
    let client = builder(&server.url()).refresh(Refresh::Poll(PATIENCE)).start().unwrap();
    let mut provider = GrowthBookProvider::new(client).ready_timeout(SHORT);
    let start = Instant::now();
    initialize(&mut provider).await;
    assert!(start.elapsed() >= SHORT);
    assert_eq!(provider.status(), ProviderStatus::Error);

    let flags = flags_of(provider.clone()).await;
    assert_eq!(code(flags.get_int_value("flag", None, None).await), Some(Code::ProviderNotReady));
    // A later payload makes it ready.
    provider.client().set_payload(payload()).unwrap();
    assert_eq!(flags.get_int_value("flag", None, None).await.unwrap(), 1);
    assert_eq!(code(flags.get_int_value("other", None, None).await), Some(Code::FlagNotFound));
}

#[tokio::test]
async fn refused_client_is_an_error_at_once() {
    let server = FeaturesServer::start(&payload());
    server.script_features([Reply::status(403)]);
    let client = builder(&server.url()).start().unwrap();
    let mut provider = GrowthBookProvider::new(client).ready_timeout(PATIENCE);
    let start = Instant::now();
    initialize(&mut provider).await;
    assert!(start.elapsed() < PATIENCE);
    assert_eq!(provider.status(), ProviderStatus::Error);
}

#[tokio::test]
async fn status_follows_the_client() {
    let server = FeaturesServer::start(&payload());
    let client = builder(&server.url()).start().unwrap();
    let mut provider = GrowthBookProvider::new(client.clone()).ready_timeout(PATIENCE);
    initialize(&mut provider).await;
    assert_eq!(provider.status(), ProviderStatus::Ready);
    server.script_features([Reply::status(503)]);
    client.refresh().unwrap_err();
    assert_eq!(provider.status(), ProviderStatus::STALE);
    client.refresh().unwrap();
    assert_eq!(provider.status(), ProviderStatus::Ready);
    client.close(PATIENCE).unwrap();
    assert_eq!(provider.status(), ProviderStatus::STALE);
}

#[tokio::test]
async fn fallback_is_stale() {
    let server = BlackHole::open();
    let client = builder(&server.url()).refresh(Refresh::Poll(PATIENCE)).fallback(payload());
    let client = client.start().unwrap();
    let mut provider = GrowthBookProvider::new(client).ready_timeout(SHORT);
    initialize(&mut provider).await;
    assert_eq!(provider.status(), ProviderStatus::STALE);
}

#[tokio::test]
async fn embedded_client_is_ready() {
    let mut embedded = provider(json!({"flag": {"defaultValue": 1}}));
    initialize(&mut embedded).await;
    assert_eq!(embedded.status(), ProviderStatus::Ready);
    let mut empty = GrowthBookProvider::new(Client::embedded().build().unwrap());
    initialize(&mut empty).await;
    assert_eq!(empty.status(), ProviderStatus::Error);
    let flags = flags_of(empty).await;
    assert_eq!(code(flags.get_int_value("flag", None, None).await), Some(Code::ProviderNotReady));
}

#[tokio::test]
async fn shutdown_stops_the_client() {
    struct Stopped(Arc<AtomicBool>);
    impl Plugin for Stopped {
        fn stop(&self, _: Duration) -> bool {
            self.0.store(true, Ordering::Relaxed);
            true
        }
    }
    let stopped = Arc::new(AtomicBool::new(false));
    let client = Client::embedded().plugin(Stopped(stopped.clone())).build().unwrap();
    let mut api = OpenFeature::default();
    api.set_provider(GrowthBookProvider::new(client)).await;
    assert!(!stopped.load(Ordering::Relaxed));
    api.shutdown().await;
    assert!(stopped.load(Ordering::Relaxed));
}
