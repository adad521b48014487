//! A Redis Sentinel.

use std::fs;
use std::process::{Child, Command};

use tempfile::TempDir;

use super::RedisServer;
use super::reply::ask;
use super::server::{free_port, halt, program, spawn, until_ready};

/// A sentinel on loopback that watches one master. Dropping it kills the process.
#[derive(Debug)]
pub struct RedisSentinel {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl RedisSentinel {
    /// The sentinel's name for the master.
    pub const MASTER: &str = "growthbook";

    /// Starts a sentinel that watches this server. Waits until it answers.
    ///
    /// # Panics
    ///
    /// When the sentinel does not start.
    #[must_use]
    pub fn start(master: &RedisServer) -> Self {
        let folder = tempfile::tempdir().expect("creating a temporary folder should work");
        let file = folder.path().join("sentinel.conf");
        let attempt = |_| {
            let port = free_port();
            let configuration = format!(
                "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {} 127.0.0.1 {} 1\n",
                folder.path().display(),
                Self::MASTER,
                master.port(),
            );
            fs::write(&file, configuration).expect("writing the configuration file should work");
            let mut child = spawn(Command::new(program()).arg(&file).arg("--sentinel"));
            if until_ready(&mut child, || ask(port, &[b"PING"]).is_ok()) {
                return Some((child, port));
            }
            stop(&mut child);
            None
        };
        // Another process may take the free port before the sentinel does.
        let (child, port) = (0..5).find_map(attempt).expect("the sentinel should start");
        RedisSentinel { child, port, _folder: folder }
    }

    /// Returns the sentinel's address, for `RedisServers::sentinel`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Halts the process. Connections stay open, and the system accepts new ones, but the sentinel
    /// does not answer.
    pub fn pause(&self) {
        halt(&self.child);
    }

    /// Makes the sentinel report another master, as after a failover.
    pub fn follow(&self, master: &RedisServer) {
        let port = master.port().to_string();
        let commands: [&[&str]; 2] = [
            &["SENTINEL", "REMOVE", Self::MASTER],
            &["SENTINEL", "MONITOR", Self::MASTER, "127.0.0.1", &port, "1"],
        ];
        for command in commands {
            let words: Vec<&[u8]> = command.iter().map(|word| word.as_bytes()).collect();
            ask(self.port, &words).expect("the sentinel should answer");
        }
    }
}

impl Drop for RedisSentinel {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn stop(child: &mut Child) {
    // The process may have ended already.
    let _ = child.kill();
    let _ = child.wait();
}
