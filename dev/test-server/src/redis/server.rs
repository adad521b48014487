//! One Redis server.

use std::fs;
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

/// The options of a server.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    append_only: bool,
    tls_names: Option<Vec<String>>,
    arguments: Vec<String>,
}

impl RedisOptions {
    /// Returns options for a server that keeps nothing on disk.
    pub fn new() -> Self {
        RedisOptions::default()
    }

    /// Writes every change to disk, so that [`RedisServer::restart`] keeps the data.
    #[must_use]
    pub fn append_only(mut self) -> Self {
        self.append_only = true;
        self
    }

    /// Also listens for TLS connections, with a new certificate for these host names.
    #[must_use]
    pub fn tls(mut self, names: &[&str]) -> Self {
        self.tls_names = Some(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// Adds a directive of `redis.conf` with its words, such as `("maxmemory", "2mb")`.
    #[must_use]
    pub fn directive(mut self, name: &str, words: &str) -> Self {
        self.arguments.push(format!("--{name}"));
        self.arguments.extend(words.split(' ').map(str::to_owned));
        self
    }
}

/// A Redis server on loopback. Dropping it kills the process.
#[derive(Debug)]
pub struct RedisServer {
    child: Option<Child>,
    port: u16,
    options: RedisOptions,
    tls: Option<Tls>,
    folder: TempDir,
}

/// The TLS side of a server.
#[derive(Debug)]
struct Tls {
    port: u16,
    root_pem: String,
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk. Waits until it is ready.
    ///
    /// # Panics
    ///
    /// When neither `redis-server` nor `valkey-server` is found, or when it does not start.
    #[must_use]
    pub fn start() -> Self {
        RedisServer::start_with(RedisOptions::new())
    }

    /// Starts a server with these options. Waits until it is ready.
    ///
    /// # Panics
    ///
    /// Like [`start`](RedisServer::start).
    #[must_use]
    pub fn start_with(options: RedisOptions) -> Self {
        RedisServer::try_start_with(options).expect("the Redis server should start")
    }

    /// The same; `None` if the server does not start. A port in the options may be taken.
    pub(super) fn try_start_with(options: RedisOptions) -> Option<Self> {
        let folder = tempfile::tempdir().expect("creating a temporary folder should work");
        let tls = options.tls_names.clone().map(|names| write_certificate(&folder, names));
        let mut server = RedisServer { child: None, port: 0, options, tls, folder };
        // Another process may take the free port before the server does.
        let started = (0..5).any(|_| {
            server.port = free_port();
            if let Some(tls) = &mut server.tls {
                tls.port = free_port();
            }
            server.launch()
        });
        started.then_some(server)
    }

    /// Returns the server's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the server's address, for `redis::Client::open`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the server's address for TLS connections, with this host name for loopback.
    ///
    /// # Panics
    ///
    /// When the option [`tls`](RedisOptions::tls) is not set.
    pub fn tls_url(&self, host: &str) -> String {
        format!("rediss://{host}:{}", self.tls_side().port)
    }

    /// Returns the certificate to trust for TLS connections.
    ///
    /// # Panics
    ///
    /// Like [`tls_url`](RedisServer::tls_url).
    pub fn root_pem(&self) -> &str {
        &self.tls_side().root_pem
    }

    fn tls_side(&self) -> &Tls {
        self.tls.as_ref().expect("the option `tls` should be set")
    }

    /// Sends a command on a new connection.
    ///
    /// # Panics
    ///
    /// When the server does not answer within ten seconds.
    pub fn command<W: AsRef<[u8]>>(&self, command: &[W]) -> RedisReply {
        let words: Vec<&[u8]> = command.iter().map(AsRef::as_ref).collect();
        ask(self.port, &words).expect("the Redis server should answer")
    }

    /// Kills the process. After that, connections are refused.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The process may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Kills a running process, and starts the server again on the same port. It is empty then,
    /// unless [`append_only`](RedisOptions::append_only) is set.
    ///
    /// # Panics
    ///
    /// When the server does not start. Perhaps another process uses its port.
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.launch(), "the Redis server does not start again on port {}", self.port);
    }

    /// Halts the process. Connections stay open, and the system accepts new ones, but the server
    /// does not answer.
    pub fn pause(&self) {
        halt(self.child.as_ref().expect("the server should run"));
    }

    /// Lets a halted process continue.
    pub fn resume(&self) {
        signal(self.child.as_ref().expect("the server should run"), "-CONT");
    }

    /// Makes the server refuse writes, like a master that lost its replicas. `false` allows them
    /// again.
    pub fn refuse_writes(&self, refuse: bool) {
        let replicas = if refuse { "1" } else { "0" };
        self.command(&["CONFIG", "SET", "min-replicas-to-write", replicas]);
    }

    /// Makes the server a replica of a master that does not exist. It answers reads, and refuses
    /// writes with `READONLY`. `false` makes it a master again.
    pub fn be_replica(&self, replica: bool) {
        let (host, port) = if replica { ("127.0.0.1", "1") } else { ("NO", "ONE") };
        self.command(&["REPLICAOF", host, port]);
    }

    /// Starts the process and waits until it answers. Returns `false` if it ends before that.
    fn launch(&mut self) -> bool {
        let mut command = Command::new(program());
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", if self.options.append_only { "yes" } else { "no" }])
            .args(["--appendfsync", "always"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.options.arguments);
        if let Some(tls) = &self.tls {
            // The files are in the folder of the server.
            command.args(["--tls-port", &tls.port.to_string(), "--tls-auth-clients", "no"]);
            command.args(["--tls-cert-file", CERTIFICATE_FILE, "--tls-key-file", KEY_FILE]);
            command.current_dir(self.folder.path());
        }
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
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether this reply to a `PING` shows a ready server. It may ask for a password.
fn is_ready(reply: &std::io::Result<RedisReply>) -> bool {
    match reply {
        Ok(RedisReply::Text(text)) => text == b"PONG",
        Ok(RedisReply::Error(error)) => error.starts_with("NOAUTH"),
        _ => false,
    }
}

const CERTIFICATE_FILE: &str = "certificate.pem";
const KEY_FILE: &str = "key.pem";

/// Writes a new certificate, which signs itself, and its key.
fn write_certificate(folder: &TempDir, names: Vec<String>) -> Tls {
    let certified = rcgen::generate_simple_self_signed(names)
        .expect("creating a certificate for these names should work");
    let root_pem = certified.cert.pem();
    let files =
        [(CERTIFICATE_FILE, root_pem.clone()), (KEY_FILE, certified.signing_key.serialize_pem())];
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("writing a file should work");
    }
    Tls { port: 0, root_pem }
}

/// Starts a server without its output.
pub(super) fn spawn(command: &mut Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the Redis server's program should start")
}

/// Halts a process, and waits until it is halted: until the signal arrives, it may still answer.
pub(super) fn halt(child: &Child) {
    signal(child, "-STOP");
    let start = Instant::now();
    while !is_halted(child) && start.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether the system reports the process as stopped.
fn is_halted(child: &Child) -> bool {
    let output = Command::new("ps").args(["-o", "state=", "-p", &child.id().to_string()]).output();
    // Without `ps`, the signal is assumed to have arrived.
    output.map_or(true, |output| output.stdout.trim_ascii_start().starts_with(b"T"))
}

fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(status.expect("the command kill should run").success(), "kill {signal} failed");
}

/// Waits until the process is ready. Returns `false` if it ends before that, or takes too long.
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

/// Returns a port that was free a moment ago.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port should be free");
    listener.local_addr().expect("a bound socket should have an address").port()
}

/// Returns the path of the server's program.
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
