//! The extractor for axum.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use growthbook_tower::{GrowthBookLayer, Options, RequestScope};
use support::{client, features};
use tower::ServiceExt;

async fn color(gb: RequestScope) -> String {
    gb.feature_value("color", String::new())
}

async fn body(response: axum::response::Response) -> String {
    let body = to_bytes(response.into_body(), 1_000).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

fn request(target: &str) -> Request<Body> {
    Request::get(target).header("cookie", "gbuuid=u1").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn handler_takes_the_scope() {
    let (client, exposures) = client(features());
    let by_extension = async |Extension(gb): Extension<RequestScope>| color(gb).await;
    let router = Router::new()
        .route("/argument", get(color))
        .route("/extension", get(by_extension))
        .layer(GrowthBookLayer::new(client, Options::new()));
    for target in ["/argument", "/extension"] {
        let response = router.clone().oneshot(request(target)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(body(response).await, "green");
    }
    assert_eq!(exposures.take(), ["u1 color-test=g"]);
}

#[tokio::test]
async fn missing_layer_is_a_server_error() {
    let router = Router::new().route("/", get(color));
    let response = router.oneshot(request("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(body(response).await.contains("add the layer"));
}
