//! `cutshort doctor`: why nothing is seen.

use clap::{Args, ColorChoice, ValueEnum};
use cutshort_doctor::Status;
use cutshort_settings::DoctorFlags;

use crate::error::{Done, Error};
use crate::settings;
use crate::terminal;

/// Diagnose why no connections arrive, and suggest fixes
///
/// Looks at the kernel, the rules, who receives, what waits, the collector and its token, clocks, geographic
/// data and disks, for the agent or the server that has the same settings. It changes nothing. As root it
/// sees more. Ends with 0 if nothing is failing, else with 1.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Doctor {
    #[command(flatten)]
    flags: DoctorFlags,
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

pub(crate) fn run(arguments: Doctor, color: ColorChoice) -> Result<Done, Error> {
    let (settings, serves) = settings::checked(arguments.flags.settings())?;
    let checks = cutshort_doctor::checks(&cutshort_doctor::look(&settings.subject(serves)));
    terminal::print(color, |text| match arguments.format {
        Format::Table => Ok(cutshort_doctor::table(&checks, terminal::width(), text)?),
        Format::Json => Ok(cutshort_doctor::json(&checks, text)?),
    })?;
    let is_failing = checks.iter().any(|check| check.status == Status::Failing);
    Ok(if is_failing { Done::InPart } else { Done::Whole })
}
