//! The program on a server, between network namespaces: rules, receivers, agents and collectors with real
//! packets. Needs root; says so where it cannot run.
#![cfg(target_os = "linux")]
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod again;
mod agents;
#[path = "../common/clients.rs"]
#[allow(dead_code)] // Shared with the tests of the API.
mod clients;
#[path = "../../../clickhouse/tests/server/server.rs"]
mod database;
mod doctor;
mod faults;
mod forged;
mod full;
#[path = "../../../capture/tests/live/network.rs"]
#[allow(dead_code)] // Shared with the tests of the receivers.
mod network;
mod opened;
mod processes;
mod programs;
mod protected;
mod proxies;
mod resets;
mod straight;
mod unprivileged;

use network::root;

const CLIENT: usize = 0;
const ROUTER: usize = 1;
const SERVER: usize = 2;
const CUTSHORT: &str = env!("CARGO_BIN_EXE_cutshort");
