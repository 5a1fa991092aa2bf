//! Real QUIC clients, between network namespaces. On their own: they have timers, and what they do when these expire depends on
//! what else is running. Needs root; says so where it cannot run.
#![cfg(target_os = "linux")]
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

#[path = "../common/clients.rs"]
#[allow(dead_code)] // Shared with the tests of the API.
mod clients;
#[path = "../../../capture/tests/live/network.rs"]
#[allow(dead_code)] // Shared with the tests of the receivers.
mod network;
#[path = "../live/processes.rs"]
#[allow(dead_code)] // Shared with the other tests in namespaces.
mod processes;
mod quic;

use network::root;

const CLIENT: usize = 0;
const SERVER: usize = 2;
const CUTSHORT: &str = env!("CARGO_BIN_EXE_cutshort");
