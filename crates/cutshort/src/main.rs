//! Which of your TCP connections are cut short: where, when and how.

mod annotate;
mod arguments;
mod classify;
mod config;
mod demo;
mod documents;
mod error;
mod explain_connection;
mod export;
#[cfg(target_os = "linux")]
mod fence;
mod geo;
mod import;
mod live;
mod moment;
mod output;
mod privacy;
mod progress;
mod query;
mod recompute;
mod rules;
mod serve;
mod settings;
mod simulate;
mod store;
mod terminal;
mod terms;
mod token;

use std::process::ExitCode;

fn main() -> ExitCode {
    terminal::exit_code(arguments::run())
}
