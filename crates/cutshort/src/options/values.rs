//! Texts of the command line as values, with errors that say what to write.

use ipnet::IpNet;
use jiff::SignedDuration;

pub(crate) fn net(text: &str) -> Result<IpNet, String> {
    cutshort_report::parse_net(text)
}

pub(crate) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write port numbers, 0 to 65535, separated by commas".to_owned())
}

pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    let duration: SignedDuration =
        text.parse().map_err(|_| "write a time with its unit, such as 10s, 15m or 1h".to_owned())?;
    if duration.is_negative() { Err("a time cannot be negative".to_owned()) } else { Ok(duration) }
}
