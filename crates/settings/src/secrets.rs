//! Secrets, which are in files or in the environment, and never on the command line, which everybody sees.

use std::path::PathBuf;

use cutshort_clickhouse::Address;
use cutshort_store::Result;

/// The names of secrets in the environment, behind `CUTSHORT_`.
pub(crate) const SECRETS: [&str; 3] = ["TOKEN", "CLICKHOUSE_PASSWORD", "CLICKHOUSE_PASSWORD_FILE"];

/// The file with the password of stores, if one is named by `CUTSHORT_CLICKHOUSE_PASSWORD_FILE`.
#[must_use]
pub fn password_file() -> Option<PathBuf> {
    std::env::var_os("CUTSHORT_CLICKHOUSE_PASSWORD_FILE").map(PathBuf::from)
}

/// An address with its password: its own, or that of the [file](password_file), or `CUTSHORT_CLICKHOUSE_PASSWORD`.
///
/// # Errors
/// The file cannot be read.
pub fn with_password(address: Address) -> Result<Address> {
    address.with_secret(password_file().as_deref(), std::env::var("CUTSHORT_CLICKHOUSE_PASSWORD").ok())
}
