//! The Proxy's replies, without those of a stream.

use std::time::Instant;

use super::state::{Kind, State};
use crate::Request;
use crate::features::{etag, is_known};
use crate::http::{Response, Route};

/// The next step of answering a request.
pub(super) enum Answer {
    Reply(Response),
    /// Reply, then fetch this stale payload from the API.
    ReplyThenFetch(Response),
    /// Fetch the payload from the API, then call [`passed_through`].
    Fetch,
    Stream {
        opening: Vec<u8>,
    },
}

/// Decides about a request for this key on a connection with this number.
pub(super) fn answer(state: &mut State, request: &Request, key: &str, id: usize) -> Answer {
    if state.able_since().is_none() {
        return Answer::Reply(if state.is_api_reachable { not_found(request) } else { error(503) });
    }
    match request.route() {
        Route::Features => features(state, request, key),
        Route::Stream => stream(state, request, key, id),
        Route::Track | Route::Eval | Route::Unknown => Answer::Reply(not_found(request)),
    }
}

/// Returns the reply to a key's first fetch, after the API's answer. It is the API's own.
pub(super) fn passed_through(state: &mut State, request: &Request, key: &str) -> Response {
    if !state.is_api_reachable {
        let mut response = error(500);
        offer_streams(&mut response);
        return response;
    }
    state.keep(key, Instant::now());
    // The API's tag differs from the Proxy's.
    let tag = etag(&format!("api {}", state.payload));
    let mut response = payload(request, &state.payload, &tag);
    response.set_header(
        "cache-control",
        "public, max-age=30, stale-while-revalidate=3600, stale-if-error=36000",
    );
    response
}

fn features(state: &State, request: &Request, key: &str) -> Answer {
    let Some(listed) = state.listed(key) else {
        let mut response = bad_key();
        offer_streams(&mut response);
        return Answer::Reply(response);
    };
    if listed.kind == Kind::RemoteEvaluation {
        let mut response = json(400, r#"{"status":400,"error":"Remote evaluation required"}"#);
        offer_streams(&mut response);
        return Answer::Reply(response);
    }
    let Some(kept) = &listed.kept else { return Answer::Fetch };
    let response = payload(request, &kept.payload, &etag(&kept.payload));
    if kept.fetched.elapsed() < state.settings.stale_after {
        Answer::Reply(response)
    } else {
        Answer::ReplyThenFetch(response)
    }
}

fn stream(state: &mut State, request: &Request, key: &str, id: usize) -> Answer {
    if state.listed(key).is_none() {
        return Answer::Reply(bad_key());
    }
    let last_event_id = request.header("last-event-id");
    match state.open_stream(key, id, last_event_id, Instant::now()) {
        Some(opening) => Answer::Stream { opening },
        None => Answer::Reply(json(400, r#"{"status":400,"error":"No channel found"}"#)),
    }
}

fn payload(request: &Request, payload: &str, tag: &str) -> Response {
    let is_known = is_known(request, tag);
    let mut response = if is_known { Response::new(304) } else { json(200, payload) };
    response.set_header("etag", tag);
    response.set_header("access-control-allow-origin", "*");
    offer_streams(&mut response);
    response
}

fn offer_streams(response: &mut Response) {
    response.set_header("x-sse-support", "enabled");
}

fn bad_key() -> Response {
    let mut response = json(400, r#"{"status":400,"error":"Invalid API Key"}"#);
    response.set_header("x-unrecoverable", "1");
    response
}

fn json(status: u16, body: &str) -> Response {
    let mut response = Response::new(status);
    response.set_header("content-type", "application/json; charset=utf-8");
    response.body = body.as_bytes().to_vec();
    response
}

fn not_found(request: &Request) -> Response {
    html(404, &format!("Cannot {} {}", request.method, request.path))
}

fn error(status: u16) -> Response {
    html(status, "Error")
}

fn html(status: u16, text: &str) -> Response {
    let mut response = Response::new(status);
    response.set_header("content-type", "text/html; charset=utf-8");
    response.body = format!("<!DOCTYPE html>\n<pre>{text}</pre>\n").into_bytes();
    response
}
