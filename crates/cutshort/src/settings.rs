//! The settings of services, with their mistakes as the command line tells them.

use std::path::Path;

pub(crate) use cutshort_settings::Settings;
use cutshort_settings::{Read, SettingsError};

use crate::error::Error;
use crate::terminal::message;

/// Reads the file, if one is named, and then the environment. Variables that are no settings are only named.
pub(crate) fn read_all(file: Option<&Path>) -> Result<Read, Error> {
    cutshort_settings::unknown_variables().iter().for_each(message);
    Ok(cutshort_settings::read(file)?)
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Self::Usage(error.to_string())
    }
}
