//! Opening sources, as the settings of an agent or of a server that captures say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutshort_agent::{Capture, CaptureError};
use cutshort_pipeline::GeoData;
use cutshort_sandbox::{Needs, User};

use crate::error::Error;
use crate::options::open_privacy;
use crate::settings::Settings;

/// Opens the source that the settings name, if they do. Adds what it needs.
pub(crate) fn open_capture(
    settings: &Settings,
    folder: &Path,
    spool: PathBuf,
    needs: &mut Needs,
    geo: impl FnOnce() -> Result<Arc<GeoData>, Error>,
) -> Result<Option<Capture>, Error> {
    let Some(config) = settings.agent(folder, spool) else { return Ok(None) };
    let privacy = || open_privacy(settings.privacy.addresses, settings.privacy.key.as_deref(), folder, geo);
    Capture::open(config, needs, privacy).map(Some)
}

impl From<CaptureError> for Error {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Node(_) => Self::Usage(error.to_string()),
            CaptureError::Folder(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Adds to what delivering or serving needs what every service needs: its user, and random numbers.
pub(crate) fn service_needs(settings: &Settings, needs: Needs) -> Result<Needs, Error> {
    let user = settings.capture.user.as_deref().map(User::find).transpose()?;
    let mut needs = Needs { user, ..needs };
    needs.read.push(PathBuf::from("/dev/urandom"));
    Ok(needs)
}
