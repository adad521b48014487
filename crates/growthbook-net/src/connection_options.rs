//! Options of connections: the proxy, and certificates.

use std::env;
use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::http::Uri;
use ureq::tls::{Certificate, PrivateKey};
use ureq::tls::{ClientCert, RootCerts, TlsConfig};

use crate::proxies::Proxies;
use crate::root_certificates::{InvalidCertificate, root_certificates};

/// How connections to servers are made: through which proxy, and with which certificates.
///
/// `Debug` prints no option: a proxy may have a password.
///
/// ```
/// use growthbook_net::ConnectionOptions;
///
/// let options = ConnectionOptions::new().proxy("http://user:password@proxy.internal:3128");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct ConnectionOptions {
    proxy: Proxy,
    root_certificates: Vec<Vec<u8>>,
    trusts_system: bool,
    client_certificate: Option<ClientPem>,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
enum Proxy {
    #[default]
    None,
    Environment,
    Url(String),
}

/// A certificate of a client and its key, in PEM.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ClientPem {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl ConnectionOptions {
    /// Makes options that are all at their defaults.
    pub fn new() -> Self {
        ConnectionOptions::default()
    }

    /// Connects through an HTTP proxy: `http://user:password@host:port`. Special characters in the
    /// user or password must be percent-encoded. The proxy must allow `CONNECT` to the server's port,
    /// also for `http` addresses. Default: none, and the environment is ignored.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Proxy::Url(url.into());
        self
    }

    /// Connects through the HTTP proxies of the environment, as curl, Python and Go do. The
    /// environment is read at the start. Default: no.
    ///
    /// - `HTTPS_PROXY` is for `https` addresses only, and `HTTP_PROXY` for `http` addresses only.
    ///   `ALL_PROXY` is for both, if there is no other. The names may be in lower case, which comes
    ///   first. `HTTP_PROXY` in upper case is ignored in a CGI program, where clients can set it.
    /// - `NO_PROXY` lists exceptions, separated by commas or blanks: a domain, which excepts its
    ///   subdomains as well (`example.com`, `.example.com`), subdomains alone (`*.example.com`), an
    ///   address (`10.1.2.3`, `::1`), a network (`10.0.0.0/8`), or all (`*`). With a port, an entry
    ///   is for this port only (`example.com:8080`).
    #[must_use]
    pub fn proxy_from_environment(mut self) -> Self {
        self.proxy = Proxy::Environment;
        self
    }

    /// Trusts the certificates in this PEM text besides Mozilla's. Default: Mozilla's alone.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Trusts the certificates of the system, and those of
    /// [`root_certificates`](Self::root_certificates), but not Mozilla's. The system's are read once,
    /// at the start. The environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` can name others.
    /// Default: no.
    #[cfg(feature = "system-certificates")]
    #[must_use]
    pub fn system_certificates(mut self) -> Self {
        self.trusts_system = true;
        self
    }

    /// Shows this certificate to servers that ask for one (mutual TLS). Both texts are PEM: the
    /// certificate with those between it and its authority, and its key, which is not encrypted. One
    /// text may contain both. Default: none.
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificates: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        let (certificates, key) = (certificates.into(), key.into());
        self.client_certificate = Some(ClientPem { certificates, key });
        self
    }

    /// Reads the environment and the certificates.
    ///
    /// # Errors
    ///
    /// When a certificate or a key cannot be used. The first connection would fail instead.
    pub fn check(&self) -> Result<CheckedConnection, ConnectionConfigError> {
        let proxies = match &self.proxy {
            Proxy::None => Proxies::default(),
            Proxy::Environment => Proxies::from_environment(|name| env::var(name).ok()),
            Proxy::Url(url) => Proxies::all(url),
        };
        let mut tls = TlsConfig::builder().root_certs(self.roots()?);
        if let Some(pem) = &self.client_certificate {
            // The provider that the certificate is checked with is the one that uses it.
            let provider = CryptoProvider::get_default().cloned();
            let provider = provider.unwrap_or_else(|| Arc::new(ring::default_provider()));
            let certificate = client_certificate(pem, &provider)?;
            tls = tls.client_cert(Some(certificate)).unversioned_rustls_crypto_provider(provider);
        }
        Ok(CheckedConnection { proxies, tls: tls.build() })
    }

    fn roots(&self) -> Result<RootCerts, ConnectionConfigError> {
        let system = if self.trusts_system { Some(system_certificates()?) } else { None };
        root_certificates(system, &self.root_certificates).map_err(
            |InvalidCertificate { text, certificate }| ConnectionConfigError::RootCertificates {
                text,
                certificate,
            },
        )
    }
}

impl fmt::Debug for ConnectionOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ConnectionOptions").finish_non_exhaustive()
    }
}

/// Checked options.
#[derive(Clone)]
pub struct CheckedConnection {
    /// The proxies.
    pub proxies: Proxies,
    /// The certificates.
    pub tls: TlsConfig,
}

impl CheckedConnection {
    /// Checks that there is a way to this address.
    ///
    /// # Errors
    ///
    /// When the address needs a proxy that cannot be used.
    pub fn check_address(&self, address: &Uri) -> Result<(), ConnectionConfigError> {
        match self.proxies.for_address(address) {
            Ok(_) => Ok(()),
            Err(_) => Err(ConnectionConfigError::Proxy),
        }
    }
}

/// An option is invalid. `Display` names the option and a valid value, never the given value, which
/// may have a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionConfigError {
    /// The proxy is not an address of an HTTP proxy.
    Proxy,
    /// A text of root certificates has no certificate, or one that cannot be used.
    RootCertificates {
        /// The number of the text, counted from 1 in the order of
        /// [`root_certificates`](ConnectionOptions::root_certificates).
        text: usize,
        /// The number of the certificate in its text, counted from 1. It is 0 if the text has no
        /// certificate.
        certificate: usize,
    },
    /// The system has no certificates that can be used.
    SystemCertificates,
    /// The text of the client certificate has no certificate, or one that cannot be used.
    ClientCertificate,
    /// The text of the client's key has no key, or one that cannot be used.
    ClientKey,
    /// The client certificate belongs to another key.
    ClientKeyMismatch,
}

impl fmt::Display for ConnectionConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ConnectionConfigError::Proxy => {
                "the proxy is not an address of an HTTP proxy: it must be like http://host:3128"
            }
            ConnectionConfigError::RootCertificates { text, certificate: 0 } => {
                return write!(
                    formatter,
                    "root_certificates: text {text} has no certificate: it must be PEM, with -----BEGIN \
                     CERTIFICATE-----",
                );
            }
            ConnectionConfigError::RootCertificates { text, certificate } => {
                return write!(
                    formatter,
                    "root_certificates: certificate {certificate} of text {text} cannot be used: it \
                     must be an X.509 certificate in PEM, complete and not encrypted",
                );
            }
            ConnectionConfigError::SystemCertificates => {
                "system_certificates: the system has no certificates: install them, or name their file \
                 in SSL_CERT_FILE"
            }
            ConnectionConfigError::ClientCertificate => {
                "client_certificate: the certificate cannot be used: it must be an X.509 certificate \
                 in PEM, with -----BEGIN CERTIFICATE-----"
            }
            ConnectionConfigError::ClientKey => {
                "client_certificate: the key cannot be used: it must be a private key in PEM, not \
                 encrypted"
            }
            ConnectionConfigError::ClientKeyMismatch => {
                "client_certificate: the certificate belongs to another key: give its own key"
            }
        })
    }
}

impl core::error::Error for ConnectionConfigError {}

/// Reads a certificate of a client, and checks that it belongs to its key. ureq panics otherwise.
fn client_certificate(
    pem: &ClientPem,
    provider: &CryptoProvider,
) -> Result<ClientCert, ConnectionConfigError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem.certificates)
        .collect::<Result<_, _>>()
        .map_err(|_| ConnectionConfigError::ClientCertificate)?;
    let certificates: Vec<Certificate<'static>> =
        chain.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    if certificates.is_empty() {
        return Err(ConnectionConfigError::ClientCertificate);
    }
    let key = PrivateKey::from_pem(&pem.key).map_err(|_| ConnectionConfigError::ClientKey)?;
    let key_der =
        PrivateKeyDer::from_pem_slice(&pem.key).map_err(|_| ConnectionConfigError::ClientKey)?;
    let signing = provider.key_provider.load_private_key(key_der);
    let signing = signing.map_err(|_| ConnectionConfigError::ClientKey)?;
    match CertifiedKey::new(chain, signing).keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(ClientCert::new_with_certs(&certificates, key))
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(ConnectionConfigError::ClientKeyMismatch),
        Err(_) => Err(ConnectionConfigError::ClientCertificate),
    }
}

#[cfg(feature = "system-certificates")]
fn system_certificates() -> Result<Vec<Certificate<'static>>, ConnectionConfigError> {
    // Some files of the system may be unreadable. The others are used.
    let loaded = rustls_native_certs::load_native_certs().certs;
    if loaded.is_empty() {
        return Err(ConnectionConfigError::SystemCertificates);
    }
    Ok(loaded.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
}

#[cfg(not(feature = "system-certificates"))]
fn system_certificates() -> Result<Vec<Certificate<'static>>, ConnectionConfigError> {
    Err(ConnectionConfigError::SystemCertificates)
}

#[cfg(test)]
mod tests {
    use test_server::FeaturesServer;

    use super::*;

    #[test]
    fn bad_client_certificates_are_refused() {
        let (server, other) =
            (FeaturesServer::start_mutual_tls("{}"), FeaturesServer::start_mutual_tls("{}"));
        let (certificate, key) = server.client_pem();
        let (_, other_key) = other.client_pem();
        let cut = certificate.split_at(certificate.len() / 2).0;
        let both = format!("{certificate}{key}");
        let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let bad_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let cases = [
            (certificate, key, None),
            (&both, &both, None),
            ("", key, Some(ConnectionConfigError::ClientCertificate)),
            (key, key, Some(ConnectionConfigError::ClientCertificate)),
            (cut, key, Some(ConnectionConfigError::ClientCertificate)),
            (not_der, key, Some(ConnectionConfigError::ClientCertificate)),
            (certificate, "", Some(ConnectionConfigError::ClientKey)),
            (certificate, certificate, Some(ConnectionConfigError::ClientKey)),
            (certificate, bad_key, Some(ConnectionConfigError::ClientKey)),
            (certificate, other_key, Some(ConnectionConfigError::ClientKeyMismatch)),
        ];
        for (certificate, key, expected) in cases {
            let options = ConnectionOptions::new().client_certificate(certificate, key);
            assert_eq!(options.check().err(), expected, "{certificate:.40} {key:.40}");
        }
    }

    #[test]
    fn errors_and_debug_have_no_secret() {
        let options = ConnectionOptions::new().proxy("http://user:secret@").root_certificates("");
        let text = format!("{options:?} {}", options.check().err().unwrap());
        assert!(!text.contains("secret"), "{text}");
    }

    #[cfg(feature = "system-certificates")]
    #[test]
    fn system_certificates_replace_those_of_mozilla() {
        let count = |options: ConnectionOptions| match options.check().unwrap().tls.root_certs() {
            RootCerts::Specific(certificates) => certificates.len(),
            _ => 0,
        };
        let server = FeaturesServer::start_tls("{}");
        let system = ConnectionOptions::new().system_certificates();
        let alone = count(system.clone());
        assert!(alone > 0);
        assert_eq!(count(system.root_certificates(server.root_certificate_pem())), alone + 1);
        assert_eq!(count(ConnectionOptions::new()), 0);
    }
}
