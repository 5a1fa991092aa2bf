//! Which of your TCP connections are cut short: where, when and how.

mod backends;
mod error;
mod options;
mod settings;
mod stopping;
mod terminal;
mod verbs;
mod version;
mod windows;

use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory, Parser, Subcommand};

use error::{Done, Error};
use verbs::*;

/// Which of your TCP connections are cut short: where, when and how.
///
/// cutshort rebuilds connections from the packets that clients send, and counts where each one ended
/// (after the SYN, after the handshake, after the first message, later) and how (reset or silence,
/// one RST or several). It reports what was seen, never who did it or why.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 fine, 1 some input could not be read in full (the rest is still used), 2 usage."
)]
struct Cutshort {
    #[command(subcommand)]
    verb: Verb,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto, display_order = 999)]
    color: ColorChoice,
}

#[derive(Subcommand)]
enum Verb {
    Classify(classify::Classify),
    Import(import::Import),
    Serve(serve::Serve),
    #[cfg(target_os = "linux")]
    Agent(agent::Agent),
    #[cfg(target_os = "linux")]
    Doctor(doctor::Doctor),
    Query(query::Query),
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    #[command(subcommand)]
    Annotate(annotate::Annotate),
    #[command(subcommand)]
    Corroborate(corroborate::Corroborate),
    #[command(subcommand)]
    Token(token::Tokens),
    Config(config::Config),
    Recompute(recompute::Recompute),
    Export(export::Export),
    Demo(demo::Demo),
    #[command(subcommand)]
    Store(store::Stores),
    #[command(subcommand)]
    Clickhouse(clickhouse::Tables),
    Explain(explain::Explain),
    Detect(detect::Detect),
    #[command(subcommand)]
    Geo(geo::Lookups),
    #[command(subcommand)]
    Address(address::Address),
    Rules(rules::RulesOf),
    Simulate(simulate::Simulate),
    Completions(completions::Completions),
    Man(completions::Man),
}

impl Verb {
    /// Whether it writes files with packets, connections or tokens into a folder of its own. What others write goes where
    /// they are told to, for whoever the user wants.
    const fn keeps_packets(&self) -> bool {
        match self {
            Self::Import(_)
            | Self::Serve(_)
            | Self::Annotate(_)
            | Self::Corroborate(_)
            | Self::Token(_)
            | Self::Recompute(_)
            | Self::Demo(_)
            | Self::Store(_) => true,
            #[cfg(target_os = "linux")]
            Self::Agent(_) => true,
            _ => false,
        }
    }
}

fn main() -> ExitCode {
    terminal::exit_code(run())
}

/// Does what the command line asks for.
fn run() -> Result<Done, Error> {
    let Cutshort { verb, color } = match Cutshort::try_parse() {
        // It is asked for rarely, and geo data takes a moment to load.
        Err(error) if error.kind() == ErrorKind::DisplayVersion => {
            terminal::print(ColorChoice::Never, |text| Ok(writeln!(text, "{}", version::text())?))?;
            return Ok(Done::Whole);
        }
        parsed => parsed.unwrap_or_else(|error| error.exit()),
    };
    if verb.keeps_packets() {
        cutshort_sandbox::hide_new_files();
    }
    match verb {
        Verb::Classify(arguments) => classify::run(&arguments, color),
        Verb::Import(arguments) => import::run(&arguments, color),
        Verb::Serve(arguments) => serve::run(arguments),
        #[cfg(target_os = "linux")]
        Verb::Agent(arguments) => agent::run(arguments),
        #[cfg(target_os = "linux")]
        Verb::Doctor(arguments) => doctor::run(arguments, color),
        Verb::Query(arguments) => query::run(&arguments, color),
        Verb::Alerts(arguments) => alerts::run(&arguments, color),
        Verb::Annotate(arguments) => annotate::run(&arguments, color),
        Verb::Corroborate(arguments) => corroborate::run(&arguments, color),
        Verb::Token(arguments) => token::run(&arguments, color),
        Verb::Config(arguments) => config::run(&arguments, color),
        Verb::Recompute(arguments) => recompute::run(&arguments, color),
        Verb::Export(arguments) => export::run(&arguments),
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Store(arguments) => store::run(&arguments, color),
        Verb::Clickhouse(arguments) => clickhouse::run(&arguments, color),
        Verb::Detect(arguments) => detect::run(&arguments, color),
        Verb::Explain(arguments) => explain::run(&arguments, color),
        Verb::Geo(arguments) => geo::run(&arguments, color),
        Verb::Address(arguments) => address::run(&arguments, color),
        Verb::Rules(arguments) => rules::run(&arguments),
        Verb::Simulate(arguments) => simulate::run(&arguments),
        Verb::Completions(arguments) => completions::completions(Cutshort::command(), &arguments),
        Verb::Man(arguments) => completions::man(Cutshort::command(), &arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cutshort::command().debug_assert();
    }
}
