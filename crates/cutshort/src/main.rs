//! Which of your TCP connections are cut short: where, when and how.

#[cfg(target_os = "linux")]
mod agent;
mod annotate;
mod arguments;
#[cfg(target_os = "linux")]
mod capture;
mod classify;
mod clickhouse;
mod completions;
mod config;
#[cfg(target_os = "linux")]
mod deliver;
mod demo;
#[cfg(target_os = "linux")]
mod doctor;
mod error;
mod explain_connection;
mod export;
mod forget;
mod geo;
mod import;
mod live;
#[cfg(target_os = "linux")]
mod local_capture;
#[cfg(not(target_os = "linux"))]
#[path = "local_capture_stub.rs"]
mod local_capture;
mod output;
mod privacy;
mod progress;
mod query;
mod recompute;
mod rules;
#[cfg(target_os = "linux")]
mod sandbox;
mod serve;
mod settings;
#[cfg(unix)]
mod signals;
#[cfg(not(unix))]
#[path = "signals_elsewhere.rs"]
mod signals;
mod simulate;
mod store;
mod store_copy;
mod terminal;
mod terms;
mod time_argument;
mod token;
mod upkeep;
#[cfg(target_os = "linux")]
mod user;

use std::process::ExitCode;

fn main() -> ExitCode {
    terminal::exit_code(arguments::run())
}
