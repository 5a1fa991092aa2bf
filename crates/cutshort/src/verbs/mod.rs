//! The verbs of the command line. Each file has a verb's arguments and what it does.

pub(crate) mod address;
#[cfg(target_os = "linux")]
pub(crate) mod agent;
pub(crate) mod alerts;
pub(crate) mod annotate;
pub(crate) mod classify;
pub(crate) mod clickhouse;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod corroborate;
pub(crate) mod demo;
pub(crate) mod detect;
#[cfg(target_os = "linux")]
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod geo;
pub(crate) mod import;
pub(crate) mod query;
pub(crate) mod recompute;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod store;
pub(crate) mod token;
