//! Texts of the command line as values, with errors that say what to write.

use ipnet::IpNet;
use jiff::SignedDuration;

use super::time::length;

pub(crate) fn net(text: &str) -> Result<IpNet, String> {
    cutshort_report::parse_net(text)
}

pub(crate) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write port numbers, 0 to 65535, separated by commas".to_owned())
}

pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    length(text).ok_or_else(|| "write a length of time with its unit, such as 10s, 15m, 36h or 3d".to_owned())
}
