//! The requests to Redis, and the documents in its replies.

use std::{sync::LazyLock, time::Duration};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBuckets};
use redis::{Cmd, ErrorKind, RedisResult, Script, ServerErrorKind, Value};

use super::options::RedisStickyBucketOptions;
use crate::document_json;
use growthbook_support::redis::Connection;

/// A request of one round trip. A merge takes two if Redis does not know the script.
pub(super) enum Request {
    /// Loads the documents of these keys. There is at least one.
    Load(Vec<String>),
    Set {
        key: String,
        json: String,
        ttl: Option<Duration>,
    },
    Merge(Box<Merge>),
}

pub(super) struct Merge {
    key: String,
    document: StickyBucketDocument,
    ttl: Option<Duration>,
}

static MERGE: LazyLock<Script> = LazyLock::new(|| Script::new(MERGE_CODE));
const MERGE_CODE: &str = include_str!("merge.lua");

impl Request {
    pub(super) fn load(keys: &[StickyBucketKey], options: &RedisStickyBucketOptions) -> Self {
        Request::Load(keys.iter().map(|key| redis_key(key, options)).collect())
    }

    pub(super) fn save(
        document: &StickyBucketDocument,
        options: &RedisStickyBucketOptions,
    ) -> Self {
        let key = redis_key(&document.key(), options);
        let ttl = options.ttl;
        if options.merge {
            Request::Merge(Box::new(Merge { key, document: document.clone(), ttl }))
        } else {
            Request::Set { key, json: document_json::encode(document), ttl }
        }
    }

    /// Returns the keys in Redis that this request reads or writes.
    pub(super) fn keys(&self) -> &[String] {
        match self {
            Request::Load(keys) => keys,
            Request::Set { key, .. } => std::slice::from_ref(key),
            Request::Merge(merge) => std::slice::from_ref(&merge.key),
        }
    }

    /// Sends this request. Sending it twice has the same effect as once.
    pub(super) fn run(&self, connection: &mut Connection) -> RedisResult<Vec<Value>> {
        let reply = match self {
            Request::Load(keys) => return connection.get_all(keys),
            Request::Set { key, json, ttl } => connection.query(key, &set(key, json, *ttl))?,
            Request::Merge(merge) => match connection.query(&merge.key, &merge.by_hash()) {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    connection.query(&merge.key, &merge.by_code())?
                }
                result => result?,
            },
        };
        Ok(vec![reply])
    }
}

/// Returns the `SET` of a whole document.
pub(super) fn set(key: &str, json: &str, ttl: Option<Duration>) -> Cmd {
    let mut command = redis::cmd("SET");
    command.arg(key).arg(json);
    if let Some(ttl) = ttl {
        command.arg("PX").arg(milliseconds(ttl));
    }
    command
}

impl Merge {
    /// Returns the call of the script by its hash. Redis knows the script unless it restarted.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", MERGE.get_hash())
    }

    /// Returns the call with the code of the script, which Redis then keeps.
    pub(super) fn by_code(&self) -> Cmd {
        self.command("EVAL", MERGE_CODE)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let head = document_json::encode(&StickyBucketDocument::new(self.document.key()));
        let head = head.strip_suffix("{}}").unwrap_or_default();
        let mut command = redis::cmd(name);
        command
            .arg(script)
            .arg(1)
            .arg(&self.key)
            .arg(&*self.document.attribute_name)
            .arg(&*self.document.attribute_value)
            .arg(head)
            .arg(self.ttl.map_or(0, milliseconds));
        for (experiment, variation) in &self.document.assignments {
            command.arg(&**experiment).arg(&**variation);
        }
        command
    }
}

/// Returns the documents in the reply to a load of these keys. Corrupt ones are left out.
pub(super) fn documents(keys: &[StickyBucketKey], reply: &[Value]) -> StickyBuckets {
    let found = keys.iter().zip(reply).filter_map(|(key, value)| match value {
        Value::BulkString(json) => document_json::decode(key, json),
        Value::SimpleString(json) => document_json::decode(key, json.as_bytes()),
        _ => None,
    });
    found.collect()
}

fn redis_key(key: &StickyBucketKey, options: &RedisStickyBucketOptions) -> String {
    format!("{}{key}", options.prefix)
}

/// Converts to a number of milliseconds that Redis accepts.
fn milliseconds(ttl: Duration) -> u64 {
    // A hundred years. Redis adds the current time and stores the sum as a signed number.
    const LONGEST: u64 = 100 * 365 * 24 * 60 * 60 * 1000;
    u64::try_from(ttl.as_millis()).unwrap_or(LONGEST).clamp(1, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_documents::{document, key};

    #[test]
    fn plain_save_is_the_set_of_other_sdks() {
        let document = document("id", "ü", &[("exp__0", "1")]);
        let json = r#"{"attributeName":"id","attributeValue":"ü","assignments":{"exp__0":"1"}}"#;
        let Request::Set { key, json: written, ttl } =
            Request::save(&document, &RedisStickyBucketOptions::new())
        else {
            panic!("not a plain SET");
        };
        assert_eq!((&*key, &*written, ttl), ("id||ü", json, None));
        let packed = set(&key, &written, Some(Duration::from_micros(1))).get_packed_command();
        assert!(packed.ends_with(b"\r\n$2\r\nPX\r\n$1\r\n1\r\n"));
    }

    #[test]
    fn prefix_precedes_the_key() {
        let options = RedisStickyBucketOptions::new().prefix("gb:");
        let request = Request::load(&[key("id", "1"), key("deviceId", "2")], &options);
        assert_eq!(request.keys(), ["gb:id||1", "gb:deviceId||2"]);
    }

    #[test]
    fn redis_accepts_each_ttl() {
        let cases = [(Duration::ZERO, 1), (Duration::from_millis(1500), 1500)];
        for (ttl, expected) in cases {
            assert_eq!(milliseconds(ttl), expected);
        }
        assert!(milliseconds(Duration::MAX) < i64::MAX as u64 / 1000);
    }
}
