//! One Redis server.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::RedisReply;
use super::reply::ask;

/// The environment variable with the path of the server to run.
pub const SERVER_VARIABLE: &str = "GROWTHBOOK_REDIS_SERVER";

/// How a server is to run.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    append_only: bool,
    arguments: Vec<String>,
}

impl RedisOptions {
    /// A server that keeps nothing on disk.
    pub fn new() -> Self {
        RedisOptions::default()
    }

    /// Writes every change to disk, so that [`RedisServer::restart`] finds it again.
    #[must_use]
    pub fn append_only(mut self) -> Self {
        self.append_only = true;
        self
    }

    /// A directive of `redis.conf` with its words, such as `("maxmemory", "2mb")`.
    #[must_use]
    pub fn directive(mut self, name: &str, words: &str) -> Self {
        self.arguments.push(format!("--{name}"));
        self.arguments.extend(words.split(' ').map(str::to_owned));
        self
    }
}

/// A Redis server on loopback, killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    child: Option<Child>,
    port: u16,
    options: RedisOptions,
    folder: TempDir,
}

impl RedisServer {
    /// A server that keeps nothing on disk, ready for commands.
    ///
    /// # Panics
    ///
    /// When there is no `redis-server` and no `valkey-server`, or when it does not start.
    #[must_use]
    pub fn start() -> Self {
        RedisServer::start_with(RedisOptions::new())
    }

    /// A server with these options, ready for commands.
    ///
    /// # Panics
    ///
    /// As [`start`](RedisServer::start).
    #[must_use]
    pub fn start_with(options: RedisOptions) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = RedisServer { child: None, port: 0, options, folder };
        // Another process may take the free port before the server does.
        let started = (0..5).any(|_| {
            server.port = free_port();
            server.launch()
        });
        assert!(started, "{} does not start", program().display());
        server
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address as `redis::Client::open` takes it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Sends a command on a connection of its own.
    ///
    /// # Panics
    ///
    /// When the server does not answer within ten seconds.
    pub fn command<W: AsRef<[u8]>>(&self, command: &[W]) -> RedisReply {
        let words: Vec<&[u8]> = command.iter().map(AsRef::as_ref).collect();
        ask(self.port, &words).expect("an answer from the Redis server")
    }

    /// Kills it; connections to it are refused from then on.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Kills it if it runs, and starts it on the same port. Without
    /// [`append_only`](RedisOptions::append_only) it is empty then.
    ///
    /// # Panics
    ///
    /// When it does not start, because somebody took its port perhaps.
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.launch(), "the Redis server does not start again on port {}", self.port);
    }

    /// Halts the process: connections stay open, new ones are accepted by the system, nothing is
    /// answered.
    pub fn pause(&self) {
        self.signal("-STOP");
        // The signal takes a moment to arrive; meanwhile an answer may still leave.
        let start = Instant::now();
        while !self.is_halted() && start.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets a halted process go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Refuses writes, as a master does that has lost its replicas; `false` allows them again.
    pub fn refuse_writes(&self, refuse: bool) {
        let replicas = if refuse { "1" } else { "0" };
        self.command(&["CONFIG", "SET", "min-replicas-to-write", replicas]);
    }

    /// Makes it a replica of nobody who lives: it answers reads, and writes with `READONLY`.
    /// `false` makes it a master again.
    pub fn be_replica(&self, replica: bool) {
        let (host, port) = if replica { ("127.0.0.1", "1") } else { ("NO", "ONE") };
        self.command(&["REPLICAOF", host, port]);
    }

    /// Starts the process and waits until it answers; `false` when it ends before that.
    fn launch(&mut self) -> bool {
        let mut command = Command::new(program());
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", if self.options.append_only { "yes" } else { "no" }])
            .args(["--appendfsync", "always"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.options.arguments);
        self.child = Some(spawn(&mut command));
        let started = self
            .child
            .as_mut()
            .is_some_and(|child| until_ready(child, || is_ready(&ask(self.port, &[b"PING"]))));
        if !started {
            self.stop();
        }
        started
    }

    /// Whether the system says that the process is stopped.
    fn is_halted(&self) -> bool {
        let process = self.child.as_ref().expect("a running server").id().to_string();
        let output = Command::new("ps").args(["-o", "state=", "-p", &process]).output();
        // Without `ps`, it is hoped for.
        output.map_or(true, |output| output.stdout.trim_ascii_start().starts_with(b"T"))
    }

    fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("a running server");
        let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(status.expect("the command kill").success(), "kill {signal} failed");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether this answers a `PING`, be it by asking for a password.
fn is_ready(reply: &std::io::Result<RedisReply>) -> bool {
    match reply {
        Ok(RedisReply::Text(text)) => text == b"PONG",
        Ok(RedisReply::Error(error)) => error.starts_with("NOAUTH"),
        _ => false,
    }
}

/// Runs a server without its chatter.
pub(super) fn spawn(command: &mut Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the Redis server's program")
}

/// Waits until it is ready; `false` when the process ends before that, or takes too long.
pub(super) fn until_ready(child: &mut Child, is_ready: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if child.try_wait().is_ok_and(|status| status.is_some()) {
            return false;
        }
        if is_ready() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// A port nobody listened on a moment ago.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// The server to run.
pub(super) fn program() -> PathBuf {
    if let Some(path) = std::env::var_os(SERVER_VARIABLE) {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut candidates = ["redis-server", "valkey-server"]
        .into_iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|file| file.is_file()).expect(
        "this test needs redis-server or valkey-server on the PATH: \
         `cargo xtask test` finds or installs one",
    )
}
