//! What a server does beside answering, on Linux: receiving packets into its own store, and telling systemd.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use cutshort_agent::{Capture, Notifier, Watched};
use cutshort_api::{App, LocalCollector};
use cutshort_console::message;
use cutshort_pipeline::GeoData;
use cutshort_sandbox::Needs;
use cutshort_settings::Settings;
use cutshort_store::DataDir;

use crate::DaemonError;
use crate::capture::{open_capture, service_needs};

/// What was opened before privileges were given up.
pub struct LocalCapture {
    capture: Option<Capture>,
    notifier: Notifier,
}

/// Opens what needs privileges, and gives them up, but for what else is needed.
///
/// # Errors
/// The source, the key or the user of the settings is wrong, or privileges cannot be given up.
pub fn open_local_capture(
    settings: &Settings,
    data: &Path,
    geo: &Arc<GeoData>,
    others: &Needs,
) -> Result<LocalCapture, DaemonError> {
    let mut needs = service_needs(settings, settings.store_needs())?;
    needs.add(others);
    needs.read_again(settings.jobs.geo.iter().map(PathBuf::as_path));
    let spool = DataDir::new(data).spool();
    let capture = open_capture(settings, data, spool, &mut needs, || Ok(Arc::clone(geo)))?;
    if capture.is_none() && !data.as_os_str().is_empty() {
        needs.write_in(data)?;
    }
    let kept = cutshort_sandbox::enter(&needs)?;
    let from = capture.as_ref().map(|capture| format!("receiving from {}; ", capture.source()));
    message(&format!("{}{kept}", from.unwrap_or_default()));
    Ok(LocalCapture { capture, notifier: Notifier::from_environment() })
}

impl LocalCapture {
    /// Receives nothing, as the demo does, whose packets are simulated.
    #[must_use]
    pub fn nothing() -> Self {
        Self { capture: None, notifier: Notifier::from_environment() }
    }

    /// Begins. `end` is called when packets cannot be received any more.
    pub(crate) fn start(
        self,
        app: &Arc<App>,
        end: impl Fn() + Send + 'static,
    ) -> Result<Running, DaemonError> {
        let start = |capture: Capture| {
            let counts = Arc::new(Mutex::default());
            let own = LocalCollector { app: Arc::clone(app), counts: Arc::clone(&counts) };
            Watched::start(capture, Box::new(own), counts)
        };
        let watched = self.capture.map(start).transpose()?;
        Ok(Running(cutshort_agent::Running::start(watched, self.notifier, end)))
    }
}

/// What runs beside answering.
pub(crate) struct Running(cutshort_agent::Running);

impl Running {
    /// Ends it, after what was received is part of the store.
    pub(crate) fn finish(self) -> Result<(), DaemonError> {
        let ended = self.0.finish();
        let state = ended
            .map_err(|error| DaemonError::Failed(format!("packets cannot be received any more: {error}")))?;
        state.iter().for_each(message);
        Ok(())
    }
}
