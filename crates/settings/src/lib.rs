//! The settings of `cutshort serve` and `cutshort agent`: reading them from a file and the environment, and writing them.
//! `table.rs` defines them.
//!
//! [`read()`] gives [`Settings`], a struct of structs, one for each part of the program. [`write()`] shows all of them as a file
//! that can be read again. Methods of [`Settings`] translate them into what the crates are configured with. [`values`] reads single ones, as the command line has them, too.

#[cfg(target_os = "linux")]
mod agent;
mod alerts;
#[cfg(target_os = "linux")]
mod delivery;
#[cfg(target_os = "linux")]
mod doctor;
mod flags;
mod kind;
mod length;
mod log_format;
mod secrets;
mod server;
mod stores;
mod table;
pub mod values;

use std::fmt;
use std::path::Path;

use toml::de::{DeTable, DeValue};

#[cfg(target_os = "linux")]
use agent::store_server;
pub use flags::{AgentFlags, DoctorFlags, ServeFlags, SettingsFile};
pub use length::length;
pub use log_format::LogFormat;
use secrets::SECRETS;
pub use secrets::{password_file, with_password};
pub use stores::{store_address, store_warning};
pub use table::{
    AlertSettings, CaptureSettings, DeliverySettings, HttpSettings, JobSettings, KeepSettings, LogSettings,
    PrivacySettings, Settings, StoreSettings,
};
use table::{SETTINGS, Setting};

/// Where a setting was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it has its default.
    Default,
    /// In the settings file.
    File,
    /// In the environment, by this variable.
    Environment(String),
}

/// Settings, and where each was set.
pub struct Read {
    /// The value of every setting.
    pub settings: Settings,
    /// Where each setting was set, in the order in which [`write()`] shows them.
    pub origins: Vec<Origin>,
}

/// What is wrong with settings, with the place, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl Setting {
    /// Its name in the environment.
    fn variable(&self) -> String {
        in_environment(self.key)
    }

    /// Its names in the environment: the present one first.
    fn variables(&self) -> impl Iterator<Item = String> {
        std::iter::once(self.key).chain(self.former).map(in_environment)
    }

    /// Whether it has this name in a file.
    fn is_called(&self, name: &str) -> bool {
        self.key == name || self.former == Some(name)
    }
}

fn in_environment(key: &str) -> String {
    format!("CUTSHORT_{}", key.to_ascii_uppercase().replace('.', "_"))
}

/// Describes the environment variables of this process that are named like settings, but are none. They are ignored:
/// other programs set variables, too.
#[must_use]
pub fn unknown_variables() -> Vec<String> {
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    variables.filter_map(|name| Some(format!("{name} is ignored: {}", mistaken(&name)?))).collect()
}

/// Reads a settings file, if one is named, and then the environment of this process, which takes precedence.
///
/// # Errors
/// A [`SettingsError`] if the file cannot be read, or a value or name in it is wrong, or a value of the environment is.
pub fn read(file: Option<&Path>) -> Result<Read, SettingsError> {
    read_from(file, |name| std::env::var(name).ok())
}

/// Why a variable that is named like a setting is none.
fn mistaken(variable: &str) -> Option<String> {
    let key = variable.strip_prefix("CUTSHORT_")?;
    let is_known = SECRETS.contains(&key)
        || SETTINGS.iter().any(|setting| setting.variables().any(|known| known == variable));
    (!is_known).then(|| unknown(&key.to_ascii_lowercase()))
}

/// Reads the file, if there is one, and then an environment, which takes precedence.
fn read_from(
    file: Option<&Path>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Read, SettingsError> {
    let mut read = Read { settings: Settings::default(), origins: vec![Origin::Default; SETTINGS.len()] };
    if let Some(path) = file {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| SettingsError(format!("{}: {error}", path.display())))?;
        from_file(&mut read, &text).map_err(|error| SettingsError(format!("{}: {error}", path.display())))?;
    }
    for (setting, origin) in SETTINGS.iter().zip(&mut read.origins) {
        let mut variables = setting.variables();
        let found = variables.find_map(|variable| environment(&variable).map(|text| (variable, text)));
        let Some((variable, text)) = found else { continue };
        (setting.set)(&mut read.settings, &kind::from_text(&text))
            .map_err(|why| SettingsError(format!("{variable}={text}: {why}")))?;
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
        let at = SETTINGS.iter().position(|setting| setting.is_called(&name));
        let at = at.ok_or_else(|| format!("{place}: {}", unknown(&name)))?;
        let value = kind::from_file(value.get_ref())
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

/// Writes all settings as a file, with the description, default and value of each.
#[must_use]
pub fn write(read: &Read) -> String {
    let defaults = Settings::default();
    let mut text = String::from(
        "# Settings of 'cutshort serve' and 'cutshort agent'. The environment goes before this file, and flags before both.\n",
    );
    for (setting, origin) in SETTINGS.iter().zip(&read.origins) {
        let shown = |settings| (setting.get)(settings).map(|value| value.to_string());
        let default = shown(&defaults).unwrap_or_else(|| "none".to_owned());
        text.push('\n');
        for line in setting.about {
            text.push_str(&format!("#{line}\n"));
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
