//! GrowthBook for web services: one user scope for each request, with tower, axum, actix-web and
//! plain hyper.
//!
//! A [`GrowthBookLayer`] makes a [`RequestScope`] for each request. Its user has GrowthBook's automatic
//! attributes: the id from a cookie, the address, the campaign, the browser and the kind of device.
//! The layer adds cookies to the response. It reports exposures when the response is done.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::{Router, routing::get};
//! use growthbook::Client;
//! use growthbook_tower::{GrowthBookLayer, Options, RequestScope};
//!
//! async fn checkout(gb: RequestScope) -> String {
//!     gb.feature_value("title", "Checkout".to_owned())
//! }
//!
//! fn router(client: Client) -> Router {
//!     let growthbook = GrowthBookLayer::new(client, Options::new());
//!     Router::new().route("/checkout", get(checkout)).layer(growthbook)
//! }
//! # }
//! ```
//!
//! The [guide](guide::web_frameworks) has axum, actix-web and hyper, pages that continue in the
//! browser, and devtools.
//!
//! What this crate refuses to do:
//!
//! - It does not fetch, and starts no threads and no tasks. The client does that.
//! - It never fails a request. A closure that panics, and a header that cannot be read, have no
//!   effect.
//! - It does not believe `X-Forwarded-*` headers, unless the application says so.
//! - It sends no attribute to a browser but the automatic ones, and those that the application names.
//!
//! # Cargo features
//!
//! | feature | default | what it adds | cost |
//! |---|---|---|---|
//! | `axum` | no | the extractor for axum | crate `axum-core` |
//! | `actix` | no | `GrowthBookMiddleware` and the extractor for actix-web | crate `actix-web` |
//!
//! # Modules, in reading order
//!
//! | module | subject |
//! |---|---|
//! | `head` | the parts of a request, in any framework |
//! | `cookies`, `id_cookie` | the cookies of a request, and the one with the id |
//! | `address`, `user_agent`, `attributes` | the attributes that a request has by itself |
//! | `devtools::state`, `devtools::recorder` | devtools: the values that a developer chooses, and a log |
//! | `options`, `hook` | options, and closures of the application |
//! | `shown` | what a browser may see |
//! | `request_scope`, `scopes` | the scope of a request, and how it is made |
//! | `script`, `hydration` | the script with which the browser continues |
//! | `debug_event` | the log for the browser, as a script or header |
//! | `response` | the headers of a response |
//! | `body`, `layer` | the layer and the service for tower |
//! | `axum`, `actix`, `missing_layer` | frameworks |

#[cfg(feature = "actix")]
mod actix;
mod address;
mod attributes;
#[cfg(feature = "axum")]
mod axum;
mod body;
mod cookies;
mod debug_event;
mod devtools;
pub mod guide;
mod head;
mod hook;
mod hydration;
mod id_cookie;
mod layer;
#[cfg(any(feature = "actix", feature = "axum"))]
mod missing_layer;
mod options;
mod request_scope;
mod response;
mod scopes;
mod script;
mod shown;
mod user_agent;

#[cfg(feature = "actix")]
pub use actix::{ActixResponseFuture, GrowthBookActixService, GrowthBookMiddleware};
pub use address::MAX_TARGET_BYTES;
pub use attributes::RequestAttributes;
pub use body::ScopeBody;
pub use cookies::MAX_REQUEST_COOKIE_BYTES;
pub use devtools::{Devtools, MAX_DEVTOOLS_STATE_BYTES};
pub use hydration::Hydration;
pub use id_cookie::{
    DEFAULT_ID_COOKIE, DEFAULT_ID_COOKIE_MAX_AGE, IdCookie, InvalidIdCookie, MAX_ID_BYTES,
};
pub use layer::{GrowthBookLayer, GrowthBookService, ResponseFuture};
#[cfg(any(feature = "actix", feature = "axum"))]
pub use missing_layer::MissingLayer;
pub use options::Options;
pub use request_scope::RequestScope;
pub use script::script_json;
