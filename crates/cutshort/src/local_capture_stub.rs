//! What runs beside answering elsewhere than on Linux: nothing.

use std::path::Path;
use std::sync::Arc;

use cutshort_api::App;
use cutshort_capture::LiveError;
use cutshort_pipeline::GeoData;
use cutshort_sandbox::Needs;

use crate::error::Error;
use crate::settings::Settings;

pub(crate) struct LocalCapture;

pub(crate) fn open(
    settings: &Settings,
    _: &Path,
    _: &Arc<GeoData>,
    _: &Needs,
) -> Result<LocalCapture, Error> {
    match (&settings.capture.source, &settings.capture.user) {
        (Some(source), _) => Err(Error::Failed(format!("{source}: {}", LiveError::NotLinux))),
        (None, Some(_)) => Err(Error::Usage("user: it can be changed on Linux only".to_owned())),
        (None, None) => Ok(LocalCapture),
    }
}

impl LocalCapture {
    pub(crate) fn nothing() -> Self {
        Self
    }

    pub(crate) fn start(self, _: &Arc<App>, _: impl Fn() + Send + 'static) -> Result<Running, Error> {
        Ok(Running)
    }
}

pub(crate) struct Running;

impl Running {
    pub(crate) fn finish(self) -> Result<(), Error> {
        Ok(())
    }
}
