//! `cutshort classify nflog:5`: packets as they arrive.

use std::path::{Path, PathBuf};

use cutshort_capture::{LiveSettings, LiveSource, Reading};
use cutshort_daemon::DaemonError;
use cutshort_reader::{Classifier, LiveInput, ReceiveError};
use cutshort_report::Summary;
use cutshort_sandbox::{Kept, Needs};
use jiff::SignedDuration;

use crate::error::{Done, Error};
use crate::terminal::message;

/// The live source among what is to be read. It cannot be merged with others.
pub(super) fn source(files: &[PathBuf]) -> Result<Option<LiveSource>, Error> {
    let is_live = |file: &&PathBuf| file.to_str().is_some_and(LiveSource::is_meant);
    let Some(source) = files.iter().find(is_live) else { return Ok(None) };
    if files.len() > 1 {
        return Err(Error::Usage(format!(
            "{}: a live source cannot be combined with other input",
            source.display()
        )));
    }
    source.to_string_lossy().parse().map(Some).map_err(Error::Usage)
}

/// Opens the source, then drops all privileges: nothing needs them any more, but for writing to `output`.
pub(super) fn open(
    source: LiveSource,
    settings: &LiveSettings,
    output: Option<&Path>,
    duration: Option<SignedDuration>,
    reading: &Reading,
) -> Result<LiveInput, Error> {
    let live = LiveInput::open(source, settings, reading)?;
    let kept = drop_privileges(output)?;
    let until = duration.map_or_else(|| " until Ctrl-C".to_owned(), |duration| format!(" for {duration:#}"));
    message(&format!("receiving from {}{until}; {kept}", live.source()));
    Ok(live)
}

fn drop_privileges(output: Option<&Path>) -> Result<Kept, Error> {
    // The output gets its name at the end.
    let output = output.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let folder =
        output.as_ref().and_then(|path| path.parent()).map(|folder| match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        });
    let folders = folder.into_iter().map(Path::to_owned).collect();
    let kept = cutshort_sandbox::enter(&Needs { folders, ..Needs::default() });
    Ok(kept.map_err(DaemonError::from)?)
}

/// Receives and classifies until reading is stopped or the time is over, and says what was not received.
pub(super) fn classify(
    mut live: LiveInput,
    classifier: Classifier<'_>,
    duration: Option<SignedDuration>,
    reading: &Reading,
) -> Result<(Option<Summary>, Done), Error> {
    let duration = duration.map(SignedDuration::unsigned_abs);
    let classified = live.classify(classifier, duration, reading, |why| message(&why))?;
    let losses = live.losses();
    losses.iter().for_each(message);
    Ok((Some(classified.finish()?), Done::Whole.and(losses.is_empty())))
}

impl From<ReceiveError> for Error {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Output(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}
