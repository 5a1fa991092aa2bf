//! Gives up what a process no longer needs once everything is open. From then on it can do little more than read its
//! sockets and write its results, whatever a packet might make it do.
//!
//! A caller writes down its [`Needs`], and [`enter`] gives up the rest: the user, capabilities, access to files, and
//! system calls. [`Kept`] says in words what is left. On systems other than Linux nothing is given up.

mod error;
mod needs;

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere/mod.rs"]
mod system;

pub use error::Error;
pub use needs::{Capability, Needs};
pub use system::{Kept, User, become_user, enter, hide_new_files, raise_open_files};

#[cfg(target_os = "linux")]
pub use system::supports_landlock;
