//! Users, cookies and exposures of requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use growthbook::sticky::CookieOptions;
use growthbook_tower::{
    GrowthBookLayer, IdCookie, MAX_REQUEST_COOKIE_BYTES, Options, RequestAttributes, RequestScope,
};
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{client, features};
use crate::{cookies, request, send};

/// Returns the attributes of the user of a request.
async fn attributes(options: Options<Parts>, request: Request<()>) -> Value {
    let (client, _) = client(features());
    let read = |gb: RequestScope| serde_json::to_value(gb.user().attributes()).unwrap();
    send(&client, options, request, read).await.1
}

#[tokio::test]
async fn user_has_the_attributes_of_the_request() {
    let (client, _) = client(features());
    let agent = [("user-agent", "Mobile Safari"), ("cookie", "gbuuid=u1")];
    let request = request("/a?utm_source=mail", &agent);
    let (headers, (attributes, is_on, url)) = send(&client, Options::new(), request, |gb| {
        let attributes = serde_json::to_value(gb.user().attributes()).unwrap();
        (attributes, gb.is_on("mobile"), gb.user().page_url().to_owned())
    })
    .await;
    assert_eq!(
        attributes,
        json!({
            "id": "u1", "url": "http://shop.example/a?utm_source=mail", "path": "/a",
            "host": "shop.example", "query": "?utm_source=mail", "utmSource": "mail",
            "browser": "safari", "deviceType": "mobile",
        })
    );
    assert!(is_on);
    assert_eq!(url, "http://shop.example/a?utm_source=mail");
    assert!(headers.is_empty(), "the browser has the cookie already");
}

#[tokio::test]
async fn new_user_gets_an_id_cookie() {
    let (client, _) = client(features());
    let id = |gb: RequestScope| gb.cookie_id().unwrap().to_owned();
    let (headers, new) = send(&client, Options::new(), request("/", &[]), id).await;
    assert_eq!(
        cookies(&headers),
        [format!("gbuuid={new}; Max-Age=34560000; Path=/; SameSite=Lax")]
    );
    let (_, other) = send(&client, Options::new(), request("/", &[]), id).await;
    assert_ne!(new, other);
    let without = Options::new().without_id_cookie();
    let (headers, id) =
        send(&client, without, request("/", &[]), |gb| gb.cookie_id().map(str::to_owned)).await;
    assert_eq!((cookies(&headers), id), (vec![], None));
}

#[tokio::test]
async fn consent_decides_about_the_cookie() {
    let (client, _) = client(features());
    let options = || {
        Options::new().consent(|request: &Parts| match request.uri.path() {
            "/yes" => true,
            "/panic" => panic!("on purpose"),
            _ => false,
        })
    };
    for (target, expected) in [("/yes", 1), ("/no", 0), ("/panic", 0)] {
        let (headers, id) = send(&client, options(), request(target, &[]), |gb| {
            gb.user().attributes().get("id").is_some()
        })
        .await;
        assert!(id, "the user has an id for this request");
        assert_eq!(cookies(&headers).len(), expected, "{target}");
    }
    let (headers, ()) = send(&client, options(), request("/no", &[]), |gb| gb.persist_id()).await;
    assert_eq!(cookies(&headers).len(), 1, "the handler has got consent");
}

#[tokio::test]
async fn closure_adds_to_the_user() {
    let options = Options::new().user(|request: &Parts, user| {
        let plan = request.headers.get("x-plan").and_then(|value| value.to_str().ok());
        user.attribute("id", 7).attribute("plan", plan)
    });
    let found = attributes(options, request("/", &[("x-plan", "pro")])).await;
    assert_eq!((&found["id"], &found["plan"]), (&json!(7), &json!("pro")));
    assert_eq!(found["deviceType"], "desktop");
}

#[tokio::test]
async fn panic_in_a_closure_keeps_the_request() {
    let options = Options::new().user(|_: &Parts, _| panic!("on purpose"));
    let found = attributes(options, request("/", &[("cookie", "gbuuid=u1")])).await;
    assert_eq!((&found["id"], &found["path"]), (&json!("u1"), &json!("/")));
}

#[tokio::test]
async fn hostile_headers_keep_the_request() {
    let long = "x".repeat(MAX_REQUEST_COOKIE_BYTES);
    let many = "gbStickyBuckets__id||u1=%7B%7D; ".repeat(10_000);
    let deep = format!("gbStickyBuckets__a||b={}", "[".repeat(20_000));
    let headers = ["gbuuid", &long, &many, &deep, "=;=;;gbuuid==", "gbuuid=%00%ff"];
    for cookie in headers {
        let options = Options::new().sticky_cookies(CookieOptions::new());
        let found = attributes(options, request("/", &[("cookie", cookie)])).await;
        assert!(found["id"].is_string());
    }
    let mut request = request("/", &[]);
    for name in ["cookie", "user-agent", "host", "x-forwarded-host"] {
        request.headers_mut().insert(name, HeaderValue::from_bytes(b"\xff\xfe;\xff").unwrap());
    }
    let trusting = RequestAttributes::new().trust_forwarded_host(true);
    let found = attributes(Options::new().attributes(trusting), request).await;
    assert_eq!((&found["browser"], &found["host"]), (&json!("unknown"), &Value::Null));
}

#[tokio::test]
async fn assignments_are_kept_in_cookies() {
    // All users are in the second variation, and later in the first.
    let features = |weights: [u8; 2]| {
        json!({"color": {"rules": [{
            "key": "color-test", "variations": ["blue", "green"], "weights": weights,
            "meta": [{"key": "b"}, {"key": "g"}],
        }]}})
    };
    let options = || Options::new().sticky_cookies(CookieOptions::new().secure(true));
    let color = |gb: RequestScope| gb.feature_value("color", String::new());
    let (before, _) = client(features([0, 1]));
    let first = request("/", &[("cookie", "gbuuid=u1")]);
    let (headers, value) = send(&before, options(), first, color).await;
    let set = cookies(&headers);
    assert_eq!((value.as_str(), set.len()), ("green", 1));
    assert!(set[0].starts_with("gbStickyBuckets__id||u1=%7B"));
    assert!(set[0].ends_with("; Max-Age=15552000; Path=/; Secure"));

    let pair = set[0].split(';').next().unwrap();
    let (after, _) = client(features([1, 0]));
    let second = request("/", &[("cookie", &format!("gbuuid=u1; {pair}"))]);
    let (headers, value) = send(&after, options(), second, color).await;
    assert_eq!((value.as_str(), cookies(&headers).len()), ("green", 0));
    let (_, value) = send(&after, options(), request("/", &[("cookie", "gbuuid=u1")]), color).await;
    assert_eq!(value, "blue");
}

#[tokio::test]
async fn exposures_are_reported_after_the_response() {
    let (client, exposures) = client(features());
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let service = service_fn(move |request: Request<()>| {
        let keep = keep.clone();
        async move {
            let gb = request.extensions().get::<RequestScope>().unwrap().clone();
            assert_eq!(gb.feature_value("color", ""), "green");
            if request.uri().path() == "/task" {
                *keep.lock().unwrap() = Some(gb);
            }
            Ok::<_, std::convert::Infallible>(Response::new(Full::new(&b"body"[..])))
        }
    });
    let layer = GrowthBookLayer::new(client.clone(), Options::new());
    let service = layer.layer(service);

    let with_id = |target, id: &str| request(target, &[("cookie", &format!("gbuuid={id}"))]);
    let response = service.clone().oneshot(with_id("/", "u1")).await.unwrap();
    assert!(exposures.take().is_empty(), "the body is not sent yet");
    drop(response);
    assert_eq!(exposures.take(), ["u1 color-test=g"]);
    // The client remembers what it has reported.
    drop(service.clone().oneshot(with_id("/", "u1")).await.unwrap());
    assert!(exposures.take().is_empty());

    // A task of the request still evaluates after the response.
    drop(service.clone().oneshot(with_id("/task", "u2")).await.unwrap());
    assert!(exposures.take().is_empty());
    drop(kept.lock().unwrap().take());
    assert_eq!(exposures.take(), ["u2 color-test=g"]);

    let at_once = GrowthBookLayer::new(client, Options::new().defer_exposures(false));
    let service = at_once.layer(service_fn(async |request: Request<()>| {
        request.extensions().get::<RequestScope>().unwrap().is_on("color");
        Ok::<_, std::convert::Infallible>(Response::new(Full::new(&b""[..])))
    }));
    let response = service.oneshot(with_id("/", "u3")).await.unwrap();
    assert_eq!(exposures.take(), ["u3 color-test=g"]);
    drop(response);
    assert!(exposures.take().is_empty());
}

#[tokio::test]
async fn exposures_survive_a_failing_handler() {
    let (client, exposures) = client(features());
    let layer = GrowthBookLayer::new(client, Options::new());
    let service = layer.layer(service_fn(async |request: Request<()>| {
        request.extensions().get::<RequestScope>().unwrap().is_on("color");
        Err::<Response<Full<&[u8]>>, _>("failed")
    }));
    let failed = service.oneshot(request("/", &[("cookie", "gbuuid=u1")])).await;
    assert_eq!(failed.err(), Some("failed"));
    assert_eq!(exposures.take(), ["u1 color-test=g"]);
}

#[tokio::test]
async fn hooks_are_asked_once_per_request() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (counted, asked) = (calls.clone(), calls.clone());
    let options = Options::new()
        .id_cookie(IdCookie::new().attribute("visitor"))
        .user(move |_: &Parts, user| {
            counted.fetch_add(1, Ordering::Relaxed);
            user
        })
        .consent(move |_: &Parts| asked.fetch_add(1, Ordering::Relaxed) == 1);
    let found = attributes(options, request("/", &[])).await;
    assert!(found["visitor"].is_string() && found["id"].is_null());
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn changed_user_belongs_to_the_request() {
    let (client, exposures) = client(features());
    let options = Options::new().sticky_cookies(CookieOptions::new());
    let (headers, scope) = send(&client, options, request("/", &[("cookie", "gbuuid=u1")]), |gb| {
        assert!(!gb.is_on("pro"));
        assert!(gb.with_attributes([("plan", "pro")]).is_on("pro"));
        let known = gb.for_user("u2");
        assert_eq!(known.feature_value("color", ""), "green");
        assert_eq!(known.user().attributes().len(), 1);
        known
    })
    .await;
    assert!(cookies(&headers)[0].starts_with("gbStickyBuckets__id||u2="));
    assert!(exposures.take().is_empty(), "there is still a handle");
    drop(scope);
    assert_eq!(exposures.take(), ["u2 color-test=g"]);
}
