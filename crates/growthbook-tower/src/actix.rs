//! The middleware and the extractor for actix-web.

use std::fmt;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError};
use growthbook::Client;
use pin_project_lite::pin_project;

use crate::body::ScopeBody;
use crate::head::RequestHead;
use crate::missing_layer::MissingLayer;
use crate::options::Options;
use crate::request_scope::RequestScope;
use crate::response;
use crate::scopes::Scopes;

/// A middleware for actix-web that makes a user scope for each request. It does what
/// [`GrowthBookLayer`](crate::GrowthBookLayer) does for tower.
///
/// ```
/// use actix_web::{App, Responder, web};
/// use growthbook::Client;
/// use growthbook_tower::{GrowthBookMiddleware, Options, RequestScope};
///
/// async fn checkout(gb: RequestScope) -> impl Responder {
///     gb.feature_value("title", "Checkout".to_owned())
/// }
///
/// # let client = Client::from_json(r#"{"features": {}}"#)?;
/// // Outside the closure, so that all workers share it.
/// let growthbook = GrowthBookMiddleware::new(client, Options::new());
/// let app = move || App::new().wrap(growthbook.clone()).route("/", web::get().to(checkout));
/// # app();
/// # Ok::<(), growthbook::PayloadError>(())
/// ```
#[derive(Clone)]
pub struct GrowthBookMiddleware(Arc<Scopes<HttpRequest>>);

impl GrowthBookMiddleware {
    /// Creates a middleware for a client.
    pub fn new(client: Client, options: Options<HttpRequest>) -> Self {
        GrowthBookMiddleware(Arc::new(Scopes::new(client, options)))
    }
}

impl fmt::Debug for GrowthBookMiddleware {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GrowthBookMiddleware").finish_non_exhaustive()
    }
}

impl<S, B> Transform<S, ServiceRequest> for GrowthBookMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<ScopeBody<B>>;
    type Error = S::Error;
    type Transform = GrowthBookActixService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(GrowthBookActixService { service, scopes: self.0.clone() }))
    }
}

/// The service that a [`GrowthBookMiddleware`] makes.
pub struct GrowthBookActixService<S> {
    service: S,
    scopes: Arc<Scopes<HttpRequest>>,
}

impl<S, B> Service<ServiceRequest> for GrowthBookActixService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<ScopeBody<B>>;
    type Error = S::Error;
    type Future = ActixResponseFuture<S::Future>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let scope = self.scopes.begin(request.request());
        request.extensions_mut().insert(scope.clone());
        ActixResponseFuture { response: self.service.call(request), scope: Some(scope) }
    }
}

pin_project! {
    /// The response of a [`GrowthBookActixService`].
    pub struct ActixResponseFuture<F> {
        #[pin]
        response: F,
        // `None` after the response.
        scope: Option<RequestScope>,
    }
}

impl<F, B, E> Future for ActixResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, E>>,
{
    type Output = Result<ServiceResponse<ScopeBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.response.poll(context))?;
        let Some(scope) = this.scope.take() else {
            // A future is not polled after its end.
            return Poll::Pending;
        };
        for (name, value) in response::headers(&scope) {
            // The two frameworks have different versions of the crate `http`.
            let name = HeaderName::try_from(name.as_str());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                answer.headers_mut().append(name, value);
            }
        }
        Poll::Ready(Ok(answer.map_body(|_, body| ScopeBody::new(body, scope))))
    }
}

impl<B: MessageBody> MessageBody for ScopeBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        self.project().body.poll_next(context)
    }
}

/// The scope of the request, as an argument of a handler.
impl FromRequest for RequestScope {
    type Error = MissingLayer;
    type Future = Ready<Result<Self, MissingLayer>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let scope = request.extensions().get::<RequestScope>().cloned();
        ready(scope.ok_or_else(MissingLayer::new))
    }
}

/// An internal server error.
impl ResponseError for MissingLayer {}

impl RequestHead for HttpRequest {
    fn scheme(&self) -> Option<&str> {
        self.uri().scheme_str()
    }

    fn authority(&self) -> Option<&str> {
        self.uri().authority().map(|authority| authority.as_str())
    }

    fn path_and_query(&self) -> &str {
        self.uri().path_and_query().map_or("", |target| target.as_str())
    }

    fn header_values(&self, name: &http::HeaderName) -> impl Iterator<Item = &[u8]> {
        self.headers().get_all(name.as_str()).map(|value| value.as_bytes())
    }
}
