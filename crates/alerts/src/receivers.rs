//! Receivers as they are opened.

use std::path::PathBuf;
use std::time::SystemTime;

use cutshort_geo::Geo;
use cutshort_model::nanoseconds;
use cutshort_sandbox::Needs;

use crate::command::Runner;
use crate::config::{Filter, Receiver, Target};
use crate::email::Email;
use crate::http::{Alertmanager, Webhook};
use crate::message::Message;
use crate::sender::{Failure, Sender};

/// What this program is, for what runs beside it.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its file, which runs commands when it is called with `alerts run-commands`.
    pub program: PathBuf,
    /// The user that commands run as; that of this process if none is given.
    pub user: Option<String>,
    /// The address under which people open the page, without `/` at its end, for links to events.
    pub page: Option<String>,
}

/// Receivers with their secrets and certificates.
#[derive(Default)]
pub struct Receivers {
    pub(crate) all: Vec<Open>,
    needs: Needs,
    pub(crate) page: Option<String>,
}

/// A receiver that can be sent to.
pub(crate) struct Open {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) filter: Filter,
    pub(crate) sender: Box<dyn Sender>,
}

/// The result of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// The receiver's name.
    pub name: String,
    /// How it is reached: `webhook`, `alertmanager`, `command`, `email`.
    pub kind: &'static str,
    /// Why it did not accept the test, in words.
    pub failed: Option<String>,
}

impl Receivers {
    /// Reads secrets and certificates, and starts the processes that run commands. Does not connect.
    ///
    /// # Errors
    /// A text that names the receiver and says what is wrong.
    pub fn open(receivers: &[Receiver], host: &Host) -> Result<Self, String> {
        let mut needs = Needs::default();
        let open = |receiver: &Receiver| {
            let opened = open_sender(&receiver.target, host);
            let (sender, own) = opened.map_err(|why| format!("receiver '{}': {why}", receiver.name))?;
            needs.add(&own);
            let (name, kind, filter) =
                (receiver.name.clone(), receiver.target.kind(), receiver.filter.clone());
            Ok(Open { name, kind, filter, sender })
        };
        let all = receivers.iter().map(open).collect::<Result<_, String>>()?;
        Ok(Self { all, needs, page: host.page.clone() })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What a sandbox must leave for them.
    #[must_use]
    pub const fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Sends a test to each receiver, and says how it went.
    pub fn test(&mut self, geo: &Geo) -> Vec<Tested> {
        let test = |open: &mut Open| {
            let message = Message::test(nanoseconds(SystemTime::now()), geo);
            let sent = open.sender.send(&[message]);
            let failed = sent.err().map(|failure: Failure| failure.text().to_owned());
            Tested { name: open.name.clone(), kind: open.kind, failed }
        };
        self.all.iter_mut().map(test).collect()
    }
}

fn open_sender(target: &Target, host: &Host) -> Result<(Box<dyn Sender>, Needs), String> {
    let opened: (Box<dyn Sender>, Needs) = match target {
        Target::Webhook(config) => {
            let webhook = Webhook::open(config)?;
            let needs = webhook.needs();
            (Box::new(webhook), needs)
        }
        Target::Alertmanager(config) => {
            let alertmanager = Alertmanager::open(config)?;
            let needs = alertmanager.needs();
            (Box::new(alertmanager), needs)
        }
        Target::Command(config) => {
            let runner = Runner::start(&host.program, host.user.as_deref(), config)?;
            (Box::new(runner), Needs::default())
        }
        Target::Email(config) => {
            let email = Email::open(config)?;
            let mut needs = Needs::default();
            needs.add(email.needs());
            (Box::new(email), needs)
        }
    };
    Ok(opened)
}
