//! The settings that are flags of a command, too. A flag takes precedence over the environment and the file.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use cutshort_capture::LiveSource;
use cutshort_pipeline::Share;

use crate::{Read, Settings, SettingsError, read, values};

/// The settings file of a command.
#[derive(Args)]
pub struct SettingsFile {
    /// Settings file; 'cutshort config' shows all settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

/// Where packets come from.
#[derive(Args)]
struct CaptureFlags {
    /// Source of packets: nflog:GROUP, af_packet:INTERFACE or ebpf:INTERFACE
    #[arg(long, value_name = "SOURCE")]
    capture: Option<LiveSource>,
    /// Open the Initial packets of QUIC connections for acknowledgements and closes, before anything is stored
    ///
    /// Their keys can be computed from the packets themselves. The ClientHello is stepped over and never
    /// parsed, and the plaintext is overwritten at once; docs/privacy.md says what this means.
    #[arg(long)]
    open_initials: bool,
    /// Name of this server in the store, for the packets that it receives [default: the host name]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Drop to this user after opening sockets and files
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// Where packets wait, and where they are delivered to.
#[derive(Args)]
struct DeliveryFlags {
    /// Spool directory of the agent, in which packets wait until they are delivered
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
    /// Address of the collector: https://HOST or https://HOST:PORT
    #[arg(long, value_name = "URL")]
    collector: Option<String>,
    /// Store to deliver to directly, without a collector: clickhouse://USER@HOST:8123/DATABASE
    #[arg(long, value_name = "URL", conflicts_with_all = ["collector", "token_file", "ca_file", "proxy"])]
    deliver: Option<String>,
    /// File with the token that 'cutshort token create --scope ingest' created on the collector
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Trusted certificates (PEM) for the collector, instead of the system's: authorities or its own
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// HTTP proxy to reach the collector through (CONNECT): http://HOST:PORT
    ///
    /// HTTPS_PROXY and similar variables are ignored. Set a proxy with a password,
    /// http://USER:PASSWORD@HOST:PORT, in CUTSHORT_PROXY or the settings file: other users of this machine
    /// can see flags.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
}

/// Where a server's store is, and where it answers.
#[derive(Args)]
struct ServerFlags {
    /// Directory of the store; 'serve' creates it if it is missing
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Store in ClickHouse: clickhouse://USER@HOST:8123/DATABASE; --data is then a directory for tokens
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Listen address of the server [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::listen)]
    listen: Option<SocketAddr>,
}

/// The settings that `cutshort agent` has as flags.
#[derive(Args)]
pub struct AgentFlags {
    #[command(flatten)]
    capture: CaptureFlags,
    #[command(flatten)]
    delivery: DeliveryFlags,
    /// Listen address for Prometheus metrics; open to whoever reaches it
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::listen)]
    metrics: Option<SocketAddr>,
    #[command(flatten)]
    file: SettingsFile,
}

/// The settings that `cutshort serve` has as flags.
#[derive(Args)]
pub struct ServeFlags {
    #[command(flatten)]
    server: ServerFlags,
    #[command(flatten)]
    file: SettingsFile,
    /// Allow reading without a token, on any address
    #[arg(long)]
    open_read: bool,
    #[command(flatten)]
    capture: CaptureFlags,
    /// Which of several workers on one ClickHouse store this is, such as 2/3 [default: 1/1]
    #[arg(long, value_name = "I/N")]
    worker: Option<Share>,
    /// Geo data: countries and networks from this file take precedence; may be repeated
    #[arg(long, value_name = "FILE")]
    geo: Vec<PathBuf>,
}

/// The settings that `cutshort doctor` has as flags: those of the agent or the server that it looks at.
#[derive(Args)]
pub struct DoctorFlags {
    #[command(flatten)]
    delivery: DeliveryFlags,
    #[command(flatten)]
    server: ServerFlags,
    /// Source of packets; alone, for 'cutshort classify' [default: what the agent reports, or nflog:5]
    #[arg(long, value_name = "SOURCE")]
    capture: Option<LiveSource>,
    #[command(flatten)]
    file: SettingsFile,
}

impl SettingsFile {
    /// Reads the file, if one is named, and then the environment of this process.
    ///
    /// # Errors
    /// As [`read()`].
    pub fn read(&self) -> Result<Read, SettingsError> {
        read(self.settings.as_deref())
    }
}

impl AgentFlags {
    /// All settings of an agent.
    ///
    /// # Errors
    /// As [`read()`].
    pub fn settings(self) -> Result<Settings, SettingsError> {
        let mut settings = self.file.read()?.settings;
        self.capture.apply(&mut settings);
        self.delivery.apply(&mut settings);
        set(&mut settings.delivery.metrics, self.metrics);
        Ok(settings)
    }
}

impl ServeFlags {
    /// All settings of a server.
    ///
    /// # Errors
    /// As [`read()`].
    pub fn settings(self) -> Result<Settings, SettingsError> {
        let mut settings = self.file.read()?.settings;
        self.server.apply(&mut settings);
        self.capture.apply(&mut settings);
        settings.http.open_read |= self.open_read;
        settings.jobs.worker = self.worker.unwrap_or(settings.jobs.worker);
        if !self.geo.is_empty() {
            settings.jobs.geo = self.geo;
        }
        Ok(settings)
    }
}

impl DoctorFlags {
    /// The settings of what doctor looks at, and whether a server should answer.
    ///
    /// # Errors
    /// As [`read()`]; or nothing is named that could be looked at.
    pub fn settings(self) -> Result<(Settings, bool), SettingsError> {
        let mut settings = self.file.read()?.settings;
        let listens = self.server.listen.is_some();
        self.delivery.apply(&mut settings);
        self.server.apply(&mut settings);
        set(&mut settings.capture.source, self.capture);
        let Settings { capture, delivery, store, .. } = &settings;
        let agent = capture.spool.is_some() || delivery.collector.is_some() || delivery.store.is_some();
        let server = store.data.is_some() || store.url.is_some() || listens;
        if !agent && !server && capture.source.is_none() {
            return Err(SettingsError(
                "name what to look at: --spool DIR and --collector URL of an agent, --data DIR, --store URL or --listen \
                 ADDR:PORT of a server, their --settings FILE, or only --capture nflog:5"
                    .to_owned(),
            ));
        }
        let serves = store.data.is_some() || listens;
        Ok((settings, serves))
    }
}

impl CaptureFlags {
    fn apply(self, settings: &mut Settings) {
        set(&mut settings.capture.source, self.capture);
        settings.capture.open_initials |= self.open_initials;
        set(&mut settings.capture.node, self.node);
        set(&mut settings.capture.user, self.user);
    }
}

impl DeliveryFlags {
    fn apply(self, settings: &mut Settings) {
        let delivery = &mut settings.delivery;
        // One named here goes before the other one that is set elsewhere.
        if self.collector.is_some() || self.deliver.is_some() {
            (delivery.collector, delivery.store) = (self.collector, self.deliver);
        }
        set(&mut delivery.token_file, self.token_file);
        set(&mut delivery.ca_file, self.ca_file);
        set(&mut delivery.proxy, self.proxy);
        set(&mut settings.capture.spool, self.spool);
    }
}

impl ServerFlags {
    fn apply(self, settings: &mut Settings) {
        set(&mut settings.store.data, self.data);
        set(&mut settings.store.url, self.store);
        settings.http.listen = self.listen.unwrap_or(settings.http.listen);
    }
}

/// Sets what a flag names.
fn set<T>(setting: &mut Option<T>, flag: Option<T>) {
    if flag.is_some() {
        *setting = flag;
    }
}
