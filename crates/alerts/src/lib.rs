//! Tells receivers what happens to events that raise an alarm.
//!
//! Changes of events are stored with an [`Alert`](cutshort_store::Alert) each, in one transaction. [`Receivers`] are opened as they
//! are configured, before privileges are given up. [`Alerts`] then delivers to each of them in a thread of its own, in
//! order, at least once: an alert is done with when its receiver has accepted it, when the receiver refuses it, or when it
//! is too old. Each has a key that stays the same, by which a receiver recognises a repetition.

mod command;
mod config;
mod counts;
mod deliver;
mod http;
mod message;
mod receivers;
mod runner;
mod sender;

pub use config::{Command, Endpoint, Filter, Receiver, Secret, Target, Webhook, check_name};
pub use deliver::Alerts;
pub use http::check_url;
pub use receivers::{Host, Receivers, Tested};
pub use runner::run_commands;
