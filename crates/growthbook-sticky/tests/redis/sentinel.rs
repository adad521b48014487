//! A server that Redis Sentinel finds.

use growthbook_core::sticky::StickyBucketStore;
use growthbook_sticky::{RedisServers, RedisStickyBucketStore};
use test_server::redis::{RedisSentinel, RedisServer};

use crate::support::{document, eventually, load};

#[test]
fn store_follows_the_master() {
    let (mut first, second) = (RedisServer::start(), RedisServer::start());
    let sentinel = RedisSentinel::start(&first);
    let master = format!("redis://{}", RedisSentinel::MASTER);
    let servers = RedisServers::sentinel([sentinel.url()], master).unwrap();
    let store = RedisStickyBucketStore::new(servers);
    let saved = document("id", "1", &[("a__0", "0")]);
    assert!(eventually(|| store.save(&saved).is_ok()));
    assert_eq!(load(&store, "1"), Some(saved.clone()));

    first.stop();
    sentinel.follow(&second);
    assert!(eventually(|| store.save(&saved).is_ok()));
    assert!(load(&crate::support::store(&second), "1").is_some());

    // The store leaves a master that became a replica.
    first.restart();
    sentinel.follow(&first);
    second.be_replica(true);
    assert!(eventually(|| store.save(&saved).is_ok()));
    assert!(load(&crate::support::store(&first), "1").is_some());
}
