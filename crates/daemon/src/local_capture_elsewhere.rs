//! What runs beside answering elsewhere than on Linux: nothing.

use std::path::Path;
use std::sync::Arc;

use cutshort_api::App;
use cutshort_capture::LiveError;
use cutshort_pipeline::GeoData;
use cutshort_sandbox::Needs;
use cutshort_settings::Settings;

use crate::DaemonError;

/// Nothing, as this is not Linux.
pub struct LocalCapture;

/// Opens nothing.
///
/// # Errors
/// The settings name a source or a user.
pub fn open_local_capture(
    settings: &Settings,
    _: &Path,
    _: &Arc<GeoData>,
    _: &Needs,
) -> Result<LocalCapture, DaemonError> {
    match (&settings.capture.source, &settings.capture.user) {
        (Some(source), _) => Err(DaemonError::Failed(format!("{source}: {}", LiveError::NotLinux))),
        (None, Some(_)) => Err(DaemonError::Settings("user: it can be changed on Linux only".to_owned())),
        (None, None) => Ok(LocalCapture),
    }
}

impl LocalCapture {
    /// Receives nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self
    }

    pub(crate) fn start(self, _: &Arc<App>, _: impl Fn() + Send + 'static) -> Result<Running, DaemonError> {
        Ok(Running)
    }
}

pub(crate) struct Running;

impl Running {
    pub(crate) fn finish(self) -> Result<(), DaemonError> {
        Ok(())
    }
}
