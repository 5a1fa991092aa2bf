//! Mail, which collects alerts for some time.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use cutshort_client::{CERTIFICATES, reaching, trusted_certificates};
use cutshort_sandbox::Needs;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message as Mail, SmtpTransport, Transport};

use crate::config::{Email as Config, Encryption};
use crate::message::Message;
use crate::sender::{Failure, Sender};

/// How many alerts a mail may have.
const MOST: usize = 500;

pub(crate) struct Email {
    transport: SmtpTransport,
    /// Host and port of the mail server.
    shown: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    every: Duration,
    needs: Needs,
}

/// Checks an address.
///
/// # Errors
/// What an address looks like.
pub fn check_mailbox(address: &str) -> Result<(), String> {
    mailbox(address).map(|_| ())
}

fn mailbox(address: &str) -> Result<Mailbox, String> {
    address.parse().map_err(|_| format!("'{address}': write an address such as noc@example.org"))
}

impl Email {
    /// Reads certificates and the password. Does not connect.
    pub(crate) fn open(config: &Config) -> Result<Self, String> {
        let Config { host, port, encryption, .. } = config;
        let tls = match encryption {
            Encryption::Tls => Tls::Wrapper(tls(config)?),
            Encryption::StartTls => Tls::Required(tls(config)?),
            Encryption::None => Tls::None,
        };
        let mut builder = SmtpTransport::builder_dangerous(host.as_str()).port(*port).tls(tls);
        builder = builder.timeout(Some(config.timeout));
        if let Some((user, password)) = &config.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.read()?));
        }
        let mut needs = reaching(host, *port, None);
        if *encryption != Encryption::None {
            needs.read.extend(CERTIFICATES.map(PathBuf::from));
        }
        let to = config.to.iter().map(|address| mailbox(address)).collect::<Result<_, _>>()?;
        let (transport, shown) = (builder.build(), format!("{host}:{port}"));
        Ok(Self { transport, shown, from: mailbox(&config.from)?, to, every: config.every, needs })
    }

    pub(crate) fn needs(&self) -> &Needs {
        &self.needs
    }

    fn mail(&self, messages: &[Message]) -> Result<Mail, lettre::error::Error> {
        let mut mail =
            Mail::builder().from(self.from.clone()).date(SystemTime::now()).subject(subject(messages));
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        if let ([first, ..], [.., last]) = (messages, messages) {
            // The same if it is sent again.
            mail = mail.message_id(Some(format!("<{}.{}.{}@cutshort>", first.key, last.key, messages.len())));
        }
        mail.header(ContentType::TEXT_PLAIN).body(text(messages))
    }
}

/// Encryption with trust in the certificates that are named, or in the system's.
fn tls(config: &Config) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(config.host.clone()).certificate_store(CertificateStore::None);
    for certificate in trusted_certificates(config.ca_file.as_deref())? {
        builder =
            builder.add_root_certificate(Certificate::from_der(certificate).map_err(|why| why.to_string())?);
    }
    builder.build().map_err(|error| error.to_string())
}

fn subject(messages: &[Message]) -> String {
    match messages {
        [one] if one.kind.is_none() => format!("[cutshort] {}", one.summary),
        [one] => format!("[cutshort] {}: {}", one.change(), one.summary),
        many => format!("[cutshort] {} changes of events", many.len()),
    }
}

fn text(messages: &[Message]) -> String {
    let paragraph = |message: &Message| {
        let (change, event) = (message.change(), &message.event);
        let (place, channel, id) = (&event.place, event.channel, event.id);
        let data_set = message.data_set.name();
        let url = message.url.as_ref().map(|url| format!("{url}\n")).unwrap_or_default();
        format!(
            "{change}: {}\nevent {id}, {place}, {channel}, data set {data_set}\n{url}",
            message.description
        )
    };
    messages.iter().map(paragraph).collect::<Vec<_>>().join("\n")
}

impl Sender for Email {
    fn send(&mut self, messages: &[Message]) -> Result<(), Failure> {
        let mail =
            self.mail(messages).map_err(|error| Failure::Refused(format!("no mail can be made: {error}")))?;
        let sent = self.transport.send(&mail);
        sent.map(|_| ()).map_err(|error| Failure::Later(format!("{}: {}", self.shown, reason(&error))))
    }

    fn most(&self) -> usize {
        MOST
    }

    fn every(&self) -> Option<Duration> {
        Some(self.every)
    }
}

/// The error with its causes.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use cutshort_geo::Geo;
    use cutshort_store::{Alert, AlertKind};
    use cutshort_verdict::DataSet;

    use super::*;
    use crate::message::test_event;

    #[test]
    fn a_mail_lists_what_happened() {
        let geo = Geo::builtin();
        let message = |kind| {
            let alert = Alert { kind, event: test_event(1_000_000), at: 0 };
            Message::new(&alert, DataSet::Tcp, &geo, Some("https://c.example"))
        };
        let both = [message(AlertKind::Opened), message(AlertKind::Ended)];
        assert_eq!(subject(&both), "[cutshort] 2 changes of events");
        assert_eq!(subject(&both[..1]), "[cutshort] opened: World: 0 % fewer connections than usual");
        let text = text(&both);
        let url = format!("\nhttps://c.example/?view=events&event={}\n", test_event(1_000_000).id);
        assert_eq!(text.matches(&url).count(), 2, "{text}");
        assert!(text.contains("opened: Began at") && text.contains("\n\nended: "), "{text}");
        assert!(subject(&[Message::test(0, &geo)]).starts_with("[cutshort] TEST"));
    }
}
