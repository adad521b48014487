//! The span of a fetch, for the subscribers of the crate `tracing`.
//!
//! A subscriber is foreign code and may panic. Each call of it is contained, so that it cannot end
//! a fetch.

use growthbook_support::contain;
use tracing::field::Empty;
use tracing::{Level, Span};
use url::Url;

use crate::error::{FetchError, FetchErrorKind};
use crate::http::Reply;

/// The target of the spans.
const TARGET: &str = "growthbook::fetch";

/// The field of the status code. `tracing` finds fields by name.
const STATUS_CODE: &str = "http.response.status_code";
const RESULT: &str = "growthbook.fetch.result";
const ERROR_TYPE: &str = "error.type";
/// The field that OpenTelemetry's layers read as the status of a span.
const OTEL_STATUS: &str = "otel.status_code";

/// The span of a fetch. The docs of the crate list its fields.
pub(super) struct FetchSpan(Span);

impl FetchSpan {
    /// Begins a span. Of the address it shows the scheme, the host and the port: the path has the
    /// client key.
    pub(super) fn begin(address: &Url) -> Self {
        let span = contain(|| {
            tracing::span!(
                target: TARGET,
                Level::INFO,
                "growthbook.fetch",
                otel.kind = "client",
                http.request.method = "GET",
                url.scheme = address.scheme(),
                server.address = address.host_str(),
                server.port = address.port_or_known_default(),
                http.response.status_code = Empty,
                growthbook.fetch.result = Empty,
                "error.type" = Empty,
                otel.status_code = Empty,
            )
        });
        FetchSpan(span.unwrap_or_else(|_| Span::none()))
    }

    /// Calls a function within the span.
    pub(super) fn within<R>(&self, call: impl FnOnce() -> R) -> R {
        let entered = contain(|| self.0.enter()).ok();
        let result = call();
        let _ = contain(|| drop(entered));
        result
    }

    /// Notes the server's reply.
    pub(super) fn replied(&self, reply: &Result<Reply, FetchError>) {
        match reply {
            Ok(Reply::Payload { .. }) => self.note(200, "payload"),
            Ok(Reply::NotModified) => self.note(304, "not_modified"),
            Err(error) => {
                if let FetchErrorKind::Status { code, .. } = error.kind() {
                    self.record(|span| span.record(STATUS_CODE, code));
                }
            }
        }
    }

    /// Ends the span. A payload that cannot be used is a failure, too.
    pub(super) fn end(self, outcome: &Result<(), FetchError>) {
        if let Err(error) = outcome {
            let code;
            let error_type = match error.kind() {
                FetchErrorKind::Status { code: number, .. } => {
                    code = number.to_string();
                    &code
                }
                kind => kind.name(),
            };
            self.record(|span| {
                span.record(RESULT, "failed")
                    .record(ERROR_TYPE, error_type)
                    .record(OTEL_STATUS, "ERROR")
            });
        }
        let _ = contain(|| drop(self.0));
    }

    fn note(&self, code: u16, result: &'static str) {
        self.record(|span| span.record(STATUS_CODE, code).record(RESULT, result));
    }

    fn record<'a>(&'a self, record: impl FnOnce(&'a Span) -> &'a Span) {
        let _ = contain(|| record(&self.0));
    }
}
