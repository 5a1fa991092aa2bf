//! `cutshort alerts`: receivers of alarms.

use clap::{Args, ColorChoice, Subcommand};
use cutshort_alerts::{Host, Receiver, Receivers, Tested};
use cutshort_geo::Geo;
use cutshort_report::table::Table;
use cutshort_settings::SettingsFile;

use crate::error::{Done, Error};
use crate::settings::{self, Settings};
use crate::terminal::{self, message};

/// Test the receivers of alarms
///
/// 'cutshort serve' tells receivers of events that raise an alarm. The settings name them (alerts.receivers).
#[derive(Subcommand)]
pub(crate) enum Alerts {
    /// Send a test to each receiver, or to one, and say whether it was accepted
    Test(Test),
    /// Run a command for each line of the input, for 'cutshort serve'
    #[command(hide = true)]
    RunCommands,
}

#[derive(Args)]
#[command(
    after_long_help = "The test is marked as one and is no event; filters of receivers do not apply. Exit codes: 0 all accepted it, 1 some did not, 2 usage."
)]
pub(crate) struct Test {
    /// Name of the receiver; all if none is given
    receiver: Option<String>,
    #[command(flatten)]
    file: SettingsFile,
}

pub(crate) fn run(alerts: &Alerts, color: ColorChoice) -> Result<Done, Error> {
    match alerts {
        Alerts::Test(arguments) => test(arguments, color),
        Alerts::RunCommands => {
            cutshort_alerts::run_commands(std::io::stdin().lock(), std::io::stdout().lock())?;
            Ok(Done::Whole)
        }
    }
}

fn test(arguments: &Test, color: ColorChoice) -> Result<Done, Error> {
    let mut settings = settings::checked(arguments.file.read())?.settings;
    settings.alerts.receivers = chosen(settings.alerts.receivers, arguments.receiver.as_deref())?;
    let tested = open(&settings)?.test(&Geo::builtin());
    let row = |Tested { name, kind, failed }: &Tested| {
        let result = failed.as_ref().map_or_else(|| "accepted".to_owned(), |why| format!("failed: {why}"));
        vec![name.clone(), (*kind).to_owned(), result]
    };
    let table = Table::of_texts(&["receiver", "kind", "result"], tested.iter().map(row).collect());
    terminal::print(color, |text| Ok(table.write(terminal::widths().tables, text)?))?;
    Ok(Done::Whole.and(tested.iter().all(|one| one.failed.is_none())))
}

/// The receivers that are asked for.
fn chosen(receivers: Vec<Receiver>, name: Option<&str>) -> Result<Vec<Receiver>, Error> {
    if receivers.is_empty() {
        return Err(Error::Usage(
            "there are no receivers: add [[alerts.receivers]] to the settings file, and name it with --settings".to_owned(),
        ));
    }
    let Some(name) = name else { return Ok(receivers) };
    let names: Vec<String> = receivers.iter().map(|receiver| receiver.name.clone()).collect();
    let found: Vec<Receiver> = receivers.into_iter().filter(|receiver| receiver.name == name).collect();
    if found.is_empty() {
        return Err(Error::Usage(format!("no receiver '{name}'; known: {}", names.join(", "))));
    }
    Ok(found)
}

/// Opens the receivers of the settings, which needs privileges.
pub(crate) fn open(settings: &Settings) -> Result<Receivers, Error> {
    settings.alerts.warnings().iter().for_each(message);
    let receivers = &settings.alerts.receivers;
    let program = std::env::current_exe();
    let program = program.map_err(|error| Error::Failed(format!("this program's file: {error}")))?;
    let host = Host { program, user: settings.capture.user.clone(), page: settings.http.public_url.clone() };
    Receivers::open(receivers, &host).map_err(|why| Error::Usage(format!("alerts.receivers: {why}")))
}
