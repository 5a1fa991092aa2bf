//! Log lines of services.

use std::io::{self, IsTerminal};

use cutshort_settings::{LogFormat, Settings};
use tracing_subscriber::{EnvFilter, fmt};

use crate::DaemonError;

/// Writes log lines to standard error from now on, as the settings say.
///
/// # Errors
/// [`DaemonError::Settings`]: the filter is wrong.
pub fn start_log(settings: &Settings) -> Result<(), DaemonError> {
    let filter = EnvFilter::try_new(&settings.log.filter)
        .map_err(|error| DaemonError::Settings(format!("log: '{}': {error}", settings.log.filter)))?;
    let to_person = io::stderr().is_terminal();
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(to_person);
    // That nobody reads the log any more is no reason to end.
    let builder = builder.log_internal_errors(false);
    match settings.log.format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Auto if !to_person => builder.json().init(),
        LogFormat::Text | LogFormat::Auto => builder.init(),
    }
    Ok(())
}
