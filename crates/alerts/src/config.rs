//! What receivers are configured with.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use cutshort_api::answer::home;
use cutshort_detect::{Channel, Event, SeriesPlace, Severity};
use cutshort_geo::Geo;
use cutshort_report::events::country;
use cutshort_verdict::DataSet;

/// A receiver of alarms: which events it is sent, and how it is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// Its name, under which it is remembered what it was told.
    pub name: String,
    /// The events that it is told of.
    pub filter: Filter,
    /// How it is reached.
    pub target: Target,
}

/// Checks the name of a receiver.
///
/// # Errors
/// What a name may have.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match name {
        "" => Err("a receiver needs a name".to_owned()),
        name if name.len() <= 64 && name.chars().all(is_plain) => Ok(()),
        name => Err(format!(
            "'{name}': use up to 64 letters, digits, '-', '_' and '.' for the name of a receiver"
        )),
    }
}

/// How a receiver is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A POST request with JSON for each alert.
    Webhook(Webhook),
    /// Prometheus Alertmanager.
    Alertmanager(Endpoint),
    /// A program that is run for each alert.
    Command(Command),
    /// Mail, which collects alerts for some time.
    Email(Email),
}

impl Target {
    /// The name in settings: `webhook`, `alertmanager`, `command`, `email`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Alertmanager(_) => "alertmanager",
            Self::Command(_) => "command",
            Self::Email(_) => "email",
        }
    }
}

/// A server that gets requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Its address: `https://` or `http://`, without user and password.
    pub url: String,
    /// Trusted certificates (PEM), instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The value of the header `Authorization`.
    pub authorization: Option<Secret>,
    /// The time limit of a request.
    pub timeout: Duration,
}

impl Endpoint {
    /// The host, and whether it is reached over an encrypted connection.
    #[must_use]
    pub fn host(&self) -> (String, bool) {
        let (host, _, is_encrypted) = cutshort_client::peer(&self.url.parse().unwrap_or_default());
        (host, is_encrypted)
    }
}

/// A server that gets a request for each alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// The server.
    pub endpoint: Endpoint,
    /// The key of signatures.
    pub secret: Option<Secret>,
}

/// A program.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The program and its arguments; no shell is involved.
    pub argv: Vec<String>,
    /// How long it may run.
    pub timeout: Duration,
}

/// Mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// The host of the mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// Trusted certificates (PEM), instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The user and password for the mail server.
    pub login: Option<(String, Secret)>,
    /// The sender's address.
    pub from: String,
    /// The addresses of those who get it.
    pub to: Vec<String>,
    /// The shortest time between two mails.
    pub every: Duration,
    /// The time limit of a delivery.
    pub timeout: Duration,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the beginning (port 465).
    Tls,
    /// After STARTTLS, which the server must offer (port 587).
    StartTls,
    /// Not at all (port 25).
    None,
}

impl Encryption {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tls, Self::StartTls, Self::None];

    /// The name in settings: `tls`, `starttls`, `none`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }

    /// The usual port.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// A secret, or the file that contains it, which is read at the start.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The secret itself.
    Text(String),
    /// The file.
    File(PathBuf),
}

impl Secret {
    /// The secret, without white space around it.
    ///
    /// # Errors
    /// The file cannot be read, or there is nothing in it.
    pub fn read(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => {
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
                match text.trim() {
                    "" => Err(format!("{}: there is no secret in it", path.display())),
                    text => Ok(text.to_owned()),
                }
            }
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Secret"),
            Self::File(path) => write!(f, "Secret({})", path.display()),
        }
    }
}

/// Which events a receiver is told of: those that meet all conditions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Those of these places, and of networks that have most of their addresses in one of these countries; of all if empty.
    pub places: Vec<SeriesPlace>,
    /// Those of these data sets; of all if empty.
    pub data_sets: Vec<DataSet>,
    /// Those of these channels; of all if empty.
    pub channels: Vec<Channel>,
    /// Those of this severity or a greater one.
    pub severity: Option<Severity>,
}

impl Filter {
    /// Whether an event meets all conditions.
    #[must_use]
    pub fn wants(&self, event: &Event, data_set: DataSet, geo: &Geo) -> bool {
        self.wants_place(&event.place, geo)
            && (self.data_sets.is_empty() || self.data_sets.contains(&data_set))
            && (self.channels.is_empty() || self.channels.contains(&event.channel))
            && self.severity.is_none_or(|least| event.severity >= least)
    }

    fn wants_place(&self, place: &SeriesPlace, geo: &Geo) -> bool {
        let is_home = |number: u32| {
            let home = home(number, geo);
            let is_it = |wanted: &SeriesPlace| match wanted {
                SeriesPlace::Country(code) => home.is_some() && country(*code) == home,
                _ => false,
            };
            self.places.iter().any(is_it)
        };
        self.places.is_empty()
            || self.places.contains(place)
            || matches!(place, SeriesPlace::Network(number) if is_home(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::test_event;

    #[test]
    fn conditions_are_met_together() {
        let geo = Geo::builtin();
        let event = |place: &str, severity| Event {
            place: place.parse().unwrap(),
            severity,
            ..test_event(1_000_000)
        };
        let wants =
            |filter: &Filter, place: &str| filter.wants(&event(place, Severity::Major), DataSet::Tcp, &geo);
        let all = Filter::default();
        assert!(wants(&all, "world") && wants(&all, "as:203214") && wants(&all, "node:a"));
        let iraq = Filter { places: vec!["country:IQ".parse().unwrap()], ..Filter::default() };
        assert!(wants(&iraq, "country:IQ") && wants(&iraq, "as:203214"), "and its networks");
        assert!(!wants(&iraq, "world") && !wants(&iraq, "as:7922") && !wants(&iraq, "node:IQ"));
        let one = Filter { places: vec!["as:7922".parse().unwrap()], ..Filter::default() };
        assert!(wants(&one, "as:7922") && !wants(&one, "country:US"));
        let server = Filter { places: vec!["server:api".parse().unwrap()], ..Filter::default() };
        assert!(wants(&server, "server:api") && !wants(&server, "server:192.0.2.1:443"));
        let severe = Filter { severity: Some(Severity::Severe), ..Filter::default() };
        assert!(!wants(&severe, "world"));
        assert!(severe.wants(&event("world", Severity::Severe), DataSet::Tcp, &geo));
        let other = Filter { data_sets: vec![DataSet::Origin], ..Filter::default() };
        assert!(!wants(&other, "world"));
        let shares = Filter { channels: vec![Channel::PostPsh], ..Filter::default() };
        assert!(!wants(&shares, "world"));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", Secret::Text("hush".to_owned())), "Secret");
    }

    #[test]
    fn names_are_plain() {
        assert!(check_name("on-call_1.b").is_ok());
        for wrong in ["", "a b", "a\"b", "é"] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }
}
