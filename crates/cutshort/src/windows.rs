//! Computing the results of windows: how far it has come, and what could not be computed.

use std::ops::ControlFlow;

use cutshort_capture::Reading;
use cutshort_model::{Window, quantity, rfc3339};
use cutshort_pipeline::{Report, RunProgress};

use crate::error::Done;
use crate::progress::Steps;
use crate::stopping;
use crate::terminal::message;

/// Shows how far computing windows has come, and ends it when reading was stopped.
pub(crate) fn show<'a>(
    steps: &'a mut Steps,
    reading: &'a Reading,
) -> impl FnMut(&RunProgress) -> ControlFlow<()> + use<'a> {
    let mut show = stopping::steps(steps, reading);
    move |progress| show(progress.past, progress.all)
}

/// Says what could not be computed.
pub(crate) fn report_problems(report: &Report) -> Done {
    for (window, error) in &report.failed {
        message(&format!("the window of {} could not be computed: {error:#}", rfc3339(window.start())));
    }
    report_damage(report);
    if report.left > 0 {
        let left = quantity(report.left, "window");
        message(&format!("interrupted: {left} not yet computed; run this again to continue"));
    }
    let is_damaged = !report.kept_damaged.is_empty() || !report.incomplete.is_empty();
    if report.failed.is_empty() && report.left == 0 && !is_damaged { Done::Whole } else { Done::InPart }
}

/// How many windows are named.
const NAMED: usize = 5;

/// Says which windows could not be computed from all of their packets.
fn report_damage(report: &Report) {
    let kinds = [
        (&report.kept_damaged, "kept the earlier results: packets are damaged"),
        (&report.incomplete, "computed without packets that are damaged"),
    ];
    for (windows, what) in kinds {
        if let Some(names) = named(windows) {
            message(&format!(
                "{} {what} ({names}). 'cutshort store verify' names the files; import or deliver these packets again",
                quantity(windows.len() as u64, "window"),
            ));
        }
    }
}

/// The beginnings of the first windows of a list, in words; none of an empty list.
pub(crate) fn named(windows: &[Window]) -> Option<String> {
    let first: Vec<String> = windows.iter().take(NAMED).map(|window| rfc3339(window.start())).collect();
    let more = windows.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!first.is_empty()).then(|| format!("{}{more}", first.join(", ")))
}
