//! `cutshort agent`: packets of this server to a collector.

use clap::Args;
use cutshort_daemon::run_agent;
use cutshort_settings::AgentFlags;

use crate::error::{Done, Error};
use crate::settings;

/// Receive packets and deliver them to a collector
///
/// Receives what firewall rules log ('cutshort rules' writes such rules) or what arrives on an interface,
/// keeps it in a spool directory of limited size, and delivers it to 'cutshort serve' or directly to ClickHouse
/// until it is acknowledged. Started as root or with the capability that receiving needs, it drops all
/// other privileges before it reads the first packet. Ctrl-C or SIGTERM shuts it down after some seconds,
/// in which it delivers what is left; the rest is delivered after the next start. Geo files are reloaded
/// within a minute after they change, and at once on SIGHUP.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Agent {
    #[command(flatten)]
    flags: AgentFlags,
}

const EXAMPLES: &str = "Settings come from flags, else from the environment (CUTSHORT_COLLECTOR and so on), else from the settings file, else they have their defaults. The token is in a file, or in CUTSHORT_TOKEN.

The password of a store is in CUTSHORT_CLICKHOUSE_PASSWORD, or in the file that CUTSHORT_CLICKHOUSE_PASSWORD_FILE names.

Examples:
  cutshort rules apply --rate 1000 --ports 80,443
  cutshort agent --capture nflog:5 --collector https://collector.example.org --token-file /etc/cutshort/token --spool /var/lib/cutshort-agent --user cutshort";

pub(crate) fn run(arguments: Agent) -> Result<Done, Error> {
    run_agent(&settings::checked(arguments.flags.settings())?)?;
    Ok(Done::Whole)
}
