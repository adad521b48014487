//! TLS: the trusted certificates, and the certificate of the client.

use std::fmt;
#[cfg(feature = "redis-tls")]
use std::sync::{Arc, OnceLock};

/// The certificates for TLS. Clones share them. By default the system's certificates are trusted,
/// and read with the first connection.
#[derive(Clone, Default)]
pub struct Tls {
    /// Whether the application chose the certificates.
    #[cfg(feature = "redis-tls")]
    is_chosen: bool,
    #[cfg(feature = "redis-tls")]
    config: Arc<OnceLock<Arc<rustls::ClientConfig>>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}

#[cfg(feature = "redis-tls")]
mod sessions {
    use std::io;

    use redis::{ConnectionAddr, ErrorKind, RedisError, RedisResult, TlsCertificates};
    use rustls::crypto::{CryptoProvider, ring};
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    use super::{Arc, OnceLock, Tls};

    impl Tls {
        /// Uses these certificates. The system's certificates are trusted if there are no others.
        ///
        /// # Errors
        ///
        /// When a certificate or a key is invalid, or when they do not belong together.
        pub fn with_certificates(certificates: &TlsCertificates) -> RedisResult<Self> {
            let roots = match &certificates.root_cert {
                Some(pem) => roots(pem)?,
                None => system_roots()?,
            };
            let builder = config_builder()?.with_root_certificates(roots);
            let config = match &certificates.client_tls {
                None => builder.with_no_client_auth(),
                Some(client) => {
                    let chain = CertificateDer::pem_slice_iter(&client.client_cert)
                        .collect::<Result<Vec<_>, _>>()
                        .map_err(|_| invalid("the client certificate is not valid PEM"))?;
                    let key = PrivateKeyDer::from_pem_slice(&client.client_key)
                        .map_err(|_| invalid("the key of the client is not valid PEM"))?;
                    builder.with_client_auth_cert(chain, key).map_err(|_| {
                        invalid("the client certificate and its key do not belong together")
                    })?
                }
            };
            Ok(Tls { is_chosen: true, config: Arc::new(OnceLock::from(Arc::new(config))) })
        }

        /// Returns the state of a new TLS connection to this address.
        pub(in super::super) fn session(
            &self,
            address: &ConnectionAddr,
        ) -> io::Result<ClientConnection> {
            let (config, name) = self.config_for(address)?;
            ClientConnection::new(config, name).map_err(io::Error::other)
        }

        /// Returns the configuration for this address, and the name in the server's certificate.
        ///
        /// # Errors
        ///
        /// When the address has settings that cannot be used, or when the system has no
        /// certificates.
        pub fn config_for(
            &self,
            address: &ConnectionAddr,
        ) -> io::Result<(Arc<ClientConfig>, ServerName<'static>)> {
            let ConnectionAddr::TcpTls { host, insecure, tls_params, .. } = address else {
                return Err(io::ErrorKind::Unsupported.into());
            };
            if *insecure {
                return Err(unusable(
                    "an address with #insecure is not supported; set the server's certificate with \
                     the option certificates",
                ));
            }
            if tls_params.is_some() && !self.is_chosen {
                return Err(unusable(
                    "the certificates of a Redis client cannot be read; set them with the option \
                     certificates",
                ));
            }
            let name = ServerName::try_from(host.clone())
                .map_err(|_| unusable("the host name is not valid in a certificate"))?;
            Ok((self.config()?, name))
        }

        fn config(&self) -> io::Result<Arc<ClientConfig>> {
            if let Some(config) = self.config.get() {
                return Ok(config.clone());
            }
            let roots = system_roots().map_err(io::Error::other)?;
            let builder = config_builder().map_err(io::Error::other)?;
            let config = builder.with_root_certificates(roots).with_no_client_auth();
            Ok(self.config.get_or_init(|| Arc::new(config)).clone())
        }
    }

    fn config_builder() -> RedisResult<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
        // A program with two providers has no default until it chooses one.
        let provider = CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(|| Arc::new(ring::default_provider()));
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| invalid("the cryptography provider supports no version of TLS"))
    }

    fn roots(pem: &[u8]) -> RedisResult<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|_| invalid("the root certificates are not valid PEM"))?;
            roots.add(certificate).map_err(|_| invalid("a root certificate is invalid"))?;
        }
        if roots.is_empty() {
            return Err(invalid("there is not a certificate in the PEM of the root certificates"));
        }
        Ok(roots)
    }

    /// Reads the certificates that the system trusts. Invalid ones among them are left out.
    fn system_roots() -> RedisResult<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(invalid("the system has no trusted certificates"));
        }
        Ok(roots)
    }

    fn invalid(problem: &'static str) -> RedisError {
        (ErrorKind::InvalidClientConfig, problem).into()
    }

    /// Makes an error whose text is shown to the application.
    fn unusable(problem: &'static str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, problem)
    }
}
