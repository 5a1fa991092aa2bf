//! Which of your TCP connections are cut short: where, when and how.

mod arguments;
mod classify;
mod documents;
mod error;
mod explain_connection;
#[cfg(target_os = "linux")]
mod fence;
mod geo;
mod live;
mod output;
mod progress;
mod rules;
mod simulate;
mod terminal;
mod terms;

use std::process::ExitCode;

fn main() -> ExitCode {
    terminal::exit_code(arguments::run())
}
