//! Packets received by `serve` and `agent`: opened with all privileges, then recorded without.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cutshort_agent::{About, Parts, Reporter, Station, StationState};
use cutshort_capture::rules::{self, Loaded};
use cutshort_capture::{Live, LiveSettings, LiveSource, Reading};
use cutshort_model::quantity;
use cutshort_pipeline::live::{Collector, Recorder, RecorderSettings, Retry, Spool};
use cutshort_pipeline::{GeoData, Privacy};
use cutshort_sandbox::{Capability, Needs, User};
use cutshort_store::check_node;

use crate::error::Error;
use crate::options::open_privacy;
use crate::settings::Settings;

/// A source that is open.
pub(crate) struct Capture {
    /// What this server is called.
    node: String,
    source: LiveSource,
    settings: LiveSettings,
    live: Live,
    reading: Reading,
    /// The rules that were loaded then, as far as that could be seen.
    rules: Vec<Loaded>,
    privacy: Privacy,
}

/// Opens the source that the settings name, if they do, and what keeps addresses from being written: its key may be
/// anywhere, or be made in the folder to which packets go.
pub(crate) fn open(
    settings: &Settings,
    folder: &Path,
    needs: &mut Needs,
    geo: impl FnOnce() -> Result<Arc<GeoData>, Error>,
) -> Result<Option<Capture>, Error> {
    let Some(source) = settings.capture.clone() else { return Ok(None) };
    let node = node(settings)?;
    let live_settings = LiveSettings {
        rate: settings.sample_rate,
        ports: settings.capture_ports.clone(),
        exclude: settings.capture_exclude.clone(),
        ..LiveSettings::default()
    };
    let reading = Reading::default();
    let live = Live::open(&source, &live_settings, &reading);
    let live = live.map_err(|error| Error::Failed(format!("{source}: {error}")))?;
    // From now on what they log is received.
    let rules = rules::status().unwrap_or_default();
    needs.write_in(folder)?;
    needs.capabilities.extend(capability(&source));
    let privacy = open_privacy(settings.addresses, settings.address_key.as_deref(), folder, geo)?;
    Ok(Some(Capture { node, source, settings: live_settings, live, reading, rules, privacy }))
}

/// What a service needs, without a capture: its user, and what it runs with.
pub(crate) fn needs(settings: &Settings, needs: Needs) -> Result<Needs, Error> {
    let user = settings.user.as_deref().map(User::find).transpose()?;
    Ok(Needs { user, ..needs })
}

/// Gives up what is not needed any more, and says what is kept.
pub(crate) fn drop_privileges(mut needs: Needs) -> Result<String, Error> {
    needs.read.push(PathBuf::from("/dev/urandom"));
    Ok(cutshort_sandbox::enter(&needs)?.to_string())
}

/// What this server is called; later the host's name cannot be read any more.
fn node(settings: &Settings) -> Result<String, Error> {
    let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = settings.node.clone().unwrap_or_else(|| host().trim().to_owned());
    check_node(&name).map_err(|why| Error::Usage(format!("{why}; choose another one with --node")))?;
    Ok(name)
}

/// An interface may disappear and return: then its socket is opened again.
const fn capability(source: &LiveSource) -> Option<Capability> {
    match source {
        LiveSource::AfPacket(_) => Some(Capability::NetRaw),
        LiveSource::Nflog(_) => None,
    }
}

impl Capture {
    pub(crate) const fn source(&self) -> &LiveSource {
        &self.source
    }

    /// What tells in a folder how it goes.
    pub(crate) fn reporter(&self, settings: &Settings, folder: &Path) -> Reporter {
        Reporter::new(About {
            folder: folder.to_owned(),
            node: self.node.clone(),
            source: self.source.clone(),
            spool_bytes: settings.spool_bytes,
            rules: self.rules.clone(),
        })
    }

    /// Begins to receive, record and deliver.
    pub(crate) fn start(
        self,
        settings: &Settings,
        spool: &Path,
        collector: Box<dyn Collector>,
    ) -> Result<Station, Error> {
        let spool = Arc::new(Spool::open(spool, settings.spool_bytes)?);
        let recorder =
            RecorderSettings { node: self.node, every: settings.segment_time, ..RecorderSettings::default() };
        let first = Retry::default().first;
        Ok(Station::start(Parts {
            source: self.source,
            settings: self.settings,
            live: self.live,
            reading: self.reading,
            recorder: Recorder::start(Arc::clone(&spool), recorder, self.privacy)?,
            spool,
            collector,
            retry: Retry { first: first.min(settings.retry_time), most: settings.retry_time },
        }))
    }
}

/// Without a word from the recorder for so long, something stands still.
const STILL: Duration = Duration::from_secs(30);

/// Whether it does what it is to do, as far as it can know.
pub(crate) fn is_alive(station: &Station) -> bool {
    station.silence() < STILL
}

/// How it goes, in a line.
pub(crate) struct Line<'a>(pub(crate) &'a StationState);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StationState { live, recorder, spool, uploader } = self.0;
        let waiting = quantity(spool.segments, "segment");
        write!(f, "{} written, {waiting} waiting", quantity(recorder.packets, "packet"))?;
        let lost = [
            (live.lost, "lost on receiving"),
            (recorder.unwritten, "not written"),
            (spool.counts.dropped.1, "dropped from the spool"),
            (spool.counts.refused.1, "refused by the collector"),
        ];
        for (count, what) in lost.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {} {what}", quantity(count, "packet"))?;
        }
        if live.left_out.connections > 0 {
            let connections = quantity(live.left_out.connections, "chosen connection");
            write!(f, ", at least {connections} left out")?;
        }
        let trouble = recorder.trouble.as_ref().or(uploader.trouble.as_ref());
        trouble.map_or(Ok(()), |trouble| write!(f, "; {trouble}"))
    }
}
