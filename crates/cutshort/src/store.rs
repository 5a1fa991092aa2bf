//! The store that verbs work on.

use std::path::PathBuf;

use clap::Args;
use cutshort_capture::Reading;
use cutshort_pipeline::{Progress, Report};
use cutshort_report::{quantity, rfc3339};
use cutshort_store::embedded::Options;
use cutshort_store::{Embedded, StoreError};

use crate::error::{Done, Error};
use crate::progress::Steps;
use crate::terminal::message;

/// Where the store is.
#[derive(Args)]
pub(crate) struct Data {
    /// Folder of the store
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
}

impl Data {
    /// For writing; made if it is missing.
    pub(crate) fn open(&self) -> Result<Embedded, Error> {
        match Embedded::open(&self.data, Options { durable: true }) {
            Err(StoreError::Locked(who)) => Err(Error::Failed(format!(
                "{who}. One program at a time writes to a store: end it (if it is 'cutshort serve', with Ctrl-C or \
                 'systemctl stop'), and run this again"
            ))),
            opened => opened.map_err(Error::from),
        }
    }

    /// For writing, if it is there.
    pub(crate) fn open_existing(&self) -> Result<Embedded, Error> {
        drop(self.open_reader()?);
        self.open()
    }

    /// For reading.
    pub(crate) fn open_reader(&self) -> Result<Embedded, Error> {
        Ok(Embedded::open_reader(&self.data)?)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Failed(match error {
            StoreError::Full(what) => format!("{what}. Nothing is lost: make room, and run this again"),
            error => error.to_string(),
        })
    }
}

/// Shows how far computing windows has come, and ends it when reading was stopped.
pub(crate) fn show<'a>(
    steps: &'a mut Steps,
    reading: &'a Reading,
) -> impl FnMut(&Progress) -> std::ops::ControlFlow<()> + use<'a> {
    |progress: &Progress| {
        steps.show(progress.past, progress.all);
        if reading.is_stopped() {
            std::ops::ControlFlow::Break(())
        } else {
            std::ops::ControlFlow::Continue(())
        }
    }
}

/// Says what could not be computed.
pub(crate) fn report_problems(report: &Report) -> Done {
    for (window, error) in &report.failed {
        message(&format!("the window of {} could not be computed: {error}", rfc3339(*window)));
    }
    if report.left > 0 {
        let left = quantity(report.left, "window");
        message(&format!("interrupted: {left} not yet computed; run this again to go on"));
    }
    if report.failed.is_empty() && report.left == 0 { Done::Whole } else { Done::InPart }
}
