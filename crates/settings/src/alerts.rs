//! Receivers of alarms, each a table of its own in the file.

use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use cutshort_alerts::{
    Command, Email, Encryption, Endpoint, Filter, Receiver, Secret, Target, Webhook, check_mailbox,
    check_name,
};
use cutshort_detect::{Channel, Severity};
use cutshort_verdict::DataSet;
use toml::{Table, Value};

use crate::AlertSettings;
use crate::kind::{Kind, TEXTS, read_length, text, write_length};
use crate::stores::{is_here, plain_text_warning};

/// How long a delivery may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The shortest time between two mails.
const EVERY: Duration = Duration::from_hours(1);
/// What is shown in place of a secret.
const HIDDEN: &str = "...";

/// A list of tables. In the environment it is the same text as in the file.
pub(crate) const RECEIVERS: Kind<Vec<Receiver>> = Kind {
    read: read_all,
    write: |receivers| Some(Value::Array(receivers.iter().map(|one| Value::Table(shown(one))).collect())),
};

fn read_all(value: &Value) -> Result<Vec<Receiver>, String> {
    let receivers = match value {
        Value::Array(items) => items.iter().map(receiver).collect::<Result<Vec<_>, _>>()?,
        Value::String(text) => {
            let table = format!("receivers = {text}").parse::<Table>().map_err(|_| not_a_list())?;
            return match table.get("receivers") {
                Some(list @ Value::Array(_)) => read_all(list),
                _ => Err(not_a_list()),
            };
        }
        _ => return Err(not_a_list()),
    };
    let mut names: Vec<&str> = receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("two receivers are called '{}'", pair[0])),
        None => Ok(receivers),
    }
}

impl AlertSettings {
    /// Warns of secrets that go to receivers on other machines unencrypted. Mail servers get no password then.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let warning = |receiver: &Receiver| {
            let (Target::Webhook(Webhook { endpoint, .. }) | Target::Alertmanager(endpoint)) =
                &receiver.target
            else {
                return None;
            };
            endpoint.authorization.as_ref()?;
            let (host, is_encrypted) = endpoint.host();
            let name = format!("alerts.receivers '{}': {}", receiver.name, without_path(&endpoint.url));
            plain_text_warning(&name, &host, is_encrypted, "authorization and alarms")
        };
        self.receivers.iter().filter_map(warning).collect()
    }
}

fn not_a_list() -> String {
    "write each receiver as a table [[alerts.receivers]], or as a list [{ name = \"...\", kind = \"webhook\", ... }]"
        .to_owned()
}

/// Reads a receiver; errors name it.
fn receiver(value: &Value) -> Result<Receiver, String> {
    let table = value.as_table().ok_or_else(not_a_list)?;
    let mut fields = Fields { table, known: Vec::new() };
    let name = fields.needed("name")?;
    check_name(&name)?;
    read(&mut fields, name.clone()).map_err(|why| format!("receiver '{name}': {why}"))
}

fn read(fields: &mut Fields<'_>, name: String) -> Result<Receiver, String> {
    let target = match fields.needed("kind")?.as_str() {
        "webhook" => {
            Target::Webhook(Webhook { endpoint: fields.endpoint()?, secret: fields.secret("secret")? })
        }
        "alertmanager" => Target::Alertmanager(fields.endpoint()?),
        "command" => Target::Command(fields.command()?),
        "email" => Target::Email(fields.email()?),
        other => return Err(format!("kind: '{other}' is not one of {}", KINDS.join(", "))),
    };
    let filter = fields.filter()?;
    fields.check_names()?;
    Ok(Receiver { name, filter, target })
}

const KINDS: [&str; 4] = ["webhook", "alertmanager", "command", "email"];

/// The fields of a receiver, and those of them that were looked for.
struct Fields<'a> {
    table: &'a Table,
    known: Vec<&'static str>,
}

impl Fields<'_> {
    fn find(&mut self, name: &'static str) -> Option<&Value> {
        self.known.push(name);
        self.table.get(name)
    }

    /// Reads a field, if it is there; errors name it.
    fn read<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        self.find(name).map(read).transpose().map_err(|why| format!("{name}: {why}"))
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, String> {
        self.read(name, |value| text(value).map(str::to_owned))
    }

    fn needed(&mut self, name: &'static str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| format!("a receiver needs '{name}'"))
    }

    fn path(&mut self, name: &'static str) -> Result<Option<PathBuf>, String> {
        Ok(self.text(name)?.map(PathBuf::from))
    }

    /// A secret, or the file that `NAME_file` names.
    fn secret(&mut self, name: &'static str) -> Result<Option<Secret>, String> {
        let file = match name {
            "secret" => "secret_file",
            "password" => "password_file",
            _ => "authorization_file",
        };
        match (self.text(name)?, self.path(file)?) {
            (Some(_), Some(_)) => Err(format!("set either {name} or {file}, not both")),
            (Some(text), None) if text.is_empty() || text == HIDDEN => {
                Err(format!("{name}: write the secret itself, or name its file with {file}"))
            }
            (Some(text), None) => Ok(Some(Secret::Text(text))),
            (None, file) => Ok(file.map(Secret::File)),
        }
    }

    fn timeout(&mut self) -> Result<Duration, String> {
        let timeout = self.read("timeout", read_length)?.unwrap_or(TIMEOUT);
        if timeout.is_zero() { Err("timeout: nothing is done in no time".to_owned()) } else { Ok(timeout) }
    }

    fn endpoint(&mut self) -> Result<Endpoint, String> {
        let url = self.needed("url")?;
        if url.ends_with(&format!("/{HIDDEN}")) {
            return Err("url: write the whole address: 'cutshort config' shows only its beginning".to_owned());
        }
        cutshort_alerts::check_url(&url)?;
        Ok(Endpoint {
            url,
            ca_file: self.path("ca_file")?,
            authorization: self.secret("authorization")?,
            timeout: self.timeout()?,
        })
    }

    fn command(&mut self) -> Result<Command, String> {
        let argv = self.read("command", TEXTS.read)?.unwrap_or_default();
        match argv.first() {
            None => {
                return Err(
                    "command: write the program and its arguments, such as [\"/usr/local/bin/page\"]"
                        .to_owned(),
                );
            }
            Some(program) if !program.starts_with('/') => {
                return Err(format!("command: '{program}' does not begin with '/': write the whole path"));
            }
            Some(_) => {}
        }
        Ok(Command { argv, timeout: self.timeout()? })
    }

    fn email(&mut self) -> Result<Email, String> {
        let server = self.needed("server")?;
        let encryption = self.read("encryption", |value| {
            let all = Encryption::ALL;
            named(text(value)?, &all.map(Encryption::name), |name| {
                all.into_iter().find(|one| one.name() == name)
            })
        })?;
        let encryption = encryption.unwrap_or(Encryption::StartTls);
        let (host, port) =
            host_and_port(&server, encryption.port()).map_err(|why| format!("server: {why}"))?;
        let login = match (self.text("user")?, self.secret("password")?) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            _ => return Err("set both user and password (or password_file), or none of them".to_owned()),
        };
        if login.is_some() && encryption == Encryption::None && !is_here(&host) {
            return Err(format!(
                "the password would go to {host} unencrypted: set encryption to \"starttls\" or \"tls\""
            ));
        }
        let address = |value: &Value| {
            let address = text(value)?;
            check_mailbox(address).map(|()| address.to_owned())
        };
        let from = self
            .read("from", address)?
            .ok_or("a receiver of mail needs 'from', the address of the sender")?;
        let to = self.list("to", |address| check_mailbox(address).map(|()| address.to_owned()))?;
        if to.is_empty() {
            return Err("a receiver of mail needs 'to', a list of addresses".to_owned());
        }
        let every = self.read("every", read_length)?.unwrap_or(EVERY);
        let (ca_file, timeout) = (self.path("ca_file")?, self.timeout()?);
        Ok(Email { host, port, encryption, ca_file, login, from, to, every, timeout })
    }

    fn filter(&mut self) -> Result<Filter, String> {
        Ok(Filter {
            places: self.list("places", parse)?,
            data_sets: self.list("data_sets", |name| {
                let sets = DataSet::WITH_RULES;
                named(name, &sets.map(DataSet::name), |name| sets.into_iter().find(|set| set.name() == name))
            })?,
            channels: self
                .list("channels", |name| named(name, &Channel::ALL.map(Channel::name), Channel::from_name))?,
            severity: self.read("severity", |value| {
                named(text(value)?, &Severity::ALL.map(Severity::name), Severity::from_name)
            })?,
        })
    }

    fn list<T>(
        &mut self,
        name: &'static str,
        item: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let items = self.read(name, |value| (TEXTS.read)(value)?.iter().map(|text| item(text)).collect())?;
        Ok(items.unwrap_or_default())
    }

    /// Refuses fields that nothing has looked for.
    fn check_names(&self) -> Result<(), String> {
        match self.table.keys().find(|key| !self.known.contains(&key.as_str())) {
            Some(key) => Err(format!("'{key}' is not one of {}", self.known.join(", "))),
            None => Ok(()),
        }
    }
}

/// `smtp.example.org`, `smtp.example.org:587`, `[::1]:25`, `::1`
fn host_and_port(text: &str, port: u16) -> Result<(String, u16), String> {
    let wrong = || format!("'{text}' is not a host, such as smtp.example.org or smtp.example.org:587");
    let (host, port) = match text.rsplit_once(':') {
        _ if text.parse::<IpAddr>().is_ok() => (text, port),
        Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
        None => (text, port),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if host.is_empty() || !host.chars().all(is_host) { Err(wrong()) } else { Ok((host.to_owned(), port)) }
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|why: T::Err| why.to_string())
}

fn named<T>(name: &str, names: &[&str], find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    find(name).ok_or_else(|| format!("'{name}' is not one of {}", names.join(", ")))
}

/// A receiver as it is shown: without secrets, and URLs without what may be one.
fn shown(receiver: &Receiver) -> Table {
    let mut table = Table::new();
    let mut set = |name: &str, value: Value| _ = table.insert(name.to_owned(), value);
    set("name", receiver.name.clone().into());
    set("kind", receiver.target.kind().into());
    match &receiver.target {
        Target::Webhook(webhook) => {
            show_endpoint(&webhook.endpoint, &mut set);
            show_secret("secret", webhook.secret.as_ref(), &mut set);
        }
        Target::Alertmanager(endpoint) => show_endpoint(endpoint, &mut set),
        Target::Command(command) => {
            set("command", texts(&command.argv));
            set("timeout", write_length(command.timeout));
        }
        Target::Email(email) => show_email(email, &mut set),
    }
    show_filter(&receiver.filter, &mut set);
    table
}

fn show_endpoint(endpoint: &Endpoint, set: &mut impl FnMut(&str, Value)) {
    set("url", without_path(&endpoint.url).into());
    if let Some(file) = &endpoint.ca_file {
        set("ca_file", file.display().to_string().into());
    }
    show_secret("authorization", endpoint.authorization.as_ref(), set);
    set("timeout", write_length(endpoint.timeout));
}

fn show_email(email: &Email, set: &mut impl FnMut(&str, Value)) {
    let host = if email.host.contains(':') { format!("[{}]", email.host) } else { email.host.clone() };
    set("server", format!("{host}:{}", email.port).into());
    set("encryption", email.encryption.name().into());
    if let Some(file) = &email.ca_file {
        set("ca_file", file.display().to_string().into());
    }
    if let Some((user, password)) = &email.login {
        set("user", user.as_str().into());
        show_secret("password", Some(password), set);
    }
    set("from", email.from.as_str().into());
    set("to", texts(&email.to));
    set("every", write_length(email.every));
    set("timeout", write_length(email.timeout));
}

fn show_secret(name: &str, secret: Option<&Secret>, set: &mut impl FnMut(&str, Value)) {
    match secret {
        Some(Secret::Text(_)) => set(name, HIDDEN.into()),
        Some(Secret::File(path)) => set(&format!("{name}_file"), path.display().to_string().into()),
        None => {}
    }
}

fn show_filter(filter: &Filter, set: &mut impl FnMut(&str, Value)) {
    let mut list = |name: &str, items: Vec<String>| {
        if !items.is_empty() {
            set(name, texts(&items));
        }
    };
    list("places", filter.places.iter().map(ToString::to_string).collect());
    list("data_sets", filter.data_sets.iter().map(|set| set.name().to_owned()).collect());
    list("channels", filter.channels.iter().map(|channel| channel.name().to_owned()).collect());
    if let Some(severity) = filter.severity {
        set("severity", severity.name().into());
    }
}

fn texts(items: &[String]) -> Value {
    Value::Array(items.iter().map(|item| item.as_str().into()).collect())
}

/// The address of a server, without the path, which may be a secret.
fn without_path(url: &str) -> String {
    let begin = url.find("://").map_or(0, |at| at + 3);
    match url[begin..].find(['/', '?']) {
        Some(at) if url.len() > begin + at + 1 => format!("{}/{HIDDEN}", &url[..begin + at]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<Receiver>, String> {
        (RECEIVERS.read)(&Value::String(text.to_owned()))
    }

    #[test]
    fn receivers_have_what_their_kind_needs() {
        let all = list(
            "[{ name = 'a', kind = 'webhook', url = 'https://h.example/x', secret = 'hush', places = ['country:IQ', 'as:64500'] },
              { name = 'b', kind = 'alertmanager', url = 'http://127.0.0.1:9093', severity = 'major', data_sets = ['tcp'] },
              { name = 'c', kind = 'command', command = ['/bin/page', '-q'], timeout = '30s', channels = ['traffic'] },
              { name = 'd', kind = 'email', server = 'smtp.example.org', user = 'u', password_file = '/p', from = 'a@example.org', to = 'b@example.org' }]",
        )
        .unwrap();
        assert_eq!(all.iter().map(|one| one.target.kind()).collect::<Vec<_>>(), KINDS);
        assert_eq!(all[0].filter.places.len(), 2);
        assert_eq!(
            (all[1].filter.severity, &all[1].filter.data_sets),
            (Some(Severity::Major), &vec![DataSet::Tcp])
        );
        let Target::Command(command) = &all[2].target else { panic!("{all:?}") };
        assert_eq!((command.argv.len(), command.timeout), (2, Duration::from_secs(30)));
        let Target::Email(email) = &all[3].target else { panic!("{all:?}") };
        assert_eq!((email.host.as_str(), email.port, email.every), ("smtp.example.org", 587, EVERY));
        assert!(!format!("{all:?}").contains("hush"));
    }

    #[test]
    fn mistakes_name_the_receiver_and_the_field() {
        let error = |fields: &str| list(&format!("[{{ {fields} }}]")).unwrap_err();
        assert_eq!(error("kind = 'webhook'"), "a receiver needs 'name'");
        assert!(error("name = 'a b', kind = 'webhook'").contains("'a b': use up to 64 letters"));
        assert_eq!(error("name = 'a'"), "receiver 'a': a receiver needs 'kind'");
        let kinds = "receiver 'a': kind: 'fax' is not one of webhook, alertmanager, command, email";
        assert!(error("name = 'a', kind = 'fax'").starts_with(kinds));
        assert_eq!(error("name = 'a', kind = 'webhook'"), "receiver 'a': a receiver needs 'url'");
        let of_url = |rest: &str| error(&format!("name = 'a', kind = 'webhook', url = 'https://h/', {rest}"));
        assert!(
            error("name = 'a', kind = 'webhook', url = 'h'")
                .starts_with("receiver 'a': url: write an address")
        );
        assert!(
            of_url("sevrity = 'major'").starts_with("receiver 'a': 'sevrity' is not one of name, kind, url")
        );
        assert!(of_url("severity = 'bad'").contains("severity: 'bad' is not one of minor, major, severe"));
        assert!(of_url("places = ['Iraq']").contains("places: unknown place \"Iraq\""));
        assert!(of_url("channels = ['x']").contains("channels: 'x' is not one of traffic, post_syn"));
        assert!(of_url("secret = 's', secret_file = '/s'").contains("set either secret or secret_file"));
        assert!(of_url("secret = '...'").contains("write the secret itself"));
        assert!(of_url("timeout = '0s'").contains("timeout: "));
        assert!(error("name = 'a', kind = 'command', command = ['page']").contains("write the whole path"));
        assert!(list("[{ name = 'a', kind = 'command', command = '/p' }, { name = 'a', kind = 'command', command = '/q' }]")
            .unwrap_err()
            .contains("two receivers are called 'a'"));
        let of_mail =
            |rest: &str| error(&format!("name = 'a', kind = 'email', server = 'h.example', {rest}"));
        assert!(of_mail("to = 'a@b'").contains("needs 'from'"));
        assert!(of_mail("from = 'a'").contains("from: 'a': write an address such as"));
        assert!(of_mail("from = 'a@b.example'").contains("needs 'to'"));
        assert!(of_mail("user = 'u'").contains("set both user and password"));
        assert!(of_mail("user = 'u', password = 'p', encryption = 'none'").contains("unencrypted"));
        assert!(of_mail("encryption = 'ssl'").contains("'ssl' is not one of tls, starttls, none"));
        assert!(error("name = 'a', kind = 'email', server = 'h:x'").contains("server: 'h:x' is not a host"));
        assert!(list("x").unwrap_err().contains("[[alerts.receivers]]"));
    }

    #[test]
    fn secrets_that_go_elsewhere_unencrypted_are_warned_of() {
        let warnings = |fields: &str| {
            let receivers = list(&format!("[{{ name = 'a', {fields} }}]")).unwrap();
            AlertSettings { receivers, ..AlertSettings::default() }.warnings()
        };
        let of = |url: &str| warnings(&format!("kind = 'webhook', url = '{url}', authorization = 'hush'"));
        let [warning] = &of("http://h.example/hush")[..] else { panic!("no warning") };
        assert!(
            warning.starts_with("alerts.receivers 'a': http://h.example/...: authorization"),
            "{warning}"
        );
        assert_eq!(
            of("https://h.example/").len() + of("http://127.0.0.1:9/").len() + of("http://[::1]/").len(),
            0
        );
        assert_eq!(
            warnings("kind = 'webhook', url = 'http://h.example', secret = 's'").len(),
            0,
            "it is not sent"
        );
        assert_eq!(warnings("kind = 'alertmanager', url = 'http://h.example', authorization = 'x'").len(), 1);
        assert_eq!(warnings("kind = 'command', command = '/bin/page'").len(), 0);
    }

    #[test]
    fn secrets_are_not_shown() {
        let all = list(
            "[{ name = 'a', kind = 'webhook', url = 'https://h.example/hush', secret = 'hush', authorization = 'hush' },
              { name = 'b', kind = 'webhook', url = 'http://h.example:81/', secret_file = '/s' }]",
        );
        let text = (RECEIVERS.write)(&all.unwrap()).unwrap().to_string();
        assert!(!text.contains("hush"), "{text}");
        assert!(text.contains("https://h.example/...") && text.contains("http://h.example:81/\""), "{text}");
        assert!(text.contains("secret_file = \"/s\""), "{text}");
        assert!(list(&text).unwrap_err().contains("write the"), "hidden secrets are not taken for secrets");
    }
}
