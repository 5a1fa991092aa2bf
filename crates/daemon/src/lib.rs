//! The two services, from their settings on: the [agent](run_agent), and the [server](Server).
//!
//! Both open what needs privileges, give them up, start what runs side by side, and end it in order when they are asked to.

#[cfg(target_os = "linux")]
mod agent;
#[cfg(target_os = "linux")]
mod capture;
mod error;
#[cfg(target_os = "linux")]
mod local_capture;
#[cfg(not(target_os = "linux"))]
#[path = "local_capture_elsewhere.rs"]
mod local_capture;
mod log;
mod server;

#[cfg(target_os = "linux")]
pub use agent::run_agent;
pub use error::DaemonError;
pub use local_capture::{LocalCapture, open_local_capture};
pub use log::start_log;
pub use server::{Server, listen};
