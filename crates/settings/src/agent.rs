//! What an agent is configured with, or a server that receives packets itself.

use std::path::{Path, PathBuf};

use cutshort_agent::{AgentConfig, HttpSettings, StoreServer, Token};
use cutshort_capture::LiveSettings;
use cutshort_clickhouse::Address;
use cutshort_sandbox::Needs;

use crate::{Settings, SettingsError, password_file};

impl Settings {
    /// What serving needs of the system for its store: one elsewhere is connected to again and again, and its name looked up.
    #[must_use]
    pub fn store_needs(&self) -> Needs {
        let address = self.store.url.as_ref().and_then(|store| Address::parse(store).ok());
        address.map_or_else(
            || Needs { network: true, ..Needs::default() },
            |address| store_server(&address).needs(),
        )
    }

    /// The configuration of receiving, recording and delivering; none if no source is set. The folder is that of the
    /// agent or of the store, and the spool may be in it.
    #[must_use]
    pub fn agent(&self, folder: &Path, spool: PathBuf) -> Option<AgentConfig> {
        let capture = &self.capture;
        let live = LiveSettings {
            sets: capture.sets,
            opener: capture.open_initials.then_some(cutshort_initials::opener),
            rate: capture.sample_rate,
            ports: capture.ports.clone(),
            exclude: capture.exclude.clone(),
            ..LiveSettings::default()
        };
        Some(AgentConfig {
            source: capture.source.clone()?,
            live,
            node: capture.node.clone(),
            folder: folder.to_owned(),
            spool,
            spool_bytes: capture.spool_bytes,
            segment_time: capture.segment_time,
            retry_time: self.delivery.retry_time,
        })
    }

    /// The configuration of requests to a collector.
    #[must_use]
    pub fn collector(&self, url: &str, token: Token) -> HttpSettings {
        HttpSettings {
            url: url.to_owned(),
            token,
            ca_file: self.delivery.ca_file.clone(),
            proxy: self.delivery.proxy.clone(),
            timeout: self.delivery.upload_timeout,
        }
    }

    /// The token for the collector: from the file that is set, or from `CUTSHORT_TOKEN`.
    ///
    /// # Errors
    /// There is none, or the file cannot be read.
    pub fn token(&self) -> Result<Token, SettingsError> {
        match (&self.delivery.token_file, std::env::var("CUTSHORT_TOKEN")) {
            (Some(file), _) => Token::read(file).map_err(SettingsError),
            (None, Ok(token)) if !token.trim().is_empty() => Ok(Token::Text(token.trim().to_owned())),
            _ => Err(SettingsError(
                "the collector needs a token: make one there with 'cutshort token create --scope ingest NAME', and name \
                 the file that it is in with --token-file"
                    .to_owned(),
            )),
        }
    }
}

/// The server of a store elsewhere.
pub(crate) fn store_server(address: &Address) -> StoreServer {
    StoreServer {
        host: address.host().to_owned(),
        port: address.port(),
        is_secure: address.is_secure(),
        password_file: password_file(),
    }
}
