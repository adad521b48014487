//! Answers to clients that evaluate remotely.

use growthbook_core::Payload;
use growthbook_core::remote_eval::RemoteEvalRequest;
use growthbook_core::sticky::StickyBuckets;

use crate::client::Client;

impl Client {
    /// Answers a request for remote evaluation, with the payload in use and without sticky
    /// bucketing. See [`Evaluator::remote_eval`](crate::Evaluator::remote_eval).
    ///
    /// Exposures are for the remote client to report. This client's plugins and callbacks do not
    /// receive them. It does not block.
    ///
    /// ```
    /// use growthbook::Client;
    /// use growthbook::remote_eval::RemoteEvalRequest;
    ///
    /// let client = Client::from_json(r#"{"features": {"checkout": {
    ///     "defaultValue": "old",
    ///     "rules": [{"condition": {"country": "US"}, "force": "new"}]
    /// }}}"#)?;
    /// let request = RemoteEvalRequest::from_json(br#"{"attributes": {"country": "US"}}"#)?;
    /// assert_eq!(
    ///     client.remote_eval(&request).to_json_string(),
    ///     r#"{"features":{"checkout":{"defaultValue":"new"}},"experiments":[]}"#
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remote_eval(&self, request: &RemoteEvalRequest) -> Payload {
        self.evaluate_remotely(request, None)
    }

    /// Like [`remote_eval`](Client::remote_eval), with the user's sticky bucket documents. Load
    /// those of [`sticky_keys`](crate::UserScope::sticky_keys) before, and save
    /// [`take_changed`](StickyBuckets::take_changed) after. The client's own store is not used.
    pub fn remote_eval_with_sticky(
        &self,
        request: &RemoteEvalRequest,
        buckets: &mut StickyBuckets,
    ) -> Payload {
        self.evaluate_remotely(request, Some(buckets))
    }

    fn evaluate_remotely(
        &self,
        request: &RemoteEvalRequest,
        buckets: Option<&mut StickyBuckets>,
    ) -> Payload {
        let live = self.live().load();
        let evaluator = live.snapshot().for_user_with(&live.data().globals, request.user());
        match buckets {
            Some(buckets) => evaluator.sticky(buckets).remote_eval(live.payload()),
            None => evaluator.remote_eval(live.payload()),
        }
    }
}
