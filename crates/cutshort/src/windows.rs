//! Computing the results of windows and finding events in them: how far it has come, and what could not be computed.

use std::ops::ControlFlow;

use cutshort_capture::Reading;
use cutshort_console::Steps;
use cutshort_pipeline::{EventJob, Report, RunProgress, stores};
use cutshort_store::{Store, StoreError};

use crate::error::Done;
use crate::stopping;
use crate::terminal::message;

/// Computes windows as `run` does, shows how far it has come, and ends it when reading was stopped.
pub(crate) fn compute<T>(
    reading: &Reading,
    run: impl FnOnce(&mut dyn FnMut(&RunProgress) -> ControlFlow<()>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut steps = Steps::new("windows");
    let mut show = stopping::steps(&mut steps, reading);
    let done = run(&mut |progress| show(progress.past, progress.all))?;
    drop(show);
    steps.finish();
    Ok(done)
}

/// Says what could not be computed.
pub(crate) fn report_problems(report: &Report) -> Done {
    report.problems().iter().for_each(message);
    Done::Whole.and(report.is_whole())
}

/// Finds events in what was computed, in all data sets. Where this is interrupted, the next run continues.
pub(crate) fn find_events(reading: &Reading, store: &dyn Store) -> Result<(), StoreError> {
    let mut job = EventJob::default();
    for store in stores(store)? {
        let mut steps = Steps::new("windows read for events");
        let mut show = stopping::steps(&mut steps, reading);
        job.run(store, cutshort_model::now(), &mut |progress| show(progress.past, progress.all))?;
        drop(show);
        steps.finish();
    }
    Ok(())
}
