//! Encryption to a server: who is trusted, and the connection itself.
//!
//! A server's certificate comes from a certificate authority that is trusted, or it is itself one
//! of those that the operator has named. The usual self-signed certificate calls itself an authority,
//! which as such may not be a server's; ureq cannot be told otherwise, so the last link of its chain
//! of connectors is replaced by one of our own.

use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    StreamOwned,
};
use ureq::Error;
use ureq::tls::{PemItem, parse_pem};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// The last link of a chain of connectors: encrypts where the address wants that, which takes somebody who is trusted.
pub(crate) struct Encryption(pub(crate) Option<Arc<Trust>>);

/// Who is trusted. A file of certificates may be changed while the program runs.
pub struct Trust {
    ca_file: Option<PathBuf>,
    current: Mutex<Current>,
}

struct Current {
    /// Those of the file.
    named: Vec<CertificateDer<'static>>,
    config: Arc<ClientConfig>,
}

impl Trust {
    /// Trusts the certificates of a file (PEM), or the system's without one.
    ///
    /// # Errors
    /// What is wrong with the certificates.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, String> {
        Ok(Self { ca_file: ca_file.map(Path::to_owned), current: Mutex::new(Current::read(ca_file)?) })
    }

    /// Reads the file again; false if there is nothing new that can be used.
    #[must_use]
    pub fn refresh(&self) -> bool {
        if self.ca_file.is_none() {
            return false;
        }
        let Ok(new) = Current::read(self.ca_file.as_deref()) else { return false };
        let mut current = self.lock();
        let is_new = new.named != current.named;
        if is_new {
            *current = new;
        }
        is_new
    }

    fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.lock().config)
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn read(ca_file: Option<&Path>) -> Result<Self, String> {
        let verifier = Verifier::new(ca_file)?;
        let named = verifier.named.clone();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self { named, config: Arc::new(config) })
    }
}

/// Reads the certificates of a file (PEM).
///
/// # Errors
/// What is wrong with the file.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read(path).map_err(|error| failed(&error))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| failed(&error))? {
            certificates.push(CertificateDer::from(certificate.der().to_vec()));
        }
    }
    if certificates.is_empty() {
        Err(failed(&"there is no certificate (PEM) in it"))
    } else {
        Ok(certificates)
    }
}

fn system_certificates() -> Result<Vec<CertificateDer<'static>>, String> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err("the system has no certificates to know servers by: apt-get install ca-certificates, \
                    or name a file of them (ca_file)"
            .to_owned());
    }
    Ok(found)
}

/// Chains as usual. A certificate that the operator has named may be the server's own although it
/// calls itself an authority: its key is trusted anyway, whatever it signs. Its name and its time
/// count all the same, and the server must have its key.
#[derive(Debug)]
pub struct Verifier {
    chains: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// Trusts the certificates of a file (PEM), or the system's without one.
    ///
    /// # Errors
    /// What is wrong with the certificates.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, String> {
        let named = ca_file.map(read_certificates).transpose()?.unwrap_or_default();
        let system = if ca_file.is_none() { system_certificates()? } else { Vec::new() };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(named.iter().chain(&system).cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let chains = chains.map_err(|error| format!("no certificate can be used: {error}"))?;
        Ok(Self { chains, named })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.chains.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // That comes after its time was found right.
            Err(error) if is_authority(&error) && self.named.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// What rustls says of an authority's certificate that a server has for its own.
const AUTHORITY: &str = "CaUsedAsEndEntity";

fn is_authority(error: &rustls::Error) -> bool {
    use rustls::Error::InvalidCertificate;
    matches!(error, InvalidCertificate(CertificateError::Other(other)) if other.to_string() == AUTHORITY)
}

/// What to do about a certificate that was refused, by what was said of it.
pub(crate) fn cure(refused: &str) -> Option<&'static str> {
    let cures = [
        ("corrupt message", "what listens there speaks no TLS: name http:// or the port with TLS"),
        (
            AUTHORITY,
            "name that very certificate with --ca-file, or one that is no authority (basicConstraints=CA:FALSE)",
        ),
        ("UnknownIssuer", "name its authority's certificate, or a self-signed one itself, with --ca-file"),
        (
            "not valid for",
            "its subjectAltName has to have the name or address in the URL: openssl req -x509 -newkey ec -pkeyopt \
             ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=HOST -addext subjectAltName=DNS:HOST (or \
             IP:ADDRESS) -keyout KEY -out CERTIFICATE",
        ),
        ("expired", "renew it, or correct this host's clock"),
    ];
    cures.into_iter().find(|(said, _)| refused.contains(said)).map(|(_, cure)| cure)
}

impl<In: Transport> Connector<In> for Encryption {
    type Out = Either<In, Encrypted>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        let Some(trust) = self.0.as_ref().filter(|_| details.needs_tls() && !transport.is_tls()) else {
            return Ok(Some(Either::A(transport)));
        };
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| Error::Tls("no name for a certificate"))?;
        let mut connection = ClientConnection::new(trust.config(), name)?;
        let mut inner = TransportAdapter::new(transport.boxed(), Arc::clone(&details.current_time));
        inner.set_timeout(details.timeout);
        connection.complete_io(&mut inner)?;
        let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
        let buffers = LazyBuffers::new(input, output);
        Ok(Some(Either::B(Encrypted { buffers, stream: StreamOwned::new(connection, inner) })))
    }
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encryption")
    }
}

/// An encrypted connection.
pub(crate) struct Encrypted {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encrypted")
    }
}
