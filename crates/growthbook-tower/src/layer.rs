//! The layer for tower, and the service that it makes.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use growthbook::Client;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::ScopeBody;
use crate::options::Options;
use crate::request_scope::RequestScope;
use crate::response;
use crate::scopes::Scopes;

/// A [`Layer`] that makes a user scope for each request, and puts it into the extensions of the
/// request.
///
/// The scope is a [`RequestScope`]. The layer adds cookies to the response, and reports the exposures
/// when the response is done.
///
/// ```
/// use growthbook::Client;
/// use growthbook_tower::{GrowthBookLayer, Options, RequestScope};
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::from_json(r#"{"features": {"banner": {"rules": [
///     {"condition": {"deviceType": "mobile"}, "force": true}
/// ]}}}"#)?;
/// let service = ServiceBuilder::new()
///     .layer(GrowthBookLayer::new(client, Options::new()))
///     .service(service_fn(async |request: Request<String>| {
///         let gb = request.extensions().get::<RequestScope>().ok_or("a layer is missing")?;
///         Ok::<_, &str>(Response::new(gb.is_on("banner").to_string()))
///     }));
///
/// let request = Request::get("/").header("user-agent", "Firefox Mobile").body(String::new())?;
/// let response = service.oneshot(request).await?;
/// let cookie = response.headers()["set-cookie"].to_str()?;
/// assert!(cookie.starts_with("gbuuid="));
/// # Ok(())
/// # }
/// ```
///
/// With a client that has a blocking [sticky bucket
/// store](growthbook::ClientBuilder::sticky_bucket_store), making the scope blocks. Use
/// [cookies](Options::sticky_cookies) in async code, or load the documents in the handler.
#[derive(Clone)]
pub struct GrowthBookLayer(Arc<Scopes<Parts>>);

impl GrowthBookLayer {
    /// Creates a layer for a client.
    pub fn new(client: Client, options: Options<Parts>) -> Self {
        GrowthBookLayer(Arc::new(Scopes::new(client, options)))
    }
}

impl<S> Layer<S> for GrowthBookLayer {
    type Service = GrowthBookService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GrowthBookService { inner, scopes: self.0.clone() }
    }
}

impl fmt::Debug for GrowthBookLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GrowthBookLayer").finish_non_exhaustive()
    }
}

/// The service that a [`GrowthBookLayer`] makes.
#[derive(Clone)]
pub struct GrowthBookService<S> {
    inner: S,
    scopes: Arc<Scopes<Parts>>,
}

impl<S, B, R> Service<Request<B>> for GrowthBookService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<ScopeBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let scope = self.scopes.begin(&head);
        head.extensions.insert(scope.clone());
        let response = self.inner.call(Request::from_parts(head, body));
        ResponseFuture { response, scope: Some(scope) }
    }
}

impl<S: fmt::Debug> fmt::Debug for GrowthBookService<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GrowthBookService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The response of a [`GrowthBookService`].
    pub struct ResponseFuture<F> {
        #[pin]
        response: F,
        // `None` after the response.
        scope: Option<RequestScope>,
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<ScopeBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.response.poll(context))?;
        let Some(scope) = this.scope.take() else {
            // A future is not polled after its end.
            return Poll::Pending;
        };
        let (mut head, body) = response.into_parts();
        for (name, value) in response::headers(&scope) {
            if let Ok(value) = HeaderValue::try_from(value) {
                head.headers.append(name, value);
            }
        }
        Poll::Ready(Ok(Response::from_parts(head, ScopeBody::new(body, scope))))
    }
}
