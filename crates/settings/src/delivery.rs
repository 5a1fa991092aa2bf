//! Where an agent delivers to.

use std::sync::{Arc, Mutex};

use cutshort_agent::{Destination, HttpCollector};
use cutshort_clickhouse::ClickHouse;
use cutshort_pipeline::live::AgentCounts;
use cutshort_store::{Store, StoreError};

use crate::stores::{plain_text_warning, store_address, store_warning};
use crate::{Settings, SettingsError, store_server};

impl Settings {
    /// Where an agent delivers to. A collector is told `counts` with each segment; `warn` gets what an operator should know.
    ///
    /// # Errors
    /// Neither a collector nor a store is set, or both are; or the address, the token or a certificate is wrong.
    pub fn destination(
        &self,
        counts: &Arc<Mutex<AgentCounts>>,
        warn: impl Fn(&str),
    ) -> Result<Destination, SettingsError> {
        match (&self.delivery.collector, &self.delivery.store) {
            (Some(url), None) => collector(self, url, counts, warn),
            (None, Some(url)) => store(url, warn),
            (Some(_), Some(_)) => {
                Err(SettingsError("name either a collector or deliver, not both".to_owned()))
            }
            (None, None) => Err(SettingsError(
                "name the collector: --collector URL; or the store to deliver to: --deliver clickhouse://..."
                    .to_owned(),
            )),
        }
    }
}

fn collector(
    settings: &Settings,
    url: &str,
    counts: &Arc<Mutex<AgentCounts>>,
    warn: impl Fn(&str),
) -> Result<Destination, SettingsError> {
    let http_settings = settings.collector(url, settings.token()?);
    let http = HttpCollector::new(&http_settings).map_err(SettingsError)?.with_counts(Arc::clone(counts));
    let (host, _, is_encrypted) = http.peer();
    plain_text_warning(url, &host, is_encrypted, "token and packets").iter().for_each(|text| warn(text));
    if http.proxy().is_none() {
        ignored_proxy().iter().for_each(|text| warn(text));
    }
    Ok(Destination::collector(http, &http_settings))
}

fn store(url: &str, warn: impl Fn(&str)) -> Result<Destination, SettingsError> {
    let address = store_address(url)?;
    store_warning(&address).iter().for_each(|text| warn(text));
    let url = url.to_owned();
    // The file with the password is read each time.
    let open = move || {
        let address = store_address(&url).map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(Box::new(ClickHouse::open(&address)?) as Box<dyn Store>)
    };
    Ok(Destination::store(address.to_string(), &store_server(&address), open))
}

/// A proxy that others use is not used here: it would learn the collector's address, and without TLS the token.
fn ignored_proxy() -> Option<String> {
    let variables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let name = variables.into_iter().find(|name| std::env::var_os(name).is_some())?;
    Some(format!("{name} in the environment is not used; --proxy URL names a proxy for the collector"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeliverySettings;

    fn destination(collector: Option<&str>, store: Option<&str>) -> Result<Destination, SettingsError> {
        let (collector, store) = (collector.map(str::to_owned), store.map(str::to_owned));
        let delivery = DeliverySettings { collector, store, ..DeliverySettings::default() };
        Settings { delivery, ..Settings::default() }.destination(&Arc::default(), |_| {})
    }

    #[test]
    fn one_of_the_two_is_needed() {
        let error = |collector, store| destination(collector, store).err().unwrap().to_string();
        assert!(error(None, None).contains("--collector"));
        assert!(error(Some("https://a"), Some("clickhouse://a")).contains("not both"));
        assert!(error(None, Some("http://a")).contains("clickhouse://"));
    }

    #[test]
    fn delivering_straight_needs_the_port_of_the_store() {
        let ports = |url| destination(None, Some(url)).unwrap().needs.ports;
        assert_eq!(ports("clickhouse://u@[::1]/cuts"), [8123]);
        assert_eq!(ports("clickhouses://db.example"), [8443, 53]);
    }
}
