//! What the program does beside counting: codes, messages, files, signals, selections.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod filters;
mod future;
mod inputs;
mod notes;
mod origin;
mod outputs;
mod rules;
#[cfg(unix)]
#[cfg(target_os = "linux")]
mod signals;
mod simulated;
mod unread;
