//! What the program does beside counting: codes, messages, files, signals, selections.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

// How frames are built is written once, for the tests of the parser.
#[path = "../../../packet/tests/quic/builder.rs"]
#[allow(dead_code)]
mod builder;
#[path = "../../../packet/tests/parse/bytes.rs"]
#[allow(dead_code)]
mod bytes;
#[path = "../common/mod.rs"]
mod common;
#[path = "../../../packet/tests/parse/wraps.rs"]
#[allow(dead_code)]
mod wraps;

mod filters;
mod future;
mod inputs;
mod notes;
mod origin;
mod outputs;
mod quic;
mod rules;
#[cfg(unix)]
#[cfg(target_os = "linux")]
mod signals;
mod simulated;
mod tunnels;
mod unread;
