//! `cutshort classify --explain`: one connection packet by packet.

use std::io::Write;
use std::path::PathBuf;

use clap::ColorChoice;
use cutshort_capture::{Captures, Reading};
use cutshort_packet::FiveTuple;
use cutshort_pipeline::reader_clock;
use cutshort_report::{InputCount, write_trace};
use cutshort_verdict::{ClosedWindow, FlowContext, Rules, Trace, Tracker};

use crate::classify::{SIMULATED, dropped, files, is_simulated, parse, report_problems, stop_on_signals};
use crate::error::{Done, Error};
use crate::progress::Progress;
use crate::terminal;

pub(crate) fn run(
    named: &[PathBuf],
    rules: &Rules,
    five_tuple: &FiveTuple,
    color: ColorChoice,
) -> Result<Done, Error> {
    let files = files(named)?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let mut captures = Captures::open(&files, &reading);
    let mut input = InputCount::read_at(reader_clock());
    let windows = read(&mut captures, &files, rules, five_tuple, &reading, &mut input);
    input.dropped = dropped(&captures);
    let done = report_problems(&captures, &reading).and(input.is_whole());
    input.sentences().iter().for_each(terminal::message);
    if is_simulated(&captures) {
        terminal::message(&SIMULATED);
    }
    let shown = show(&windows, rules, five_tuple, color)?;
    if shown { Ok(done) } else { Err(Error::Failed(not_found(&windows, five_tuple))) }
}

/// The windows with only the connection and its other direction in them; the times of all other
/// records count as well.
fn read(
    captures: &mut Captures,
    files: &[PathBuf],
    rules: &Rules,
    five_tuple: &FiveTuple,
    reading: &Reading,
    input: &mut InputCount,
) -> Vec<ClosedWindow> {
    let mut tracker = Tracker::new(*rules).read_at(reader_clock()).keep_rows();
    let mut progress = Progress::new(files);
    let mut windows = Vec::new();
    let both = [*five_tuple, five_tuple.reversed()];
    while let Some(record) = captures.record() {
        let packet = parse(record, input).filter(|packet| both.contains(&packet.five_tuple));
        if tracker.record(record.frame.ts, packet.as_ref()) {
            windows.extend(std::iter::from_fn(|| tracker.next_closed()));
        }
        captures.advance();
        progress.tick(input.records, reading);
    }
    progress.finish();
    input.future_note().iter().for_each(terminal::message);
    input.late = tracker.late();
    windows.extend(tracker.finish());
    windows
}

/// Shows the connections of the 5-tuple in every window that has some; false if none has.
fn show(
    windows: &[ClosedWindow],
    rules: &Rules,
    five_tuple: &FiveTuple,
    color: ColorChoice,
) -> Result<bool, Error> {
    let traces: Vec<Trace> = windows.iter().flat_map(|window| traces(window, rules, five_tuple)).collect();
    terminal::print(color, |text| {
        for (at, trace) in traces.iter().enumerate() {
            if at > 0 {
                writeln!(text)?;
            }
            write_trace(five_tuple, trace, terminal::width(), &mut *text)?;
        }
        Ok(())
    })?;
    Ok(!traces.is_empty())
}

/// One for each connection of the 5-tuple in a window.
fn traces(window: &ClosedWindow, rules: &Rules, five_tuple: &FiveTuple) -> Vec<Trace> {
    let Some((rows, other_rsts)) = window.rows(five_tuple) else { return Vec::new() };
    Trace::of(rows, rules, &FlowContext { cutoff: window.cutoff(), other_rsts: &other_rsts })
}

fn not_found(windows: &[ClosedWindow], five_tuple: &FiveTuple) -> String {
    let reversed = five_tuple.reversed();
    if windows.iter().any(|window| window.rows(&reversed).is_some()) {
        format!("{five_tuple} is not in the capture, but its other direction is: try '{reversed}'")
    } else {
        format!("{five_tuple} is not in the capture")
    }
}
