//! The texts of failures. They have no addresses, keys or values.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::RedisError;

use super::reply::Oversize;

/// Returns whether a reply exceeded the limit.
pub fn is_oversize(error: &RedisError) -> bool {
    io_error(error).is_some_and(|error| inner::<Oversize>(error).is_some())
}

/// Returns what went wrong with the connection; `None` if the error has another cause.
pub fn io_text(error: &RedisError) -> Option<String> {
    let error = io_error(error)?;
    #[cfg(feature = "redis-tls")]
    if let Some(error) = inner::<rustls::Error>(error) {
        return Some(tls_text(error));
    }
    let text = error.to_string();
    let is_safe = error.raw_os_error().is_some()
        || matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
        || inner::<Oversize>(error).is_some()
        || text.starts_with("failed to lookup address information");
    Some(if is_safe { text } else { error.kind().to_string() })
}

/// Returns the error of a read, a write or a handshake.
fn io_error(error: &RedisError) -> Option<&io::Error> {
    // The crate `redis` wraps errors of others in an `Arc`.
    type Shared = Arc<dyn Error + Send + Sync>;
    error.source()?.downcast_ref::<Shared>()?.downcast_ref()
}

fn inner<E: Error + 'static>(error: &io::Error) -> Option<&E> {
    error.get_ref()?.downcast_ref()
}

/// The text of rustls names the host.
#[cfg(feature = "redis-tls")]
fn tls_text(error: &rustls::Error) -> String {
    use rustls::{CertificateError, Error};

    let problem = match error {
        Error::InvalidCertificate(problem) => problem,
        _ => return format!("TLS failed: {error}"),
    };
    let text = match problem {
        // A renewed CA with the same name has another signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate is not from a trusted CA; give its CA to the Redis client"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another host name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired"
        }
        _ => "the server's certificate is invalid",
    };
    text.to_owned()
}
