//! `cutshort doctor`: why nothing is seen.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ColorChoice, ValueEnum};
use cutshort_capture::LiveSource;
use cutshort_doctor::Status;
use cutshort_settings::values;

use crate::error::{Done, Error};
use crate::settings::{self, Settings};
use crate::terminal;

/// Diagnose why no connections arrive, and suggest fixes
///
/// Looks at the kernel, the rules, who receives, what waits, the collector and its token, clocks, geographic
/// data and disks, for the agent or the server that has the same settings. It changes nothing. As root it
/// sees more. Ends with 0 if nothing is failing, else with 1.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Doctor {
    /// Folder of the agent in which packets wait
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
    /// Address of the agent's collector
    #[arg(long, value_name = "URL")]
    collector: Option<String>,
    /// Store to which the agent delivers without a collector: clickhouse://USER@HOST:8123/DATABASE
    #[arg(long, value_name = "URL", conflicts_with = "collector")]
    deliver: Option<String>,
    /// File with the token for the collector
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Certificates (PEM) that the collector's must come from or be one of, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// HTTP proxy through which the collector is reached
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Address and port of the server
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::listen)]
    listen: Option<SocketAddr>,
    /// Folder of the server's store
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The server's store in ClickHouse: clickhouse://USER@HOST:8123/DATABASE; --listen looks at the server, too
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "deliver"])]
    store: Option<String>,
    /// Where packets are received from: alone, for 'cutshort classify' [default: what the agent says, or nflog:5]
    #[arg(long, value_name = "SOURCE")]
    capture: Option<LiveSource>,
    /// Settings file; 'cutshort config' shows all settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// What to write
    #[arg(long, short, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "Settings come from flags, else from the environment (CUTSHORT_COLLECTOR and so on), else from the settings file.

Examples:
  cutshort doctor --spool /var/lib/cutshort-agent --collector https://collector.example.org --token-file /etc/cutshort/token
  cutshort doctor --data /var/lib/cutshort --listen 127.0.0.1:8081
  cutshort doctor --capture nflog:5
  cutshort doctor --settings /etc/cutshort/agent.toml --format json";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people
    Table,
    /// For programs
    Json,
}

pub(crate) fn run(arguments: &Doctor, color: ColorChoice) -> Result<Done, Error> {
    let settings = settings_of(arguments)?;
    let serves = settings.store.data.is_some() || arguments.listen.is_some();
    let checks = cutshort_doctor::checks(&cutshort_doctor::look(&settings.subject(serves)));
    terminal::print(color, |text| match arguments.format {
        Format::Table => Ok(cutshort_doctor::table(&checks, terminal::width(), text)?),
        Format::Json => Ok(cutshort_doctor::json(&checks, text)?),
    })?;
    let is_failing = checks.iter().any(|check| check.status == Status::Failing);
    Ok(if is_failing { Done::InPart } else { Done::Whole })
}

fn settings_of(arguments: &Doctor) -> Result<Settings, Error> {
    let mut settings = settings::read_all(arguments.settings.as_deref())?.settings;
    settings.capture.spool = arguments.spool.clone().or(settings.capture.spool);
    settings.delivery.collector = arguments.collector.clone().or(settings.delivery.collector);
    settings.delivery.store = arguments.deliver.clone().or(settings.delivery.store);
    settings.delivery.token_file = arguments.token_file.clone().or(settings.delivery.token_file);
    settings.delivery.ca_file = arguments.ca_file.clone().or(settings.delivery.ca_file);
    settings.delivery.proxy = arguments.proxy.clone().or(settings.delivery.proxy);
    settings.http.listen = arguments.listen.unwrap_or(settings.http.listen);
    settings.store.data = arguments.data.clone().or(settings.store.data);
    settings.store.url = arguments.store.clone().or(settings.store.url);
    settings.capture.source = arguments.capture.clone().or(settings.capture.source);
    let agent = settings.capture.spool.is_some()
        || settings.delivery.collector.is_some()
        || settings.delivery.store.is_some();
    let other = settings.store.data.is_some()
        || settings.store.url.is_some()
        || settings.capture.source.is_some()
        || arguments.listen.is_some();
    if !agent && !other {
        return Err(Error::Usage(
            "name what to look at: --spool DIR and --collector URL of an agent, --data DIR, --store URL or --listen \
             ADDR:PORT of a server, their --settings FILE, or only --capture nflog:5"
                .to_owned(),
        ));
    }
    Ok(settings)
}
