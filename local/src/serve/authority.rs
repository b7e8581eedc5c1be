//! The certificate authority of a state directory, and a certificate for each name a client may ask for.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};

use super::ServeError;
use crate::data::endpoint::{self, Endpoint};
use crate::state_directory::StateDirectory;

/// What a client must trust.
pub(super) const CERTIFICATE_FILE: &str = "ca.pem";
/// Its key; whoever reads it can pretend to be this target, and AWS, to who trusts `ca.pem`. No other name.
const KEY_FILE: &str = "ca.key";
const AUTHORITY_DAYS: i64 = 3650;
/// Clients refuse server certificates that are valid for more than 398 days.
const LEAF_DAYS: i64 = 397;
/// Names with a certificate in memory.
const LEAVES_MAX: usize = 64;

/// Signs a certificate for each of our names.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    leaf_key: KeyPair,
    leaves: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// The TLS side of the data endpoint: our names only, HTTP/1.1 only, TLS 1.2 and 1.3.
pub(super) fn tls(directory: &StateDirectory) -> Result<ServerConfig, ServeError> {
    let authority = Authority::open(directory)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ServeError::Certificate(error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(authority));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl Authority {
    /// Reads the authority of the directory, or makes one. The key is durable before the certificate.
    fn open(directory: &StateDirectory) -> Result<Self, ServeError> {
        let key = if let Some(known) = directory.read(KEY_FILE)? {
            std::str::from_utf8(&known)
                .ok()
                .and_then(|pem| KeyPair::from_pem(pem).ok())
                .ok_or_else(|| ServeError::Certificate(format!("`{KEY_FILE}` holds no private key")))?
        } else {
            let made = KeyPair::generate()?;
            directory.write(KEY_FILE, made.serialize_pem().as_bytes())?;
            made
        };
        let params = authority_params();
        if directory.read(CERTIFICATE_FILE)?.is_none() {
            let certificate = params.self_signed(&key)?;
            directory.write(CERTIFICATE_FILE, certificate.pem().as_bytes())?;
        }
        let leaf_key = KeyPair::generate()?;
        Ok(Self { issuer: Issuer::new(params, key), leaf_key, leaves: Mutex::default() })
    }

    fn leaf(&self, name: &str) -> Result<Arc<CertifiedKey>, ServeError> {
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = leaves.get(name) {
            return Ok(Arc::clone(leaf));
        }
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, "thinggate local target");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        valid_for(&mut params, LEAF_DAYS);
        let certificate = params.signed_by(&self.leaf_key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(self.leaf_key.serialize_der().into());
        let key = aws_lc_rs::sign::any_ecdsa_type(&key)
            .map_err(|error| ServeError::Certificate(error.to_string()))?;
        let leaf = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        if leaves.len() >= LEAVES_MAX {
            leaves.clear();
        }
        leaves.insert(name.to_owned(), Arc::clone(&leaf));
        Ok(leaf)
    }
}

impl ResolvesServerCert for Authority {
    /// A client that names no server, or one that is not ours, gets no certificate, and so no connection.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        Endpoint::of(&name)?;
        self.leaf(&name).ok()
    }
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "thinggate local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let name = |name: &str| GeneralSubtree::DnsName(name.to_owned());
    let any_address = [CidrSubnet::V4([0; 4], [0; 4]), CidrSubnet::V6([0; 16], [0; 16])];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![name("localhost"), name(endpoint::HOST_SUFFIX)],
        excluded_subtrees: any_address.into_iter().map(GeneralSubtree::IpAddress).collect(),
    });
    valid_for(&mut params, AUTHORITY_DAYS);
    params
}

/// From yesterday on, by wall time, which is what clients go by.
fn valid_for(params: &mut CertificateParams, days: i64) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(days);
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    use super::*;

    #[test]
    fn a_stolen_key_makes_no_other_server() {
        let place = tempfile::tempdir().unwrap();
        let directory = StateDirectory::open(place.path(), "test", std::time::Duration::ZERO).unwrap();
        let authority = Authority::open(&directory).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(place.path().join(CERTIFICATE_FILE)).unwrap()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let trusted = |name: &str| {
            let leaf = authority.leaf(name).unwrap();
            let server = ServerName::try_from(name.to_owned()).unwrap();
            verifier.verify_server_cert(&leaf.cert[0], &[], &server, &[], UnixTime::now()).is_ok()
        };
        assert!(trusted("localhost") && trusted("thinggatelocal-ats.iot.eu-west-1.amazonaws.com"));
        for other in ["example.com", "amazonaws.com.example", "192.0.2.1", "127.0.0.1", "::1"] {
            assert!(!trusted(other), "{other}");
        }
    }
}
