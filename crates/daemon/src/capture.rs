//! Opening sources, as the settings of an agent or of a server that captures say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutshort_agent::Capture;
use cutshort_console::message;
use cutshort_pipeline::{GeoData, Privacy};
use cutshort_sandbox::{Needs, User};
use cutshort_settings::Settings;
use cutshort_store::DataDir;

use crate::DaemonError;

/// Opens the source that the settings name, if they do. Adds what it needs.
pub(crate) fn open_capture(
    settings: &Settings,
    folder: &Path,
    spool: PathBuf,
    needs: &mut Needs,
    geo: impl FnOnce() -> Result<Arc<GeoData>, DaemonError>,
) -> Result<Option<Capture>, DaemonError> {
    let Some(config) = settings.agent(folder, spool) else { return Ok(None) };
    Capture::open(config, needs, || privacy(settings, folder, geo)).map(Some)
}

/// What the settings say is kept of addresses, with the key in its file or in the folder.
fn privacy(
    settings: &Settings,
    folder: &Path,
    geo: impl FnOnce() -> Result<Arc<GeoData>, DaemonError>,
) -> Result<Privacy, DaemonError> {
    let key = settings.privacy.key.clone().unwrap_or_else(|| DataDir::new(folder).address_key());
    Privacy::open(settings.privacy.addresses, &key, geo, |text| message(&text))
}

/// Adds to what delivering or serving needs what every service needs: its user, and random numbers.
pub(crate) fn service_needs(settings: &Settings, needs: Needs) -> Result<Needs, DaemonError> {
    let user = settings.capture.user.as_deref().map(User::find).transpose()?;
    let mut needs = Needs { user, ..needs };
    needs.read.push(PathBuf::from("/dev/urandom"));
    Ok(needs)
}
