//! What the API answers, without a network and over a store in memory.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod access;
mod client;
mod coverage;
mod dashboard;
mod data_sets;
mod entities;
mod events;
mod geo;
mod keeping;
mod long;
mod memory;
mod operation;
mod outside;
mod own;
mod patterns;
mod radar;
mod rankings;
mod sockets;
mod strict;
mod watched;
mod writing;
