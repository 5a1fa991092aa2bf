use ipnet::IpNet;

/// Parses a network, or a single address as a network.
///
/// # Errors
/// A text that says so, with an example, if it is neither.
pub fn parse_net(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| address())
        .map_err(|_| format!("'{text}' is not a network, such as 198.51.100.0/24 or 2001:db8::/32"))
}
