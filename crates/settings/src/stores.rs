//! Addresses of stores, with their passwords.

use std::net::IpAddr;

use cutshort_clickhouse::Address;

use crate::{SettingsError, with_password};

/// The address of a store in ClickHouse, with its password.
///
/// # Errors
/// It is wrong, or the file with the password cannot be read.
pub fn store_address(url: &str) -> Result<Address, SettingsError> {
    let address = Address::parse(url).map_err(|error| SettingsError(error.to_string()))?;
    with_password(address).map_err(|error| SettingsError(format!("{error:#}")))
}

/// Warns that `what` can be read on its way to another machine; `None` where it is encrypted, or stays on this one.
#[must_use]
pub(crate) fn plain_text_warning(url: &str, host: &str, is_encrypted: bool, what: &str) -> Option<String> {
    (!is_encrypted && !is_here(host))
        .then(|| format!("{url}: {what} go there unencrypted; encryption is better"))
}

/// The same for a store.
#[must_use]
pub fn store_warning(address: &Address) -> Option<String> {
    plain_text_warning(&address.to_string(), address.host(), address.is_secure(), "password and packets")
}

pub(crate) fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_is_here() {
        assert!(["localhost", "127.0.0.1", "127.9.9.9", "::1"].into_iter().all(is_here));
        assert!(!["db.example.org", "192.0.2.1", "::2", "localhost.example.org"].into_iter().any(is_here));
    }
}
