//! `cutshort doctor`: why nothing is seen.

mod checks;
mod cure;
mod host;
mod look;
mod reports;
mod seen;
mod show;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ColorChoice, ValueEnum};
use cutshort_capture::LiveSource;

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
    #[arg(long, value_name = "ADDR:PORT")]
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

/// How it is with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Ok,
    Warning,
    Failing,
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failing => "failing",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    status: Status,
    name: &'static str,
    /// What was found.
    found: String,
    /// What fixes it; nothing if it is fine.
    fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { status: Status::Ok, name, found: found.into(), fix: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Warning, name, found: found.into(), fix: Some(fix.into()) }
    }

    fn failing(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Failing, ..Self::warning(name, found, fix) }
    }
}

pub(crate) fn run(arguments: &Doctor, color: ColorChoice) -> Result<Done, Error> {
    let settings = settings_of(arguments)?;
    let serves = settings.data.is_some() || arguments.listen.is_some();
    let checks = checks::all(&look::look(&settings, serves)?);
    terminal::print(color, |text| match arguments.format {
        Format::Table => Ok(show::table(&checks, terminal::width(), text)?),
        Format::Json => Ok(show::json(&checks, text)?),
    })?;
    let is_failing = checks.iter().any(|check| check.status == Status::Failing);
    Ok(if is_failing { Done::InPart } else { Done::Whole })
}

fn settings_of(arguments: &Doctor) -> Result<Settings, Error> {
    let read = settings::read_all(arguments.settings.as_deref())?;
    let mut settings = read.settings;
    settings.spool = arguments.spool.clone().or(settings.spool);
    settings.collector = arguments.collector.clone().or(settings.collector);
    settings.deliver = arguments.deliver.clone().or(settings.deliver);
    settings.token_file = arguments.token_file.clone().or(settings.token_file);
    settings.ca_file = arguments.ca_file.clone().or(settings.ca_file);
    settings.proxy = arguments.proxy.clone().or(settings.proxy);
    settings.listen = arguments.listen.unwrap_or(settings.listen);
    settings.data = arguments.data.clone().or(settings.data);
    settings.store = arguments.store.clone().or(settings.store);
    settings.capture = arguments.capture.clone().or(settings.capture);
    let agent = settings.spool.is_some() || settings.collector.is_some() || settings.deliver.is_some();
    let other = settings.data.is_some()
        || settings.store.is_some()
        || settings.capture.is_some()
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
