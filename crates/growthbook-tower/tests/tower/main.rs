//! The layer for tower: scopes, cookies, exposures, pages for the browser, and devtools.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod browser;
mod devtools;
mod requests;
#[path = "../support/mod.rs"]
mod support;

use growthbook::Client;
use growthbook_tower::{GrowthBookLayer, Options, RequestScope};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use tower::{Layer, ServiceExt, service_fn};

/// Returns a request with these headers.
fn request(target: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::get(target).header("host", "shop.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

/// Sends a request through the layer to a handler. Returns the headers of the response, and the
/// handler's result.
async fn send<T: Send + 'static>(
    client: &Client,
    options: Options<Parts>,
    request: Request<()>,
    handler: impl Fn(RequestScope) -> T + Clone,
) -> (HeaderMap, T) {
    let service = service_fn(move |request: Request<()>| {
        let handler = handler.clone();
        async move {
            let scope = request.extensions().get::<RequestScope>().unwrap().clone();
            let mut response = Response::new(http_body_util::Empty::<&[u8]>::new());
            let result = std::sync::Arc::new(std::sync::Mutex::new(Some(handler(scope))));
            response.extensions_mut().insert(result);
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let service = GrowthBookLayer::new(client.clone(), options).layer(service);
    let response = service.oneshot(request).await.unwrap();
    type Shared<T> = std::sync::Arc<std::sync::Mutex<Option<T>>>;
    let result = response.extensions().get::<Shared<T>>().unwrap().lock().unwrap().take().unwrap();
    (response.headers().clone(), result)
}

/// Returns the values of the `Set-Cookie` headers.
fn cookies(headers: &HeaderMap) -> Vec<&str> {
    headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
}
