//! The cryptography provider of TLS connections.

use redis::ConnectionAddr;

/// Calls [`choose_provider`] if the client's address uses TLS. Returns whether it does.
pub fn choose_provider_for(client: &redis::Client) -> bool {
    let uses_tls = matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. });
    if uses_tls {
        choose_provider();
    }
    uses_tls
}

/// Makes `ring` the provider of this process, if the program has not chosen one.
///
/// The crate `redis` takes rustls's provider of the process. A program with two providers, one of
/// them from another crate, has none until it chooses. Then connecting would panic.
pub fn choose_provider() {
    #[cfg(feature = "redis-tls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread has just chosen a provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
