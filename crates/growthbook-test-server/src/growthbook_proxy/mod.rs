//! A double of the official GrowthBook Proxy, as a client sees it.
//!
//! It listens before its routes exist, and answers 404 until it knows the connections of its API.
//! It keeps each key's payload after the first fetch, and has a channel of events from then on. It
//! ends streams after a time, and closes idle connections. After a restart all of that begins
//! again.

mod connection;
mod replies;
mod state;

use std::net::TcpStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::listener::Listener;
use crate::transport::Transport;
use state::{Kind, Shared};

/// The longest wait for streams that end in good order.
const GRACE: Duration = Duration::from_secs(2);

/// The settings of an operator. The defaults are those of the Proxy.
#[derive(Debug, Clone, Copy)]
pub struct ProxySettings {
    /// How long the API takes for an answer.
    pub api_latency: Duration,
    /// How long a stream lasts.
    pub stream_lifetime: Duration,
    /// The interval of the clock that pings the streams of a key.
    pub ping_interval: Duration,
    /// How long a connection may be idle.
    pub keep_alive: Duration,
    /// The interval at which the API is asked for its connections.
    pub listing_interval: Duration,
    /// The age at which a kept payload is fetched again, after it was served.
    pub stale_after: Duration,
}

impl Default for ProxySettings {
    fn default() -> Self {
        ProxySettings {
            api_latency: Duration::ZERO,
            stream_lifetime: Duration::from_secs(60),
            ping_interval: Duration::from_secs(30),
            keep_alive: Duration::from_secs(5),
            listing_interval: Duration::from_secs(60),
            stale_after: Duration::from_secs(60),
        }
    }
}

/// A double of the GrowthBook Proxy on a free port of 127.0.0.1, with the API that it asks.
///
/// All keys have the same payload. Dropping it breaks every connection, and joins every thread.
#[derive(Debug)]
pub struct GrowthBookProxy {
    shared: Arc<Shared>,
    port: u16,
    /// `None` while it is down.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    listener: Listener,
    listing: JoinHandle<()>,
}

impl GrowthBookProxy {
    /// Starts the Proxy and an API with these client keys.
    pub fn start<'a>(
        settings: ProxySettings,
        keys: impl IntoIterator<Item = &'a str>,
        payload: &str,
    ) -> Self {
        let shared = Arc::new(Shared::new(settings, payload));
        let mut proxy = GrowthBookProxy { shared, port: 0, running: None };
        keys.into_iter().for_each(|key| proxy.add_key(key));
        proxy.start_again();
        proxy
    }

    /// Returns `http://127.0.0.1:PORT`. A restart does not change it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Adds a client key to the API. The Proxy finds it with its next listing.
    pub fn add_key(&self, key: &str) {
        self.shared.update(|state| state.add_key(key, Kind::Plain));
    }

    /// Adds a client key for remote evaluation. The Proxy refuses to serve its features.
    pub fn add_remote_evaluation_key(&self, key: &str) {
        self.shared.update(|state| state.add_key(key, Kind::RemoteEvaluation));
    }

    /// Changes the payload of the API, which pushes it to the Proxy unless that is down.
    pub fn set_payload(&self, payload: &str) {
        self.shared.update(|state| {
            payload.clone_into(&mut state.payload);
            state.receive_push(Instant::now());
        });
    }

    /// Changes the payload of the API. The Proxy does not receive it.
    pub fn set_payload_quietly(&self, payload: &str) {
        self.shared.update(|state| payload.clone_into(&mut state.payload));
    }

    /// Sets whether the API answers. Default: yes.
    pub fn set_api_reachable(&self, reachable: bool) {
        self.shared.update(|state| state.is_api_reachable = reachable);
    }

    /// Sets how long a stream lasts. This includes open streams.
    pub fn set_stream_lifetime(&self, lifetime: Duration) {
        self.shared.update(|state| state.set_stream_lifetime(lifetime));
    }

    /// Sends SIGTERM: every stream ends in good order, then the port closes. Does nothing while the
    /// Proxy is down.
    pub fn terminate(&mut self) {
        self.shared.update(|state| state.end());
        self.shared.wait_until(GRACE, |state| state.is_all_sent());
        self.kill();
    }

    /// Sends SIGKILL: every connection breaks at once. Does nothing while the Proxy is down.
    pub fn kill(&mut self) {
        self.shared.update(|state| state.stop());
        if let Some(Running { listener, listing }) = self.running.take() {
            drop(listener);
            let joined = listing.join();
            assert!(joined.is_ok() || thread::panicking(), "the listing of keys panicked");
        }
    }

    /// Starts the Proxy on the same port. It has forgotten keys, payloads and events.
    pub fn start_again(&mut self) {
        self.kill();
        let run = self.shared.update(|state| state.start());
        let listener = Listener::start(self.port, {
            let shared = Arc::clone(&self.shared);
            move |socket: Arc<TcpStream>| {
                connection::serve(&Transport::new(socket, None), &shared, run);
            }
        });
        self.port = listener.port();
        let shared = Arc::clone(&self.shared);
        let listing = thread::spawn(move || shared.list_keys(run));
        self.running = Some(Running { listener, listing });
    }

    /// Returns when the Proxy became able to answer; `None` before that, and while it is down.
    pub fn able_since(&self) -> Option<Instant> {
        self.shared.lock().able_since()
    }

    /// Returns the number of open streams.
    pub fn open_streams(&self) -> usize {
        self.shared.lock().open_streams()
    }

    /// Waits until this number of streams is open. Returns false after `timeout`.
    pub fn wait_for_streams(&self, number: usize, timeout: Duration) -> bool {
        self.shared.wait_until(timeout, |state| state.open_streams() == number)
    }
}

impl Drop for GrowthBookProxy {
    fn drop(&mut self) {
        self.kill();
    }
}
