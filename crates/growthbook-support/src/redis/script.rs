//! Lua scripts, which Redis keeps after the first call.

use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value};

use super::connection::Connection;

/// A Lua script.
pub struct Script {
    code: String,
    hash: String,
}

impl Script {
    /// Makes a script of this code.
    pub fn new(code: String) -> Self {
        let hash = redis::Script::new(&code).get_hash().to_owned();
        Script { code, hash }
    }

    /// Runs the script, and returns its reply. All keys are in one slot of a cluster. It takes a
    /// second round trip if Redis does not know the script.
    ///
    /// # Errors
    ///
    /// When the connection fails, or when the script is refused.
    pub fn run(
        &self,
        connection: &mut Connection,
        keys: &[String],
        arguments: &[String],
    ) -> RedisResult<Value> {
        let key = keys.first().map_or("", String::as_str);
        let command = |name: &str, script: &str| -> Cmd {
            let mut command = redis::cmd(name);
            command.arg(script).arg(keys.len()).arg(keys).arg(arguments);
            command
        };
        match connection.query(key, &command("EVALSHA", &self.hash)) {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                connection.query(key, &command("EVAL", &self.code))
            }
            result => result,
        }
    }
}
