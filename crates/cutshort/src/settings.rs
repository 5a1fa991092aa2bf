//! The settings of services, with their mistakes as the command line tells them.

pub(crate) use cutshort_settings::Settings;
use cutshort_settings::SettingsError;

use crate::error::Error;
use crate::terminal::message;

/// Settings that were read, after a message for each variable that only looks like one.
pub(crate) fn checked<T>(read: Result<T, SettingsError>) -> Result<T, Error> {
    cutshort_settings::unknown_variables().iter().for_each(message);
    Ok(read?)
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Self::Usage(error.to_string())
    }
}
