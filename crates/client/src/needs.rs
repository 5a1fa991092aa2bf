//! What requests need inside a sandbox.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cutshort_sandbox::Needs;

/// DNS uses TCP for answers that do not fit into a datagram.
const DNS: u16 = 53;
/// What is read to look up names.
const NAME_FILES: [&str; 5] = ["/etc", "/run/systemd/resolve", "/lib", "/usr/lib", "/lib64"];

/// Where the system's certificates are, and what they are links to.
pub const CERTIFICATES: [&str; 2] = ["/etc", "/usr/share/ca-certificates"];

/// Where names are looked up, the system's files must be read again whenever they change, even if they are
/// replaced; so must the file with the secret. IPv6 addresses are without brackets.
#[must_use]
pub fn reaching(host: &str, port: u16, secret: Option<&Path>) -> Needs {
    let mut needs = Needs { network: true, ports: vec![port], ..Needs::default() };
    needs.read_again(secret);
    if host.parse::<IpAddr>().is_err() {
        needs.read.extend(NAME_FILES.map(PathBuf::from));
        needs.ports.push(DNS);
    }
    needs
}
