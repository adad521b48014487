//! What is asked of Redis: requests are made of documents, and documents of answers.

use std::{sync::LazyLock, time::Duration};

use growthbook_core::sticky::{StickyBucketDocument, StickyBucketKey, StickyBuckets};
use redis::{Cmd, ErrorKind, RedisResult, Script, ServerErrorKind, Value};

use super::{connection::Connection, options::RedisStickyBucketOptions};
use crate::json;

/// One round trip, or two.
pub(super) enum Request {
    /// Never without keys.
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
            Request::Set { key, json: json::encode(document), ttl }
        }
    }

    /// The keys in it.
    pub(super) fn keys(&self) -> &[String] {
        match self {
            Request::Load(keys) => keys,
            Request::Set { key, .. } => std::slice::from_ref(key),
            Request::Merge(merge) => std::slice::from_ref(&merge.key),
        }
    }

    /// Asks. May be repeated: the second time changes nothing.
    pub(super) fn run(&self, connection: &mut Connection) -> RedisResult<Vec<Value>> {
        let answer = match self {
            Request::Load(keys) => return connection.get_all(keys),
            Request::Set { key, json, ttl } => connection.query(&set(key, json, *ttl))?,
            Request::Merge(merge) => match connection.query(&merge.by_hash()) {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    connection.query(&merge.by_code())?
                }
                answered => answered?,
            },
        };
        Ok(vec![answer])
    }
}

/// `SET` of a whole document.
pub(super) fn set(key: &str, json: &str, ttl: Option<Duration>) -> Cmd {
    let mut command = redis::cmd("SET");
    command.arg(key).arg(json);
    if let Some(ttl) = ttl {
        command.arg("PX").arg(milliseconds(ttl));
    }
    command
}

impl Merge {
    /// By the name of the script, which Redis knows unless it was restarted.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", MERGE.get_hash())
    }

    /// With the script itself, which Redis remembers.
    pub(super) fn by_code(&self) -> Cmd {
        self.command("EVAL", MERGE_CODE)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let head = json::encode(&StickyBucketDocument::new(self.document.key()));
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

/// The documents in the answer to a load of these keys. What is corrupt is left out.
pub(super) fn documents(keys: &[StickyBucketKey], answer: &[Value]) -> StickyBuckets {
    let found = keys.iter().zip(answer).filter_map(|(key, value)| match value {
        Value::BulkString(json) => json::decode(key, json),
        Value::SimpleString(json) => json::decode(key, json.as_bytes()),
        _ => None,
    });
    found.collect()
}

fn redis_key(key: &StickyBucketKey, options: &RedisStickyBucketOptions) -> String {
    format!("{}{key}", options.prefix)
}

/// At least one; as many as Redis can count at most.
fn milliseconds(ttl: Duration) -> u64 {
    // A hundred years; the time it ends at is a signed number.
    const LONGEST: u64 = 100 * 365 * 24 * 60 * 60 * 1000;
    u64::try_from(ttl.as_millis()).unwrap_or(LONGEST).clamp(1, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{document, key};

    #[test]
    fn commands_are_those_of_the_other_sdks() {
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
    fn the_prefix_goes_before_the_key() {
        let options = RedisStickyBucketOptions::new().prefix("gb:");
        let request = Request::load(&[key("id", "1"), key("deviceId", "2")], &options);
        assert_eq!(request.keys(), ["gb:id||1", "gb:deviceId||2"]);
    }

    #[test]
    fn a_ttl_is_one_redis_takes() {
        let cases = [(Duration::ZERO, 1), (Duration::from_millis(1500), 1500)];
        for (ttl, expected) in cases {
            assert_eq!(milliseconds(ttl), expected);
        }
        assert!(milliseconds(Duration::MAX) < i64::MAX as u64 / 1000);
    }
}
