//! The settings of `cutshort serve` and `cutshort agent`: reading them from a file and the environment, and writing them.
//! [`table`] defines them.

mod kind;
mod log_format;
mod table;

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::error::Error;
use crate::terminal::message;
pub(crate) use log_format::LogFormat;
#[cfg(test)]
pub(crate) use table::DeliverySettings;
pub(crate) use table::{HttpSettings, Settings};
use table::{SETTINGS, Setting};

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
        (setting.set)(&mut read.settings, &kind::from_text(&text))
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
