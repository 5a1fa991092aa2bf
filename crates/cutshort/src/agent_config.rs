//! Opening sources and destinations, as the settings of an agent or of a server that captures say.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use cutshort_agent::{Capture, CaptureError, Destination, HttpCollector};
use cutshort_pipeline::GeoData;
use cutshort_pipeline::live::AgentCounts;
use cutshort_sandbox::{Needs, User};
use cutshort_settings::store_server;
use cutshort_store::StoreError;

use crate::backends::{self, warn_of_plain};
use crate::error::Error;
use crate::options::open_privacy;
use crate::settings::Settings;
use crate::terminal::message;

/// Opens the source that the settings name, if they do. Adds what it needs.
pub(crate) fn open_capture(
    settings: &Settings,
    folder: &Path,
    spool: PathBuf,
    needs: &mut Needs,
    geo: impl FnOnce() -> Result<Arc<GeoData>, Error>,
) -> Result<Option<Capture>, Error> {
    let Some(config) = settings.agent(folder, spool) else { return Ok(None) };
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

fn collector(settings: &Settings, url: &str, counts: &Arc<Mutex<AgentCounts>>) -> Result<Destination, Error> {
    let http_settings = settings.collector(url, settings.token()?);
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
