//! Why a service does not run.

use std::fmt;

use cutshort_console::SignalsError;
use cutshort_pipeline::KeyFileError;
use cutshort_settings::SettingsError;
use cutshort_store::StoreError;

/// Why a service cannot start, or ended before it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DaemonError {
    /// The settings ask for something that cannot be.
    Settings(String),
    /// Something that they ask for could not be done.
    Failed(String),
}

impl fmt::Display for DaemonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for DaemonError {}

impl From<SettingsError> for DaemonError {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error.to_string())
    }
}

impl From<SignalsError> for DaemonError {
    fn from(error: SignalsError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<KeyFileError> for DaemonError {
    fn from(error: KeyFileError) -> Self {
        Self::Settings(error.to_string())
    }
}

impl From<StoreError> for DaemonError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.explained())
    }
}

impl From<cutshort_sandbox::Error> for DaemonError {
    fn from(error: cutshort_sandbox::Error) -> Self {
        let text = error.to_string();
        if error.is_wrong_user() { Self::Settings(text) } else { Self::Failed(text) }
    }
}

#[cfg(target_os = "linux")]
impl From<cutshort_agent::CaptureError> for DaemonError {
    fn from(error: cutshort_agent::CaptureError) -> Self {
        use cutshort_agent::CaptureError;
        match error {
            CaptureError::Node(_) => Self::Settings(error.to_string()),
            CaptureError::Folder(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}
