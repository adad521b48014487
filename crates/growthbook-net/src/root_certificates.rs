//! The certificates of authorities that servers are trusted with.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// A text has no usable certificate at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidCertificate {
    /// The number of the text, from 1 on.
    pub(crate) text: usize,
    /// The number of the certificate in it, from 1 on. It is 0 if the text has no certificate.
    pub(crate) certificate: usize,
}

/// Returns the certificates of the application, and those of the system or else Mozilla's.
///
/// # Errors
///
/// When a text has no certificate, or one that cannot be used. ureq would ignore it, and every
/// connection would fail.
pub(crate) fn root_certificates(
    system: Option<Vec<Certificate<'static>>>,
    added: &[Vec<u8>],
) -> Result<RootCerts, InvalidCertificate> {
    if system.is_none() && added.is_empty() {
        return Ok(RootCerts::WebPki);
    }
    let mut certificates = system.unwrap_or_else(|| {
        let mozilla = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        mozilla.map(|der| Certificate::from_der(der).to_owned()).collect()
    });
    for (pem, text) in added.iter().zip(1..) {
        let mut certificate = 0;
        for section in sections(pem) {
            certificate += 1;
            let invalid = InvalidCertificate { text, certificate };
            certificates.push(read(section).ok_or(invalid)?);
        }
        if certificate == 0 {
            return Err(InvalidCertificate { text, certificate });
        }
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// Returns the parts of a text that begin like a certificate, each up to the beginning of the next
/// part. Other parts, such as keys, are left out.
fn sections(pem: &[u8]) -> impl Iterator<Item = &[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let is_begin = |at: &usize| pem.get(*at..).is_some_and(|rest| rest.starts_with(BEGIN));
    let begins: Vec<usize> = (0..pem.len()).filter(is_begin).collect();
    let ends: Vec<usize> = begins.iter().skip(1).copied().chain([pem.len()]).collect();
    begins.into_iter().zip(ends).filter_map(|(begin, end)| {
        let section = pem.get(begin..end)?;
        let label = section.get(BEGIN.len()..)?.split(|byte| *byte == b'-').next()?;
        // Also "TRUSTED CERTIFICATE" and "X509 CERTIFICATE", which cannot be read.
        label.ends_with(b"CERTIFICATE").then_some(section)
    })
}

/// Reads a section that has one certificate of an authority.
fn read(section: &[u8]) -> Option<Certificate<'static>> {
    let PemItem::Certificate(certificate) = parse_pem(section).next()?.ok()? else { return None };
    RootCertStore::empty().add(CertificateDer::from(certificate.der())).ok()?;
    Some(certificate)
}

#[cfg(test)]
mod tests {
    use test_server::FeaturesServer;

    use super::*;

    #[test]
    fn bad_certificate_is_named() {
        let server = FeaturesServer::start_tls("{}");
        let good = server.root_certificate_pem();
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let end = "-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let not_der = format!("{begin}AAAA\n{end}");
        let not_base64 = format!("{begin}&&&&\n{end}");
        let (cut, _) = good.split_at(good.len() / 2);
        let trusted = good.replace("CERTIFICATE", "TRUSTED CERTIFICATE");
        let invalid = |text, certificate| Some(InvalidCertificate { text, certificate });
        let cases: [(&[&str], _); 14] = [
            (&[], None),
            (&[good], None),
            (&[good, good], None),
            (&[&format!("# ours\n{good}\r\n{key}{good}")], None),
            (&[""], invalid(1, 0)),
            (&["nothing"], invalid(1, 0)),
            (&[good, key], invalid(2, 0)),
            (&[&not_der], invalid(1, 1)),
            (&[good, &format!("{good}{not_der}")], invalid(2, 2)),
            (&[&format!("{good}{not_base64}{good}")], invalid(1, 2)),
            (&[&format!("{good}{cut}")], invalid(1, 2)),
            (&[&format!("{cut}{good}")], invalid(1, 1)),
            (&[&format!("{good}{trusted}")], invalid(1, 2)),
            (&[&format!("{key}{trusted}")], invalid(1, 1)),
        ];
        for (texts, expected) in cases {
            let texts: Vec<Vec<u8>> = texts.iter().map(|text| (*text).into()).collect();
            assert_eq!(root_certificates(None, &texts).err(), expected);
        }
    }
}
