//! Which of your TCP connections are cut short: where, when and how.

#[cfg(target_os = "linux")]
mod agent;
mod annotate;
mod arguments;
#[cfg(target_os = "linux")]
mod beside;
#[cfg(not(target_os = "linux"))]
#[path = "beside_elsewhere.rs"]
mod beside;
#[cfg(target_os = "linux")]
mod capture;
mod classify;
mod clickhouse;
mod config;
mod copy;
#[cfg(target_os = "linux")]
mod deliver;
mod demo;
#[cfg(target_os = "linux")]
mod doctor;
mod documents;
mod error;
mod explain_connection;
mod export;
#[cfg(target_os = "linux")]
mod fence;
mod forget;
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
#[cfg(unix)]
mod signals;
#[cfg(not(unix))]
#[path = "signals_elsewhere.rs"]
mod signals;
mod simulate;
mod store;
mod terminal;
mod terms;
mod token;
mod upkeep;
#[cfg(target_os = "linux")]
mod user;

use std::process::ExitCode;

fn main() -> ExitCode {
    terminal::exit_code(arguments::run())
}
