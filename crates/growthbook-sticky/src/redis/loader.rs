//! Redis for programs on tokio.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Instant,
};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBuckets};
use redis::{
    AsyncConnectionConfig, ErrorKind, FromRedisValue, Pipeline, RedisError, ServerErrorKind,
    aio::MultiplexedConnection,
};

use super::{
    breaker::Breakers,
    connection::is_answer,
    error::{RedisStoreError, RedisStoreErrorKind},
    options::RedisStickyBucketOptions,
    request::{self, Request},
};
use crate::LOG_TARGET;
use crate::lock::lock_patiently;

/// Loads and saves documents for an application that evaluates purely: load a user's documents,
/// evaluate with them, save what changed.
///
/// It keeps documents, deadlines and pauses as
/// [`RedisStickyBucketStore`](crate::RedisStickyBucketStore) does, on one connection for all
/// tasks (of the options, `max_connections` says nothing here). Every method has to run on a tokio
/// runtime with its IO and time drivers. Clones share the connection.
///
/// ```no_run
/// # async fn handle(redis: growthbook_sticky::RedisLoader) -> Result<(), Box<dyn std::error::Error>> {
/// use growthbook_core::{Payload, UserContext};
///
/// let snapshot = Payload::from_json("{}")?.compile();
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
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
    breakers: Mutex<Breakers>,
}

/// A single server fails as a whole.
const PARTS: [u16; 1] = [0];

impl RedisLoader {
    /// Keeps documents as the other SDKs do. Connects to nothing yet.
    pub fn new(client: redis::Client) -> Self {
        RedisLoader::with_options(client, RedisStickyBucketOptions::new())
    }

    /// Keeps documents as the options say. Connects to nothing yet.
    pub fn with_options(client: redis::Client, options: RedisStickyBucketOptions) -> Self {
        let shared = Shared {
            client,
            options,
            connection: tokio::sync::Mutex::default(),
            breakers: Mutex::default(),
        };
        RedisLoader { shared: Arc::new(shared) }
    }

    /// Loads the documents of these keys. One that is missing or corrupt is left out.
    ///
    /// # Errors
    ///
    /// When Redis cannot be read within the deadline. Saving documents that were evaluated without
    /// what is stored might replace it, unless the options say
    /// [`merge`](RedisStickyBucketOptions::merge).
    pub async fn load(&self, keys: &[StickyBucketKey]) -> Result<StickyBuckets, RedisStoreError> {
        if keys.is_empty() {
            return Ok(StickyBuckets::new());
        }
        let request = Request::load(keys, &self.shared.options);
        let mut pipeline = redis::pipe();
        pipeline.cmd("MGET").arg(request.keys());
        let (answer,): (Vec<redis::Value>,) = self.shared.ask(&pipeline, None).await?;
        Ok(request::documents(keys, &answer))
    }

    /// Saves these documents in one round trip.
    ///
    /// # Errors
    ///
    /// When Redis cannot be written within the deadline. Some of them may have been saved.
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
        let _: Vec<redis::Value> = self.shared.ask(&pipeline, Some(&with_code)).await?;
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
    /// Sends a pipeline; another in its place when Redis does not know a script of it.
    async fn ask<T: FromRedisValue>(
        &self,
        pipeline: &Pipeline,
        with_code: Option<&Pipeline>,
    ) -> Result<T, RedisStoreError> {
        let begun = Instant::now();
        let is_admitted = lock_patiently(&self.breakers)
            .map_err(|locked| RedisStoreError::other(locked.to_string()))?
            .admit(&PARTS, begun, self.options.deadline);
        if !is_admitted {
            return Err(RedisStoreError::new(RedisStoreErrorKind::Pausing));
        }
        let asked = self.ask_twice(pipeline, with_code);
        let answer = match tokio::time::timeout(self.options.deadline, asked).await {
            Ok(answer) => answer,
            Err(_) => {
                self.disconnect();
                Err(RedisStoreError::new(RedisStoreErrorKind::TimedOut))
            }
        };
        self.record(begun, answer.as_ref().err());
        answer
    }

    async fn ask_twice<T: FromRedisValue>(
        &self,
        pipeline: &Pipeline,
        with_code: Option<&Pipeline>,
    ) -> Result<T, RedisStoreError> {
        let mut pipeline = pipeline;
        let mut was_kept = true;
        loop {
            let mut connection = match self.kept().await {
                Some(connection) => connection,
                None => {
                    was_kept = false;
                    self.connect().await.map_err(|error| RedisStoreError::of(&error))?
                }
            };
            match pipeline.query_async(&mut connection).await {
                Ok(answer) => return Ok(answer),
                Err(error) if is_unknown_script(&error) && with_code.is_some() => {
                    // It comes with the scripts themselves: this does not happen twice.
                    pipeline = with_code.unwrap_or(pipeline);
                }
                Err(error) if is_answer(&error) => return Err(RedisStoreError::of(&error)),
                Err(error) => {
                    self.disconnect();
                    // Redis has closed the connection since it was last used.
                    if !was_kept || error.is_timeout() {
                        return Err(RedisStoreError::of(&error));
                    }
                }
            }
        }
    }

    async fn kept(&self) -> Option<MultiplexedConnection> {
        self.connection.lock().await.clone()
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = kept.as_ref() {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.options.deadline))
            .set_response_timeout(Some(self.options.deadline));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(kept.insert(connection).clone())
    }

    fn disconnect(&self) {
        // Where it is locked, somebody connects anew.
        if let Ok(mut kept) = self.connection.try_lock() {
            *kept = None;
        }
    }

    /// Keeps in mind whether Redis is down, and logs when that begins and ends.
    fn record(&self, begun: Instant, error: Option<&RedisStoreError>) {
        let Ok(mut breakers) = lock_patiently(&self.breakers) else { return };
        match error.filter(|error| error.is_outage()) {
            Some(error) => {
                let begins = breakers.fail(&PARTS, begun, Instant::now());
                drop(breakers);
                if begins {
                    log::warn!(target: LOG_TARGET, "sticky buckets: {error}");
                }
            }
            None => {
                let ends = breakers.succeed(&PARTS);
                drop(breakers);
                if ends {
                    log::info!(target: LOG_TARGET, "sticky buckets: Redis answers again");
                }
            }
        }
    }
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
