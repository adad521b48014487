//! The asynchronous loader for programs on tokio.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBuckets};
use redis::{
    AsyncConnectionConfig, ErrorKind, FromRedisValue, Pipeline, ProtocolVersion, RedisError,
    RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection,
};
use tokio::task::AbortHandle;

use super::{
    breaker::Breakers,
    error::{RedisStoreError, RedisStoreErrorKind, is_reply},
    options::{MAX_REDIS_REPLY_BYTES, RedisStickyBucketOptions},
    pool::{LEAST_REPLY_TIMEOUT, connect_timeout},
    request::{self, Request},
    stream::LimitedStream,
};
use growthbook_support::ForkSafeMutex;

/// Loads and saves documents of Redis asynchronously. The application loads the documents of a
/// user, evaluates with them, and saves the changed ones. With a client of the crate `growthbook`,
/// `for_user_with_sticky` takes the loaded documents, and `take_changed_sticky_buckets` of the scope
/// returns the changed ones.
///
/// Documents, deadlines and pauses are the same as for
/// [`RedisStickyBucketStore`](crate::RedisStickyBucketStore). All tasks share one connection, so the
/// option `max_connections` has no effect. Each method has to run on a tokio runtime with its IO and
/// time drivers. Clones share the connection.
///
/// ```no_run
/// # async fn handle() -> Result<(), Box<dyn std::error::Error>> {
/// use growthbook_core::{Payload, UserContext};
/// use growthbook_sticky::{RedisLoader, redis};
///
/// let redis = RedisLoader::new(redis::Client::open("redis://localhost/")?);
/// let snapshot = Payload::from_json(r#"{"features": {}}"#)?.compile();
/// let user = UserContext::new("user-1");
/// let evaluator = snapshot.for_user(&user);
/// let mut buckets = redis.load(&evaluator.sticky_keys()).await?;
/// let is_on = evaluator.sticky(&mut buckets).eval_feature("checkout").on;
/// redis.save(&buckets.take_changed()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisLoader {
    shared: Arc<Shared>,
}

struct Shared {
    client: redis::Client,
    options: RedisStickyBucketOptions,
    connection: tokio::sync::Mutex<Option<Connection>>,
    breakers: ForkSafeMutex<Breakers>,
}

/// A connection, and the task that serves it. The task ends with the last clone.
#[derive(Clone)]
struct Connection {
    requests: MultiplexedConnection,
    _task: Arc<Task>,
}

struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A single server is one part.
const PARTS: [u16; 1] = [0];

impl RedisLoader {
    /// Creates a loader with the default options, which match the other SDKs. It does not connect yet.
    pub fn new(client: redis::Client) -> Self {
        RedisLoader::with_options(client, RedisStickyBucketOptions::new())
    }

    /// Creates a loader with these options. It does not connect yet.
    pub fn with_options(client: redis::Client, options: RedisStickyBucketOptions) -> Self {
        let shared = Shared {
            client,
            options,
            connection: tokio::sync::Mutex::default(),
            breakers: ForkSafeMutex::default(),
        };
        RedisLoader { shared: Arc::new(shared) }
    }

    /// Loads the documents of these keys. Missing and corrupt ones are left out.
    ///
    /// # Errors
    ///
    /// When Redis cannot be read within the deadline. Then do not save the documents that change: a
    /// save would replace the stored ones, unless the option
    /// [`merge`](RedisStickyBucketOptions::merge) is set.
    pub async fn load(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, RedisStoreError> {
        if keys.is_empty() {
            return Ok(StickyBuckets::new());
        }
        let request = Request::load(keys, &self.shared.options);
        let mut pipeline = redis::pipe();
        pipeline.cmd("MGET").arg(request.keys());
        let (values,): (Vec<redis::Value>,) = self.shared.send(&pipeline, None).await?;
        Ok(request::documents(keys, &values))
    }

    /// Saves these documents in one round trip.
    ///
    /// # Errors
    ///
    /// When Redis cannot be written within the deadline. Some documents may have been saved.
    pub async fn save(&self, documents: &[StickyBucketDocument]) -> Result<(), RedisStoreError> {
        if documents.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        let mut with_code = redis::pipe();
        for document in documents {
            match Request::save(document, &self.shared.options) {
                Request::Merge(merge) => {
                    pipeline.add_command(merge.by_hash());
                    with_code.add_command(merge.by_code());
                }
                Request::Set { key, json, ttl } => {
                    pipeline.add_command(request::set(&key, &json, ttl));
                }
                Request::Load(_) => {}
            }
        }
        let _: Vec<redis::Value> = self.shared.send(&pipeline, Some(&with_code)).await?;
        Ok(())
    }
}

impl fmt::Debug for RedisLoader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisLoader")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Sends a pipeline. If Redis does not know a script in it, sends `with_code` instead.
    async fn send<T: FromRedisValue>(
        self: &Arc<Self>,
        pipeline: &Pipeline,
        with_code: Option<&Pipeline>,
    ) -> Result<T, RedisStoreError> {
        let begun = Instant::now();
        self.breakers.lock().map_err(|locked| RedisStoreError::other(locked.to_string()))?.admit(
            &PARTS,
            begun,
            self.options.deadline,
        )?;
        let is_new = AtomicBool::new(false);
        let reply = self.send_with_retries(pipeline, with_code, &is_new);
        let reply = match tokio::time::timeout(self.options.deadline, reply).await {
            Ok(reply) => reply,
            Err(_) => {
                if is_new.load(Ordering::Relaxed) {
                    // Connecting may have taken most of the time.
                    tokio::spawn(self.clone().keep_if_usable());
                } else {
                    self.disconnect();
                }
                Err(RedisStoreError::new(RedisStoreErrorKind::TimedOut))
            }
        };
        self.record(begun, reply.as_ref().err());
        reply
    }

    /// Notes in `is_new` when it does not use a kept connection.
    async fn send_with_retries<T: FromRedisValue>(
        self: &Arc<Self>,
        pipeline: &Pipeline,
        with_code: Option<&Pipeline>,
        is_new: &AtomicBool,
    ) -> Result<T, RedisStoreError> {
        let mut pipeline = pipeline;
        loop {
            let mut connection = match self.kept().await {
                Some(connection) => connection,
                None => {
                    is_new.store(true, Ordering::Relaxed);
                    self.connect().await?
                }
            };
            match pipeline.query_async(&mut connection.requests).await {
                Ok(reply) => return Ok(reply),
                Err(error) if is_unknown_script(&error) && with_code.is_some() => {
                    // This pipeline contains the scripts, so the error does not occur twice.
                    pipeline = with_code.unwrap_or(pipeline);
                }
                Err(error) if is_reply(&error) => return Err(RedisStoreError::of(&error)),
                Err(error) => {
                    self.disconnect();
                    // Redis may have closed a kept connection while it was idle.
                    let was_kept = !is_new.load(Ordering::Relaxed);
                    if !was_kept {
                        return Err(RedisStoreError::of(&error));
                    }
                }
            }
        }
    }

    async fn kept(&self) -> Option<Connection> {
        self.connection.lock().await.clone()
    }

    /// Connects in a task of its own, which may take longer than the caller waits. Then a later call
    /// uses the connection.
    async fn connect(self: &Arc<Self>) -> Result<Connection, RedisStoreError> {
        let shared = self.clone();
        let connecting = tokio::spawn(async move {
            let mut kept = shared.connection.lock().await;
            if let Some(connection) = kept.as_ref() {
                return Ok(connection.clone());
            }
            let limit = connect_timeout(shared.options.deadline);
            let connection = tokio::time::timeout(limit, shared.open()).await;
            let connection = connection.map_err(io::Error::from)??;
            Ok(kept.insert(connection).clone())
        });
        match connecting.await {
            Ok(connected) => connected.map_err(|error: RedisError| RedisStoreError::of(&error)),
            // The Redis client panicked, or the runtime is shutting down.
            Err(error) => Err(RedisStoreError::other(error.to_string())),
        }
    }

    async fn open(&self) -> RedisResult<Connection> {
        let info = self.client.get_connection_info();
        let stream = LimitedStream::open(info, &self.options.tls, MAX_REDIS_REPLY_BYTES).await?;
        // Each call has a limit of its own. A second limit could end a call first, and look like a
        // broken connection.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
        let (requests, serve) =
            MultiplexedConnection::new_with_config(&settings, stream, config).await?;
        let task = Arc::new(Task(tokio::spawn(serve).abort_handle()));
        Ok(Connection { requests, _task: task })
    }

    /// Keeps a new connection for the next call if a late reply arrives on it soon. Otherwise closes
    /// it: the reply may never end.
    async fn keep_if_usable(self: Arc<Self>) {
        let ping = async {
            let mut connection = self.kept().await?;
            // It is answered after the late reply.
            redis::cmd("PING").query_async::<Value>(&mut connection.requests).await.ok()
        };
        if !matches!(tokio::time::timeout(LEAST_REPLY_TIMEOUT, ping).await, Ok(Some(_))) {
            self.disconnect();
        }
    }

    fn disconnect(&self) {
        // If it is locked, another task is connecting already.
        if let Ok(mut kept) = self.connection.try_lock() {
            *kept = None;
        }
    }

    fn record(&self, begun: Instant, error: Option<&RedisStoreError>) {
        let Ok(mut breakers) = self.breakers.lock() else { return };
        let outage = breakers.record(&PARTS, begun, Instant::now(), error);
        drop(breakers);
        if let Some(outage) = outage {
            outage.log();
        }
    }
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
