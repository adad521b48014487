//! Masters that sentinels name.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use redis::{ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, RedisResult, Value};

use super::server::Server;
use super::socket::left;
use super::tls::Tls;

/// The limit of a sentinel's reply: a host and a port.
const MAX_REPLY_BYTES: usize = 16 * 1024;

/// The sentinels of a master.
pub(super) struct Sentinel {
    /// There is at least one.
    sentinels: Vec<ConnectionInfo>,
    /// The one that answered last.
    last: AtomicUsize,
    /// The master's name for the sentinels.
    name: String,
    /// How to connect to the master. Its host is the name.
    master: ConnectionInfo,
}

impl Sentinel {
    pub(super) fn new(sentinels: Vec<ConnectionInfo>, master: ConnectionInfo) -> RedisResult<Self> {
        let name = match master.addr() {
            ConnectionAddr::Tcp(name, _) | ConnectionAddr::TcpTls { host: name, .. } => {
                name.clone()
            }
            _ => {
                let problem = "the host of the master's address has to be its name for Sentinel";
                return Err((ErrorKind::InvalidClientConfig, problem).into());
            }
        };
        Ok(Sentinel { sentinels, last: AtomicUsize::new(0), name, master })
    }

    /// Connects to the current master, until this deadline. Asks one sentinel after another. Each
    /// has an equal part of the time, so that one that hangs leaves time for the others.
    pub(super) fn connect(
        &self,
        tls: &Tls,
        deadline: Instant,
        max_reply: usize,
    ) -> RedisResult<Server> {
        let count = self.sentinels.len();
        let last = self.last.load(Ordering::Relaxed);
        let mut failure = None;
        for (tried, position) in (last..last + count).enumerate() {
            let Some(sentinel) = self.sentinels.get(position % count) else { break };
            // The connection to the master needs time as well.
            let parts = u32::try_from(count - tried + 1).unwrap_or(u32::MAX);
            let until = Instant::now() + left(deadline)? / parts;
            let connected = self
                .ask(sentinel, tls, until)
                .and_then(|master| connect_to_master(&master, tls, deadline, max_reply));
            match connected {
                Ok(server) => {
                    self.last.store(position % count, Ordering::Relaxed);
                    return Ok(server);
                }
                Err(error) => {
                    // The next connection begins with another sentinel: this one may name a master
                    // that has gone, and the attempt may have used up the time.
                    self.last.store((position + 1) % count, Ordering::Relaxed);
                    failure = Some(error);
                }
            }
        }
        Err(failure.unwrap_or_else(not_found))
    }

    /// Asks a sentinel for the address of the master.
    fn ask(
        &self,
        sentinel: &ConnectionInfo,
        tls: &Tls,
        deadline: Instant,
    ) -> RedisResult<ConnectionInfo> {
        let mut server = Server::open(sentinel, tls, deadline, MAX_REPLY_BYTES)?;
        let mut command = redis::cmd("SENTINEL");
        command.arg("get-master-addr-by-name").arg(&self.name);
        let reply = server.query(&command)?;
        let (host, port): (String, u16) =
            redis::from_redis_value(reply).map_err(|_| not_found())?;
        let mut address = self.master.addr().clone();
        if let ConnectionAddr::Tcp(to_host, to_port)
        | ConnectionAddr::TcpTls { host: to_host, port: to_port, .. } = &mut address
        {
            *to_host = host;
            *to_port = port;
        }
        Ok(self.master.clone().set_addr(address))
    }
}

/// Connects to a master. For a moment after a failover, sentinels may still name the old one.
fn connect_to_master(
    master: &ConnectionInfo,
    tls: &Tls,
    deadline: Instant,
    max_reply: usize,
) -> RedisResult<Server> {
    let mut server = Server::open(master, tls, deadline, max_reply)?;
    match server.query(&redis::cmd("ROLE")) {
        Ok(Value::Array(parts)) => match parts.first() {
            Some(Value::BulkString(role)) if role != b"master" => Err(not_found()),
            _ => Ok(server),
        },
        Err(error) if !server.is_open() => Err(error),
        // The user may not be allowed to ask for the role.
        _ => Ok(server),
    }
}

fn not_found() -> RedisError {
    (ErrorKind::MasterNameNotFoundBySentinel, "the sentinels know no master of this name").into()
}
