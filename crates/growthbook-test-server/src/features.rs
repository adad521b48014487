//! The normal reply to a request for features.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha1::{Digest, Sha1};

use crate::Request;
use crate::http::{Response, has_token};
use crate::state::{Answer, State};

/// Returns the reply. Counts it if it is a 304.
pub(crate) fn reply(request: &Request, state: &mut State) -> Response {
    let etag = state.etags.then(|| etag(&state.payload));
    let is_known = etag.as_ref().is_some_and(|etag| is_known(request, etag));
    let mut response = Response::new(if is_known { 304 } else { 200 });
    if state.streaming {
        response.set_header("x-sse-support", "enabled");
    }
    if let Some(etag) = &etag {
        response.set_header("etag", etag);
    }
    if is_known {
        state.not_modified += 1;
        return response;
    }
    response.set_header("content-type", "application/json; charset=utf-8");
    response.body = state.payload.clone().into_bytes();
    if state.gzip {
        response.set_header("vary", "Accept-Encoding");
        if request.accepts_gzip() {
            response.set_header("content-encoding", "gzip");
            response.body = gzip(&response.body);
        }
    }
    response
}

/// Returns the reply to a request for remote evaluation: this status and body, or else the payload.
pub(crate) fn evaluated(answer: Option<Answer>, state: &State) -> Response {
    let (status, body) = answer.unwrap_or_else(|| (200, state.payload.clone()));
    let mut response = Response::new(status);
    if state.streaming {
        response.set_header("x-sse-support", "enabled");
    }
    response.set_header("content-type", "application/json; charset=utf-8");
    response.body = body.into_bytes();
    response
}

/// Returns the tag that Express gives to this body: GrowthBook's servers use it.
pub(crate) fn etag(payload: &str) -> String {
    let hash = STANDARD_NO_PAD.encode(Sha1::digest(payload));
    format!("W/\"{:x}-{hash}\"", payload.len())
}

/// Whether the client has this payload. `Cache-Control: no-cache` asks for the whole payload in any
/// case, as with the GrowthBook Proxy.
pub(crate) fn is_known(request: &Request, etag: &str) -> bool {
    let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = request.header("if-none-match").unwrap_or_default();
    !has_token(request.header("cache-control"), "no-cache")
        && known.split(',').any(|tag| tag.trim() == "*" || weak(tag) == weak(etag))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.expect("writing to memory cannot fail")
}
