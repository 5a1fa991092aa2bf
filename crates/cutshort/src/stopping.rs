//! Commands that SIGINT, SIGTERM or SIGHUP stop.

use std::ops::ControlFlow;

use cutshort_capture::Reading;
use cutshort_console::{Signals, Steps, interrupt};
use cutshort_files::NewFile;

use crate::error::Error;

/// Stops reading on SIGINT, SIGTERM or SIGHUP: the first one reports what was read so far, the second one exits at once.
pub(crate) fn stop_on_signals(reading: &Reading) -> Result<(), Error> {
    stop_on(Signals::of_command()?, reading)
}

/// The same for signals that are caught already.
pub(crate) fn stop_on(signals: Signals, reading: &Reading) -> Result<(), Error> {
    let reading = reading.clone();
    signals.each(move |_| {
        if reading.is_stopped() {
            NewFile::abandon();
            interrupt();
        }
        reading.stop();
    })?;
    Ok(())
}

/// Shows how many steps are done, and stops after one if reading was stopped.
pub(crate) fn steps<'a>(
    steps: &'a mut Steps,
    reading: &'a Reading,
) -> impl FnMut(usize, usize) -> ControlFlow<()> + use<'a> {
    |past, all| {
        steps.show(past, all);
        if reading.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
