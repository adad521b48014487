//! The server as a test sees it.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connection;
use crate::listener::Listener;
use crate::reply::Reply;
use crate::state::{Counts, Shared};
use crate::tls::Identity;
use crate::{Request, transport::Transport};

/// A GrowthBook features server on a free port of 127.0.0.1, for every client key.
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
    /// Starts a server that serves `payload`, with streaming offered.
    pub fn start(payload: &str) -> Self {
        Self::new(payload, None)
    }

    /// The same over TLS, with a self-signed certificate for `localhost` and `127.0.0.1`.
    pub fn start_tls(payload: &str) -> Self {
        Self::new(payload, Some(Identity::generate()))
    }

    /// `http://127.0.0.1:PORT`, or `https://localhost:PORT`. It outlives a restart.
    pub fn url(&self) -> String {
        let origin = if self.identity.is_some() { "https://localhost" } else { "http://127.0.0.1" };
        format!("{origin}:{}", self.port)
    }

    /// What a client has to trust.
    ///
    /// # Panics
    ///
    /// If the server was not started with [`start_tls`](Self::start_tls).
    pub fn root_certificate_pem(&self) -> &str {
        &self.identity.as_ref().expect("the server was started with start_tls").root_pem
    }

    /// Serves `payload` from now on, and pushes it to the open streams as a `features` event.
    pub fn set_payload(&self, payload: &str) {
        self.shared.update(|state| {
            state.payload = payload.to_owned();
            state.channel.publish("features", payload);
        });
    }

    /// Serves `payload` from now on and pushes nothing.
    pub fn set_payload_quietly(&self, payload: &str) {
        self.shared.update(|state| state.payload = payload.to_owned());
    }

    /// Whether streaming is offered, in `x-sse-support`, and `/sub/` found. Default: yes. Open
    /// streams stay.
    pub fn set_streaming(&self, offered: bool) {
        self.shared.update(|state| state.streaming = offered);
    }

    /// Whether a features reply has a (weak) `ETag`, and `If-None-Match` is honoured. Default: yes.
    /// The tag is a digest of the payload.
    pub fn set_etags(&self, sent: bool) {
        self.shared.update(|state| state.etags = sent);
    }

    /// Whether a features reply is compressed for a client that accepts gzip. Default: no.
    pub fn set_gzip(&self, compressed: bool) {
        self.shared.update(|state| state.gzip = compressed);
    }

    /// How long after its opening the server ends a stream, as
    /// [`end_streams`](Self::end_streams) does. Default: never. Holds for open streams too.
    pub fn set_stream_lifetime(&self, lifetime: Option<Duration>) {
        self.shared.update(|state| state.channel.lifetime = lifetime);
    }

    /// The interval of the one clock that pings every stream. Default: 30 s. Restarts the clock.
    ///
    /// # Panics
    ///
    /// If `interval` is zero.
    pub fn set_ping_interval(&self, interval: Duration) {
        assert!(!interval.is_zero(), "a ping interval has to be longer than nothing");
        self.shared.update(|state| state.channel.set_ping_interval(interval, Instant::now()));
    }

    /// Answers the next features requests with these, one each, after those scripted before.
    pub fn script_features(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.update(|state| state.features_script.next.extend(replies));
    }

    /// Answers the next `/sub/` requests with these, one each, after those scripted before.
    pub fn script_stream(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.update(|state| state.stream_script.next.extend(replies));
    }

    /// Answers every features request that no script is left for with this, until `None`.
    pub fn always_features(&self, reply: impl Into<Option<Reply>>) {
        self.shared.update(|state| state.features_script.always = reply.into());
    }

    /// Answers every `/sub/` request that no script is left for with this, until `None`.
    pub fn always_stream(&self, reply: impl Into<Option<Reply>>) {
        self.shared.update(|state| state.stream_script.always = reply.into());
    }

    /// Sends these bytes to every open stream, as one chunk. They have no event id of the server's
    /// and are never replayed.
    pub fn push(&self, raw: &[u8]) {
        self.shared.update(|state| state.channel.push(raw));
    }

    /// Sends every open stream the event that means "fetch again".
    pub fn push_update_notice(&self) {
        self.shared.update(|state| state.channel.publish("features-updated", ""));
    }

    /// Ends every open stream normally, after what was pushed before. Connections stay.
    pub fn end_streams(&self) {
        self.shared.update(|state| state.channel.end_all());
    }

    /// Whether open streams get nothing any more: no pings, no events, no end. Default: no. What
    /// was held back is sent when this ends. A stream opened meanwhile begins as ever, with its
    /// replay, then is silent too.
    pub fn set_silent(&self, silent: bool) {
        self.shared.update(|state| state.channel.silent = silent);
    }

    /// Closes every open connection, whatever it is amid.
    pub fn hang_up(&self) {
        self.shared.update(|state| state.disconnect_all());
        if let Some(listener) = &self.listener {
            listener.hang_up();
        }
    }

    /// Closes the port and every connection. Does nothing when stopped already.
    pub fn stop(&mut self) {
        self.listener = None;
    }

    /// Listens on the same port again, stopping first if need be. Payload, settings, scripts and
    /// what was counted stay; event ids start at 1 again and nothing is left to replay, as after a
    /// restart of the proxy.
    pub fn restart(&mut self) {
        self.stop();
        self.shared.update(|state| state.channel.forget_events());
        self.listener = Some(self.listen());
    }

    /// Every request received so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts()
    }

    /// Waits until `predicate` holds for the counts; false when it does not within `timeout`. Wait
    /// for totals where possible: a state that passes quickly can be missed.
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
