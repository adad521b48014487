//! The body of a response, which keeps the scope of its request.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::request_scope::RequestScope;

pin_project! {
    /// The body of a response. It keeps the scope of the request until the response is done, because
    /// dropping the scope reports the exposures.
    pub struct ScopeBody<B> {
        #[pin]
        pub(crate) body: B,
        // Dropped after the body.
        scope: RequestScope,
    }
}

impl<B> ScopeBody<B> {
    pub(crate) fn new(body: B, scope: RequestScope) -> Self {
        ScopeBody { body, scope }
    }
}

impl<B: Body> Body for ScopeBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
