//! The middleware and the extractor for actix-web.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::{App, HttpRequest, HttpResponse, web};
use growthbook::sticky::CookieOptions;
use growthbook_tower::{Devtools, GrowthBookMiddleware, Options, RequestAttributes, RequestScope};
use serde_json::{Value, json};
use support::{client, features};

/// Answers with the attributes and some values.
async fn answer(gb: RequestScope) -> HttpResponse {
    let color = gb.feature_value("color", "");
    HttpResponse::Ok().json(json!([gb.user().attributes(), color, gb.is_on("pro")]))
}

/// Returns an app with the middleware, and the exposures of its client. The type of the app has no
/// name.
macro_rules! app {
    ($options:expr) => {{
        let (client, exposures) = client(features());
        let growthbook = GrowthBookMiddleware::new(client, $options);
        let app = App::new().wrap(growthbook).route("/a", web::get().to(answer));
        (init_service(app).await, exposures)
    }};
}

fn cookies<B>(response: &ServiceResponse<B>) -> Vec<String> {
    let values = response.headers().get_all("set-cookie");
    values.map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn handler_takes_the_scope() {
    let trusting = RequestAttributes::new().trust_forwarded_host(true).https(true);
    let options = Options::new()
        .attributes(trusting)
        .sticky_cookies(CookieOptions::new())
        .consent(|request: &HttpRequest| request.path() == "/a")
        .user(|request: &HttpRequest, user| {
            user.attribute("plan", request.headers().get("x-plan").map(|_| "pro"))
        });
    let (app, exposures) = app!(options);
    let request = TestRequest::get()
        .uri("/a?utm_term=x")
        .insert_header(("host", "inner"))
        .insert_header(("x-forwarded-host", "shop.example"))
        .insert_header(("user-agent", "Edg Mobile"))
        .insert_header(("x-plan", "1"))
        .to_request();
    let response = app.call(request).await.unwrap();
    let cookies = cookies(&response);
    assert!(exposures.take().is_empty(), "the body is not sent yet");
    let found: Value = serde_json::from_slice(&read_body(response).await).unwrap();
    let id = found[0]["id"].as_str().unwrap().to_owned();
    let expected = json!([{
        "id": id, "url": "https://shop.example/a?utm_term=x", "path": "/a", "host": "shop.example",
        "query": "?utm_term=x", "utmTerm": "x", "browser": "edge", "deviceType": "mobile",
        "plan": "pro",
    }, "green", true]);
    assert_eq!(found, expected);
    assert_eq!(exposures.take(), [format!("{id} color-test=g")]);
    assert_eq!(cookies.len(), 2);
    assert!(cookies[0].starts_with(&format!("gbStickyBuckets__id||{id}=")));
    assert!(cookies[1].starts_with(&format!("gbuuid={id}; Max-Age=34560000")));

    let pairs: Vec<&str> = cookies.iter().map(|it| it.split(';').next().unwrap()).collect();
    let request = TestRequest::get().uri("/a").insert_header(("cookie", pairs.join("; ")));
    let response = app.call(request.to_request()).await.unwrap();
    assert!(self::cookies(&response).is_empty());
    let found: Value = serde_json::from_slice(&read_body(response).await).unwrap();
    assert_eq!(found[0]["id"], *id);
}

#[actix_web::test]
async fn panic_in_a_closure_keeps_the_request() {
    let options = Options::new()
        .user(|_: &HttpRequest, _| panic!("on purpose"))
        .consent(|_: &HttpRequest| panic!("on purpose"))
        .devtools(Devtools::new("", "").allow(|_: &HttpRequest| panic!("on purpose")));
    let (app, _) = app!(options);
    let response = app.call(TestRequest::get().uri("/a").to_request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(cookies(&response).is_empty());
}

#[actix_web::test]
async fn devtools_choose_values() {
    let devtools = Devtools::new("https://cdn.example", "sdk-1");
    let (app, _) = app!(Options::new().devtools(devtools));
    let target = "/a?_gbdebug=%7B%22attributes%22%3A%7B%22plan%22%3A%22pro%22%7D%7D";
    let response = app.call(TestRequest::get().uri(target).to_request()).await.unwrap();
    let header = response.headers().get("x-gbdebug-events").unwrap().to_str().unwrap();
    let event: Value = serde_json::from_str(header).unwrap();
    assert_eq!(event["logs"][0]["logType"], "experiment");
    let found: Value = serde_json::from_slice(&read_body(response).await).unwrap();
    assert_eq!(found[2], true);
}

#[actix_web::test]
async fn missing_middleware_is_a_server_error() {
    let app = init_service(App::new().route("/", web::get().to(answer))).await;
    let response = app.call(TestRequest::get().to_request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(String::from_utf8_lossy(&read_body(response).await).contains("add the layer"));
}
