//! What a server is configured with.

use std::path::{Path, PathBuf};

use cutshort_api::{Limits, Options, Rate, Scope, TokenFile, Uploads};
use cutshort_clickhouse::Address;
use cutshort_pipeline::WindowJob;
use cutshort_store::{Result as StoreResult, Retention};

use crate::{Settings, SettingsError};

impl Settings {
    /// Whether reading needs no token: on a loopback address, unless the settings require one, and wherever they allow it.
    #[must_use]
    pub const fn needs_no_token(&self) -> bool {
        self.http.open_read || (self.http.listen.ip().is_loopback() && !self.http.require_token)
    }

    /// Checks that a token for reading exists where one is needed. Returns a warning if everybody can read.
    ///
    /// # Errors
    /// There is none, or the tokens in the directory `data` cannot be read.
    pub fn check_access(&self, data: &Path) -> Result<Option<String>, SettingsError> {
        let listen = self.http.listen;
        if self.needs_no_token() {
            let warning = || format!("everybody who reaches {listen} can read, without a token (open_read)");
            return Ok((!listen.ip().is_loopback()).then(warning));
        }
        if data.as_os_str().is_empty() {
            return Err(SettingsError(format!(
                "reading on {listen} needs a token: name a directory for tokens with --data, or let everybody who reaches it \
                 read with --open-read"
            )));
        }
        let tokens =
            TokenFile::read(&TokenFile::path(data)).map_err(|error| SettingsError(error.to_string()))?;
        if tokens.token.iter().any(|token| token.scopes.contains(&Scope::Read)) {
            return Ok(None);
        }
        Err(SettingsError(format!(
            "reading on {listen} needs a token, and there is none: make one with\n  \
             cutshort token create --data {} --scope read NAME\n\
             or let everybody who reaches it read with --open-read",
            data.display()
        )))
    }

    /// The options of the API.
    #[must_use]
    pub fn api_options(&self, limits: Limits) -> Options {
        let http = &self.http;
        let rate = Rate { per_second: http.rate_limit, burst: http.rate_burst };
        Options {
            open_read: self.needs_no_token(),
            connections: http.connections,
            hosts: http.listen.ip().to_canonical().is_loopback().then(|| http.hosts.clone()),
            origins: http.origins.clone(),
            upstreams: http.upstreams.clone(),
            metric_places: http.metric_places.clone(),
            rate: (http.rate_limit > 0.0).then_some(rate),
            forwarded: http.forwarded_for,
            timeout: http.timeout,
            cost: http.cost_limit,
            segment: http.segment_bytes,
            limits,
            uploads: Uploads::default(),
            keep_packets: self.keep.packets,
            cache: http.cache_bytes,
        }
    }

    /// The settings of the service that computes results and deletes what has been kept long enough.
    #[must_use]
    pub fn service(&self) -> cutshort_pipeline::Settings {
        let job = WindowJob::default();
        let threads = if self.jobs.threads == 0 { job.threads } else { self.jobs.threads };
        cutshort_pipeline::Settings {
            job: WindowJob { threads, grace: self.jobs.grace, ..job },
            share: self.jobs.worker,
            recent: self.alerts.recent,
            server_names: self.http.upstreams.clone(),
            takeover: self.jobs.takeover,
            retention: Retention {
                packets: self.keep.packets,
                connections: self.keep.connections,
                fifteen_minutes: self.keep.fifteen_minutes,
                hours: self.keep.hours,
                days: self.keep.days,
            },
            ..cutshort_pipeline::Settings::default()
        }
    }

    /// The directory of the store, or of what a server keeps beside a store elsewhere; none if it keeps nothing there.
    ///
    /// # Errors
    /// It is needed and not set.
    pub fn data_folder(&self) -> Result<Option<PathBuf>, SettingsError> {
        let missing = |what: &str| Err(SettingsError(format!("name {what}: --data DIR")));
        match (&self.store.data, &self.store.url) {
            (Some(data), _) => Ok(Some(data.clone())),
            (None, Some(_)) if self.capture.source.is_none() && self.capture.user.is_none() => Ok(None),
            (None, Some(_)) => missing("a directory for received packets and tokens"),
            (None, None) => missing("the directory of the store"),
        }
    }

    /// The name of the store, without a password.
    ///
    /// # Errors
    /// Its address is wrong.
    pub fn store_name(&self) -> StoreResult<String> {
        match (&self.store.url, &self.store.data) {
            (Some(store), _) => Ok(Address::parse(store)?.to_string()),
            (None, data) => Ok(data.as_deref().map(|data| data.display().to_string()).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: Option<&str>, user: Option<&str>, data: Option<&str>) -> Settings {
        let mut settings = Settings::default();
        settings.store.url = url.map(str::to_owned);
        settings.capture.user = user.map(str::to_owned);
        settings.store.data = data.map(PathBuf::from);
        settings
    }

    #[test]
    fn a_server_without_files_needs_no_directory() {
        let folder = |url, user, data| settings(url, user, data).data_folder();
        let url = Some("clickhouse://u@h/d");
        assert_eq!(folder(url, None, None), Ok(None));
        assert_eq!(folder(url, None, Some("/d")).unwrap().as_deref(), Some(Path::new("/d")));
        assert!(folder(url, Some("u"), None).unwrap_err().to_string().contains("received packets"));
        assert!(folder(None, None, None).unwrap_err().to_string().contains("of the store"));
    }

    #[test]
    fn a_name_has_no_password() {
        let name = |url, data| settings(url, None, data).store_name().unwrap();
        assert!(!name(Some("clickhouse://u:secret@h/d"), Some("/d")).contains("secret"));
        assert_eq!(name(None, Some("/d")), "/d");
    }

    #[test]
    fn other_addresses_than_the_loopback_need_a_token() {
        let needs_none = |listen: &str, open_read, require_token| {
            let mut settings = Settings::default();
            settings.http.listen = listen.parse().unwrap();
            (settings.http.open_read, settings.http.require_token) = (open_read, require_token);
            settings.needs_no_token()
        };
        assert!(needs_none("127.0.0.1:1", false, false) && needs_none("192.0.2.1:1", true, false));
        assert!(!needs_none("127.0.0.1:1", false, true) && !needs_none("192.0.2.1:1", false, false));
    }
}
