//! Documents in Redis, in async code.

use growthbook::Client;
use growthbook_sticky::{RedisLoader, RedisStoreError};

/// Returns the value of a flag. The user keeps it, because the assignment is saved in Redis.
pub async fn checkout(
    client: &Client,
    redis: &RedisLoader,
    user_id: &str,
) -> Result<String, RedisStoreError> {
    let keys = client.for_user(user_id).sticky_keys();
    let buckets = redis.load(&keys).await?;
    let gb = client.for_user_with_sticky(user_id, buckets);
    let checkout = gb.feature_value("checkout", String::from("old"));
    redis.save(&gb.take_changed_sticky_buckets()).await?;
    Ok(checkout)
}
