//! Names of servers.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::parse_net;

/// A name that the operator has given to servers, written as `name=ADDRESS` or `name=NETWORK`, both with `:PORT` if it is
/// for one port; IPv6 addresses are in brackets then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerName {
    name: String,
    net: IpNet,
    /// All ports without one.
    port: Option<u16>,
}

impl FromStr for ServerName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "write name=ADDRESS, name=ADDRESS:PORT or name=NETWORK:PORT, such as api=203.0.113.5:443 or db=[2001:db8::]/64:5432".to_owned()
        };
        let (name, servers) = text.split_once('=').ok_or_else(wrong)?;
        let (net, port) = with_port(servers.trim()).ok_or_else(wrong)?;
        let name = name.trim();
        let net = parse_net(&net.replace(['[', ']'], "")).map_err(|_| wrong())?;
        if name.is_empty() || name.chars().any(char::is_control) {
            Err(wrong())
        } else {
            Ok(Self { name: name.to_owned(), net, port })
        }
    }
}

/// Splits the port off: behind the last colon, but not within an IPv6 address that is not in brackets.
fn with_port(text: &str) -> Option<(&str, Option<u16>)> {
    match text.rsplit_once(':') {
        Some((net, port)) if net.contains(']') || !net.contains(':') => Some((net, Some(port.parse().ok()?))),
        _ => Some((text, None)),
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, net, port } = self;
        match (net, port) {
            (net, None) => write!(f, "{name}={net}"),
            (IpNet::V4(net), Some(port)) => write!(f, "{name}={net}:{port}"),
            (IpNet::V6(net), Some(port)) => {
                write!(f, "{name}=[{}]/{}:{port}", net.addr(), net.prefix_len())
            }
        }
    }
}

impl ServerName {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of a server: the first that fits.
    #[must_use]
    pub fn find(names: &[Self], ip: IpAddr, port: u16) -> Option<&str> {
        names.iter().find(|name| name.holds(ip, port)).map(Self::name)
    }

    /// The first address of its network.
    #[must_use]
    pub fn first_address(&self) -> IpAddr {
        self.net.network()
    }

    fn holds(&self, ip: IpAddr, port: u16) -> bool {
        self.net.contains(&ip) && self.port.is_none_or(|own| own == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for (text, ip, port, holds) in [
            ("api=203.0.113.5:443", "203.0.113.5", 443, true),
            ("api=203.0.113.5:443", "203.0.113.5", 80, false),
            ("a b=203.0.113.0/24", "203.0.113.77", 1, true),
            ("db=203.0.113.0/24:5432", "203.0.114.77", 5432, false),
            ("db=[2001:db8::]/64:5432", "2001:db8::9", 5432, true),
            ("db=2001:db8::/64", "2001:db8::9", 1, true),
            ("db=[2001:db8::7]:5432", "2001:db8::7", 5432, true),
        ] {
            let name: ServerName = text.parse().unwrap();
            assert_eq!(name.holds(ip.parse().unwrap(), port), holds, "{text}");
            assert_eq!(name.to_string().parse::<ServerName>().unwrap(), name, "{text}");
        }
        for text in
            ["", "api", "api=", "=203.0.113.5", "api=203.0.113.5:http", "api=203.0.113.5:70000", "api=host:1"]
        {
            let why = text.parse::<ServerName>().unwrap_err();
            assert!(why.contains("such as api=203.0.113.5:443"), "{why}");
        }
    }
}
