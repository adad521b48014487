//! The server's own certificate, and one for clients.

use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) root_pem: String,
    /// The certificate and the key that clients must have, in PEM.
    pub(crate) client_pem: Option<(String, String)>,
}

impl Identity {
    /// Makes a server's certificate.
    pub(crate) fn generate() -> Self {
        Self::with_client(None)
    }

    /// Makes certificates for a server and its clients. Others cannot connect.
    pub(crate) fn generate_mutual() -> Self {
        let client = rcgen::generate_simple_self_signed(["client".to_owned()])
            .expect("creating a certificate for this name should work");
        Self::with_client(Some(&client))
    }

    fn with_client(client: Option<&CertifiedKey<KeyPair>>) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names)
            .expect("creating a certificate for these names should work");
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring should support TLS 1.3");
        let builder = match client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let mut roots = RootCertStore::empty();
                roots.add(client.cert.der().clone()).expect("a new certificate should be valid");
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let verifier = verifier.build().expect("there should be a certificate");
                builder.with_client_cert_verifier(verifier)
            }
        };
        let config = builder
            .with_single_cert(vec![cert.der().clone()], key.into())
            .expect("the key should match the certificate");
        let client_pem =
            client.map(|client| (client.cert.pem(), client.signing_key.serialize_pem()));
        Self { config: Arc::new(config), root_pem: cert.pem(), client_pem }
    }
}
