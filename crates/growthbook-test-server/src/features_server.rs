//! The interface of the features server for tests.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connection;
use crate::listener::Listener;
use crate::reply::Reply;
use crate::state::{Counts, Evaluate, Shared};
use crate::tls::Identity;
use crate::{Request, transport::Transport};

/// A GrowthBook features server on a free port of 127.0.0.1. It serves every client key. It is an
/// ingestor of tracking events, too: it accepts `POST /track`. It answers `POST /api/eval/{key}`.
///
/// Dropping it closes every socket and joins every thread.
#[derive(Debug)]
pub struct FeaturesServer {
    shared: Arc<Shared>,
    identity: Option<Identity>,
    port: u16,
    /// `None` while stopped.
    listener: Option<Listener>,
}

impl FeaturesServer {
    /// Starts a server that serves `payload` and offers streaming.
    pub fn start(payload: &str) -> Self {
        Self::new(payload, None)
    }

    /// Starts such a server with TLS. Its certificate is self-signed, for `localhost` and
    /// `127.0.0.1`.
    pub fn start_tls(payload: &str) -> Self {
        Self::new(payload, Some(Identity::generate()))
    }

    /// Starts such a server with TLS, for clients that have a certificate.
    pub fn start_mutual_tls(payload: &str) -> Self {
        Self::new(payload, Some(Identity::generate_mutual()))
    }

    /// Returns the PEM of the certificate that clients must have, and of its key.
    ///
    /// # Panics
    ///
    /// If the server was not started with [`start_mutual_tls`](Self::start_mutual_tls).
    pub fn client_pem(&self) -> (&str, &str) {
        let pem = self.identity.as_ref().and_then(|identity| identity.client_pem.as_ref());
        let (certificate, key) = pem.expect("the server was started with start_mutual_tls");
        (certificate, key)
    }

    /// Returns `http://127.0.0.1:PORT` or `https://localhost:PORT`. A restart does not change it.
    pub fn url(&self) -> String {
        let origin = if self.identity.is_some() { "https://localhost" } else { "http://127.0.0.1" };
        format!("{origin}:{}", self.port)
    }

    /// Returns the root certificate that a client must trust.
    ///
    /// # Panics
    ///
    /// If the server was not started with [`start_tls`](Self::start_tls).
    pub fn root_certificate_pem(&self) -> &str {
        &self.identity.as_ref().expect("the server was started with start_tls").root_pem
    }

    /// Changes the payload, and sends it to the open streams as a `features` event.
    pub fn set_payload(&self, payload: &str) {
        self.shared.update(|state| {
            state.payload = payload.to_owned();
            state.channel.publish("features", payload);
        });
    }

    /// Changes the payload, and sends no event.
    pub fn set_payload_quietly(&self, payload: &str) {
        self.shared.update(|state| state.payload = payload.to_owned());
    }

    /// Sets whether the server offers streaming. Without it, the header `x-sse-support` is missing,
    /// and `/sub/` is not found. Open streams stay open. Default: yes.
    pub fn set_streaming(&self, offered: bool) {
        self.shared.update(|state| state.streaming = offered);
    }

    /// Sets whether a features reply has an `ETag`, and `If-None-Match` counts. The tag is weak,
    /// and is a digest of the payload, as with Express. Default: yes.
    pub fn set_etags(&self, sent: bool) {
        self.shared.update(|state| state.etags = sent);
    }

    /// Sets whether a features reply is compressed for a client that accepts gzip. Default: no.
    pub fn set_gzip(&self, compressed: bool) {
        self.shared.update(|state| state.gzip = compressed);
    }

    /// Sets how long a stream lasts before the server ends it, as
    /// [`end_streams`](Self::end_streams) does. This includes open streams. Default: no limit.
    pub fn set_stream_lifetime(&self, lifetime: Option<Duration>) {
        self.shared.update(|state| state.channel.lifetime = lifetime);
    }

    /// Sets the interval of the clock that pings all streams, and restarts the clock. Default:
    /// 30 s.
    ///
    /// # Panics
    ///
    /// If `interval` is zero.
    pub fn set_ping_interval(&self, interval: Duration) {
        assert!(!interval.is_zero(), "a ping interval must not be zero");
        self.shared.update(|state| state.channel.set_ping_interval(interval, Instant::now()));
    }

    /// Answers the next features requests with these replies, one each. Replies of earlier calls
    /// come first.
    pub fn script_features(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.update(|state| state.features_script.next.extend(replies));
    }

    /// Answers the next `/sub/` requests with these replies, one each. Replies of earlier calls
    /// come first.
    pub fn script_stream(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.update(|state| state.stream_script.next.extend(replies));
    }

    /// Answers every features request with this reply when the script is empty. `None` ends that.
    pub fn always_features(&self, reply: impl Into<Option<Reply>>) {
        self.shared.update(|state| state.features_script.always = reply.into());
    }

    /// Answers every `/sub/` request with this reply when the script is empty. `None` ends that.
    pub fn always_stream(&self, reply: impl Into<Option<Reply>>) {
        self.shared.update(|state| state.stream_script.always = reply.into());
    }

    /// Answers the next requests with tracking events with these replies, one each. Replies of
    /// earlier calls come first.
    pub fn script_tracks(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.update(|state| state.track_script.next.extend(replies));
    }

    /// Answers every request with tracking events with this reply when the script is empty. `None`
    /// ends that.
    pub fn always_tracks(&self, reply: impl Into<Option<Reply>>) {
        self.shared.update(|state| state.track_script.always = reply.into());
    }

    /// Answers the next requests for remote evaluation with these replies, one each. Replies of
    /// earlier calls come first.
    pub fn script_evals(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.update(|state| state.eval_script.next.extend(replies));
    }

    /// Answers every request for remote evaluation with this reply when the script is empty. `None`
    /// ends that.
    pub fn always_evals(&self, reply: impl Into<Option<Reply>>) {
        self.shared.update(|state| state.eval_script.always = reply.into());
    }

    /// Answers requests for remote evaluation with this function: it receives the body of a request,
    /// and returns a status and a body. Default: the payload is the answer.
    pub fn evaluate_with(&self, evaluate: impl Fn(&[u8]) -> (u16, String) + Send + Sync + 'static) {
        self.shared.update(|state| state.evaluate = Some(Evaluate(Arc::new(evaluate))));
    }

    /// Forgets the requests so far, and keeps no later ones. They still count.
    pub fn keep_no_requests(&self) {
        self.shared.update(|state| {
            state.keeps_requests = false;
            state.requests = Vec::new();
        });
    }

    /// Sends these bytes to every open stream, as one chunk. The server gives them no event id, and
    /// never replays them.
    pub fn push(&self, raw: &[u8]) {
        self.shared.update(|state| state.channel.push(raw));
    }

    /// Sends the event `features-updated` to every open stream. It asks the client to fetch again.
    pub fn push_update_notice(&self) {
        self.shared.update(|state| state.channel.publish("features-updated", ""));
    }

    /// Ends every open stream normally, after the events that are already sent. Connections stay
    /// open.
    pub fn end_streams(&self) {
        self.shared.update(|state| state.channel.end_all());
    }

    /// Sets whether open streams are silent: they get no pings, no events and no end. Default: no.
    ///
    /// The server sends the delayed events when this ends. A new stream starts normally, with its
    /// replay, and is silent after that.
    pub fn set_silent(&self, silent: bool) {
        self.shared.update(|state| state.channel.silent = silent);
    }

    /// Closes every open connection, also in the middle of a request or reply.
    pub fn hang_up(&self) {
        let disconnect = || self.shared.update(|state| state.disconnect_all());
        match &self.listener {
            Some(listener) => listener.hang_up(disconnect),
            None => disconnect(),
        }
    }

    /// Closes the port and every connection. Does nothing on a stopped server.
    pub fn stop(&mut self) {
        self.listener = None;
    }

    /// Listens on the same port again. Stops a running server first.
    ///
    /// The payload, settings, scripts and counts stay. Event ids start at 1 again, and there is no
    /// event to replay, as after a restart of the GrowthBook Proxy.
    pub fn restart(&mut self) {
        self.stop();
        self.shared.update(|state| state.channel.forget_events());
        self.listener = Some(self.listen());
    }

    /// Returns every request so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// Returns the counts so far.
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts()
    }

    /// Waits until `predicate` holds for the counts. Returns false after `timeout`.
    ///
    /// Prefer totals to current values: the method can miss a short state.
    pub fn wait_until(&self, timeout: Duration, predicate: impl Fn(&Counts) -> bool) -> bool {
        self.shared.wait_until(timeout, predicate)
    }

    fn new(payload: &str, identity: Option<Identity>) -> Self {
        let shared = Arc::new(Shared::new(payload));
        let mut server = Self { shared, identity, port: 0, listener: None };
        let listener = server.listen();
        server.port = listener.port();
        server.listener = Some(listener);
        server
    }

    fn listen(&self) -> Listener {
        let shared = Arc::clone(&self.shared);
        let config = self.identity.as_ref().map(|identity| Arc::clone(&identity.config));
        Listener::start(self.port, move |socket: Arc<TcpStream>| {
            connection::serve(Transport::new(socket, config.as_ref()), &shared);
        })
    }
}
