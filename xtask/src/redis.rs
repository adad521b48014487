//! The Redis server that tests start for themselves.

use std::path::PathBuf;

use crate::{Result, programs};

/// The environment variable that tells tests which server to run; the same as in `test-server`.
pub(crate) const SERVER_VARIABLE: &str = "GROWTHBOOK_REDIS_SERVER";

/// The programs that will do.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The Debian package with the first of them.
const PACKAGE: &str = "redis-server";

/// The path of a server's program: the one the environment names, one on the `PATH`, or that of
/// Debian's package, which is installed when we are root.
///
/// # Errors
///
/// When there is none. Tests that need it are never skipped.
pub(crate) fn obtain() -> Result<PathBuf> {
    match std::env::var_os(SERVER_VARIABLE) {
        Some(path) => Ok(path.into()),
        None => programs::obtain(&PROGRAMS, PACKAGE),
    }
}
