//! The settings of `cutshort serve` and `cutshort agent`: one table says what there is, reads it, and writes it.

mod length;
mod table;
mod value;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cutshort_capture::LiveSource;
use cutshort_model::Addresses;
use cutshort_pipeline::Share;
use ipnet::IpNet;
use toml::Value;
use toml::de::{DeTable, DeValue};

use crate::error::Error;
use crate::terminal::message;
pub(crate) use table::SETTINGS;

/// What can be set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) data: Option<PathBuf>,
    pub(crate) store: Option<String>,
    pub(crate) listen: SocketAddr,
    pub(crate) open_read: bool,
    pub(crate) require_token: bool,
    pub(crate) connections: bool,
    pub(crate) hosts: Vec<String>,
    pub(crate) origins: Vec<String>,
    pub(crate) rate_limit: f64,
    pub(crate) rate_burst: f64,
    pub(crate) forwarded_for: bool,
    pub(crate) timeout: Duration,
    pub(crate) cost_limit: u64,
    pub(crate) segment_bytes: usize,
    pub(crate) cache_bytes: usize,
    pub(crate) geo: Vec<PathBuf>,
    pub(crate) threads: usize,
    pub(crate) worker: Share,
    pub(crate) takeover: Duration,
    pub(crate) grace: Duration,
    pub(crate) addresses: Addresses,
    pub(crate) address_key: Option<PathBuf>,
    pub(crate) keep_packets: Option<Duration>,
    pub(crate) keep_connections: Option<Duration>,
    pub(crate) keep_15min: Option<Duration>,
    pub(crate) keep_hours: Option<Duration>,
    pub(crate) keep_days: Option<Duration>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    pub(crate) capture: Option<LiveSource>,
    pub(crate) node: Option<String>,
    pub(crate) sample_rate: NonZeroU32,
    pub(crate) capture_ports: Vec<u16>,
    pub(crate) capture_exclude: Vec<IpNet>,
    pub(crate) user: Option<String>,
    pub(crate) segment_time: Duration,
    pub(crate) spool: Option<PathBuf>,
    pub(crate) spool_bytes: u64,
    pub(crate) collector: Option<String>,
    pub(crate) deliver: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) proxy: Option<String>,
    pub(crate) upload_timeout: Duration,
    pub(crate) retry_time: Duration,
    pub(crate) metrics: Option<SocketAddr>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people on a terminal, as JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// One thing that can be set.
pub(crate) struct Setting {
    /// Its name in the file, behind a dot in a section of it; the environment has it in capitals behind `CUTSHORT_`,
    /// with `_` for the dot.
    pub(crate) key: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    pub(crate) set: fn(&mut Settings, &Value) -> Result<(), String>,
    pub(crate) get: fn(&Settings) -> Option<Value>,
}

/// Where a setting was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File,
    Environment(String),
}

/// Settings, and where each of the table was set.
pub(crate) struct Read {
    pub(crate) settings: Settings,
    pub(crate) origins: Vec<Origin>,
}

impl Setting {
    /// Its name in the environment.
    pub(crate) fn variable(&self) -> String {
        in_environment(self.key)
    }

    /// Its names in the environment: the present one first.
    fn variables(&self) -> impl Iterator<Item = String> {
        let former = RENAMED.iter().filter(|(_, present)| *present == self.key).map(|(former, _)| *former);
        std::iter::once(self.key).chain(former).map(in_environment)
    }
}

fn in_environment(key: &str) -> String {
    format!("CUTSHORT_{}", key.to_ascii_uppercase().replace('.', "_"))
}

/// What else is read from the environment.
const SECRETS: [&str; 3] = ["TOKEN", "CLICKHOUSE_PASSWORD", "CLICKHOUSE_PASSWORD_FILE"];

/// Reads the file, if there is one, and then the environment of this process, which goes before it. What is there
/// by mistake is said, and no reason to end: others set variables, too.
pub(crate) fn read_all(file: Option<&Path>) -> Result<Read, Error> {
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in variables {
        if let Some(why) = mistaken(&name) {
            message(&format!("{name} is ignored: {why}"));
        }
    }
    read(file, |name| std::env::var(name).ok())
}

/// Settings that had another name in the release before: that one, and the present one.
const RENAMED: [(&str, &str); 1] = [("keep_quarters", "keep_15min")];

/// The present name of a setting. The former one works for one release.
fn present(name: &str) -> &str {
    RENAMED.iter().find(|(former, _)| *former == name).map_or(name, |(_, present)| *present)
}

/// Why a variable that is named like a setting is none.
fn mistaken(variable: &str) -> Option<String> {
    let key = variable.strip_prefix("CUTSHORT_")?;
    let is_known = SECRETS.contains(&key)
        || SETTINGS.iter().any(|setting| setting.variables().any(|known| known == variable));
    (!is_known).then(|| unknown(&key.to_ascii_lowercase()))
}

/// Reads the file, if there is one, and then an environment, which goes before it.
pub(crate) fn read(file: Option<&Path>, environment: impl Fn(&str) -> Option<String>) -> Result<Read, Error> {
    let mut read = Read { settings: Settings::default(), origins: vec![Origin::Default; SETTINGS.len()] };
    if let Some(path) = file {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| Error::Usage(format!("{}: {error}", path.display())))?;
        from_file(&mut read, &text).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))?;
    }
    for (setting, origin) in SETTINGS.iter().zip(&mut read.origins) {
        let mut variables = setting.variables();
        let found = variables.find_map(|variable| environment(&variable).map(|text| (variable, text)));
        let Some((variable, text)) = found else { continue };
        (setting.set)(&mut read.settings, &value::from_text(&text))
            .map_err(|why| Error::Usage(format!("{variable}={text}: {why}")))?;
        *origin = Origin::Environment(variable);
    }
    Ok(read)
}

fn from_file(read: &mut Read, text: &str) -> Result<(), String> {
    let table = DeTable::parse(text).map_err(|error| error.to_string())?;
    from_table(read, text, "", table.get_ref())
}

/// Reads a table whose settings have names that begin so.
fn from_table(read: &mut Read, text: &str, section: &str, table: &DeTable<'_>) -> Result<(), String> {
    for (key, value) in table {
        let place = place(text, key.span().start);
        let name = format!("{section}{}", key.get_ref());
        if let DeValue::Table(table) = value.get_ref()
            && is_section(&name)
        {
            from_table(read, text, &format!("{name}."), table)?;
            continue;
        }
        let at = SETTINGS.iter().position(|setting| setting.key == present(&name));
        let at = at.ok_or_else(|| format!("{place}: {}", unknown(&name)))?;
        let value = value::from_file(value.get_ref())
            .ok_or_else(|| format!("{place}: {name}: no such kind of value"))?;
        (SETTINGS[at].set)(&mut read.settings, &value).map_err(|why| format!("{place}: {name}: {why}"))?;
        read.origins[at] = Origin::File;
    }
    Ok(())
}

fn is_section(name: &str) -> bool {
    SETTINGS.iter().filter_map(|setting| setting.key.rsplit_once('.')).any(|(section, _)| section == name)
}

/// `line 3, column 1`
fn place(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

fn unknown(name: &str) -> String {
    let like = SETTINGS.iter().map(|setting| setting.key).find(|key| {
        let (key, name) = (key.replace('_', ""), name.replace(['_', '-'], ""));
        key.eq_ignore_ascii_case(&name) || key.starts_with(&name) || name.starts_with(&key)
    });
    match like {
        Some(like) => format!("unknown setting '{name}'; did you mean '{like}'?"),
        None => format!("unknown setting '{name}'; 'cutshort config' lists all"),
    }
}

/// All settings as a file: what each does, its default, and what it is now.
pub(crate) fn write(read: &Read) -> String {
    let defaults = Settings::default();
    let mut text = String::from(
        "# Settings of 'cutshort serve' and 'cutshort agent'. The environment goes before this file, and flags before both.\n",
    );
    for (setting, origin) in SETTINGS.iter().zip(&read.origins) {
        let shown = |settings| (setting.get)(settings).map(|value| value.to_string());
        let default = shown(&defaults).unwrap_or_else(|| "none".to_owned());
        text.push('\n');
        for line in setting.about.lines() {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("# Default: {default}. Environment: {}.\n", setting.variable()));
        if let Origin::Environment(variable) = origin {
            text.push_str(&format!("# Set by {variable} now.\n"));
        }
        match shown(&read.settings) {
            Some(value) => text.push_str(&format!("{} = {value}\n", setting.key)),
            None => text.push_str(&format!("# {} =\n", setting.key)),
        }
    }
    text
}

#[cfg(test)]
mod tests;
