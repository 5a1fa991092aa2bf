//! The settings of an agent, or of a server that captures, as `cutshort-agent` takes them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use cutshort_agent::{
    AgentConfig, Capture, CaptureError, Destination, HttpCollector, HttpSettings, StoreServer, Token,
};
use cutshort_capture::LiveSettings;
use cutshort_clickhouse::Address;
use cutshort_pipeline::GeoData;
use cutshort_pipeline::live::AgentCounts;
use cutshort_sandbox::{Needs, User};
use cutshort_store::StoreError;

use crate::backends::{self, PASSWORD_FILE, warn_of_plain};
use crate::error::Error;
use crate::options::open_privacy;
use crate::settings::Settings;
use crate::terminal::message;

/// What the settings say of receiving, recording and delivering; none if they name no source. The folder is that of the
/// agent or of the store, and the spool may be in it.
fn config(settings: &Settings, folder: &Path, spool: PathBuf) -> Option<AgentConfig> {
    let live = LiveSettings {
        sides: settings.capture.sides,
        rate: settings.capture.sample_rate,
        ports: settings.capture.ports.clone(),
        exclude: settings.capture.exclude.clone(),
        ..LiveSettings::default()
    };
    Some(AgentConfig {
        source: settings.capture.source.clone()?,
        live,
        node: settings.capture.node.clone(),
        folder: folder.to_owned(),
        spool,
        spool_bytes: settings.capture.spool_bytes,
        segment_time: settings.capture.segment_time,
        retry_time: settings.delivery.retry_time,
    })
}

/// Opens the source that the settings name, if they do. Adds what it needs.
pub(crate) fn open_capture(
    settings: &Settings,
    folder: &Path,
    spool: PathBuf,
    needs: &mut Needs,
    geo: impl FnOnce() -> Result<Arc<GeoData>, Error>,
) -> Result<Option<Capture>, Error> {
    let Some(config) = config(settings, folder, spool) else { return Ok(None) };
    let privacy = || open_privacy(settings.privacy.addresses, settings.privacy.key.as_deref(), folder, geo);
    Capture::open(config, needs, privacy).map(Some)
}

impl From<CaptureError> for Error {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Node(_) => Self::Usage(error.to_string()),
            CaptureError::Folder(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Adds to what delivering or serving needs what every service needs: its user, and random numbers.
pub(crate) fn service_needs(settings: &Settings, needs: Needs) -> Result<Needs, Error> {
    let user = settings.capture.user.as_deref().map(User::find).transpose()?;
    let mut needs = Needs { user, ..needs };
    needs.read.push(PathBuf::from("/dev/urandom"));
    Ok(needs)
}

/// Where the settings say that an agent delivers to. A collector is told `counts` with each segment.
pub(crate) fn destination(
    settings: &Settings,
    counts: &Arc<Mutex<AgentCounts>>,
) -> Result<Destination, Error> {
    match (&settings.delivery.collector, &settings.delivery.store) {
        (Some(url), None) => collector(settings, url, counts),
        (None, Some(url)) => store(url),
        (Some(_), Some(_)) => Err(Error::Usage("name either a collector or deliver, not both".to_owned())),
        (None, None) => Err(Error::Usage(
            "name the collector: --collector URL; or the store to deliver to: --deliver clickhouse://..."
                .to_owned(),
        )),
    }
}

/// What a collector is reached with.
pub(crate) fn http_settings(settings: &Settings, url: &str, token: Token) -> HttpSettings {
    HttpSettings {
        url: url.to_owned(),
        token,
        ca_file: settings.delivery.ca_file.clone(),
        proxy: settings.delivery.proxy.clone(),
        timeout: settings.delivery.upload_timeout,
    }
}

fn collector(settings: &Settings, url: &str, counts: &Arc<Mutex<AgentCounts>>) -> Result<Destination, Error> {
    let http_settings = http_settings(settings, url, token(settings)?);
    let http = HttpCollector::new(&http_settings).map_err(Error::Usage)?.with_counts(Arc::clone(counts));
    let (host, _, is_encrypted) = http.peer();
    warn_of_plain(url, &host, is_encrypted, "token and packets");
    if http.proxy().is_none() {
        remark_on_environment();
    }
    Ok(Destination::collector(http, &http_settings))
}

fn store(url: &str) -> Result<Destination, Error> {
    let address = backends::address(url)?;
    let name = address.to_string();
    warn_of_plain(&name, address.host(), address.is_secure(), "password and packets");
    let url = url.to_owned();
    // The file with the password is read each time.
    let open = move || {
        let address = backends::address(&url).map_err(|error| StoreError::Refused(error.to_string()))?;
        backends::connect(&address)
    };
    Ok(Destination::store(name, &store_server(&address), open))
}

/// The server of a store elsewhere.
pub(crate) fn store_server(address: &Address) -> StoreServer {
    StoreServer {
        host: address.host().to_owned(),
        port: address.port(),
        is_secure: address.is_secure(),
        password_file: std::env::var_os(PASSWORD_FILE).map(PathBuf::from),
    }
}

/// From the file that is named, or from the environment; never from the command line, which everybody sees.
pub(crate) fn token(settings: &Settings) -> Result<Token, Error> {
    match (&settings.delivery.token_file, std::env::var("CUTSHORT_TOKEN")) {
        (Some(file), _) => Token::read(file).map_err(Error::Usage),
        (None, Ok(token)) if !token.trim().is_empty() => Ok(Token::Text(token.trim().to_owned())),
        _ => Err(Error::Usage(
            "the collector needs a token: make one there with 'cutshort token create --scope ingest NAME', and name \
             the file that it is in with --token-file"
                .to_owned(),
        )),
    }
}

/// A proxy that others use is not used here, as it would get to know the collector, and without TLS the token.
fn remark_on_environment() {
    let variables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    if let Some(name) = variables.into_iter().find(|name| std::env::var_os(name).is_some()) {
        message(&format!(
            "{name} in the environment is not used; --proxy URL names a proxy for the collector"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutshort_settings::DeliverySettings;

    #[test]
    fn one_of_the_two_is_needed() {
        let of = |collector: Option<&str>, deliver: Option<&str>| {
            let (collector, deliver) = (collector.map(str::to_owned), deliver.map(str::to_owned));
            let delivery = DeliverySettings { collector, store: deliver, ..DeliverySettings::default() };
            let settings = Settings { delivery, ..Settings::default() };
            destination(&settings, &Arc::default()).err().unwrap().to_string()
        };
        assert!(of(None, None).contains("--collector"));
        assert!(of(Some("https://a"), Some("clickhouse://a")).contains("not both"));
        assert!(of(None, Some("http://a")).contains("clickhouse://"));
    }

    #[test]
    fn delivering_straight_needs_the_port_of_the_store() {
        let ports = |url: &str| {
            let delivery = DeliverySettings { store: Some(url.to_owned()), ..DeliverySettings::default() };
            let settings = Settings { delivery, ..Settings::default() };
            destination(&settings, &Arc::default()).unwrap().needs.ports
        };
        assert_eq!(ports("clickhouse://u@[::1]/cuts"), [8123]);
        assert_eq!(ports("clickhouses://db.example"), [8443, 53]);
    }
}
