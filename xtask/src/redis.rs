//! The Redis server that the tests start.

use std::path::PathBuf;

use crate::{Result, programs};

/// The environment variable with the path of the server that tests start. `test-server` reads it.
pub(crate) const SERVER_VARIABLE: &str = "GROWTHBOOK_REDIS_SERVER";

/// The programs that the tests can use.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The Debian package that contains the first program.
const PACKAGE: &str = "redis-server";

/// Returns the path of a server's program. The environment variable comes first, then the `PATH`.
/// Otherwise the Debian package is installed, which needs root.
///
/// # Errors
///
/// When no program is found. Tests that need it are never skipped.
pub(crate) fn obtain() -> Result<PathBuf> {
    match std::env::var_os(SERVER_VARIABLE) {
        Some(path) => Ok(path.into()),
        None => programs::obtain(&PROGRAMS, PACKAGE),
    }
}
